import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from './problem.ts'
import { type InputFormat, type InputTarget, type RecordInput, recordInLine, recordsIn } from './record-input.ts'

const target = (value: InputFormat = 'auto'): InputTarget => ({
  topic: 't',
  formats: { key: 'auto', value },
  now: 99,
  partition: -1,
  key: null,
})

const show = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('latin1'))
const shown = ({ key, value, headers, partition, timestamp }: RecordInput) => ({
  key: show(key),
  value: show(value),
  headers: headers.map(header => [header.key, show(header.value)]),
  partition,
  timestamp,
})

function refusal(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof Problem, String(error))
    assert.equal(error.status, 400)
    return error.detail
  }
  return assert.fail('it was taken')
}

test('a record alone, with all that it can have', () => {
  const text =
    '{"key":"k","value":{"id": 12345678901234567890},"headers":{"a":"1","b":["x",null]},"partition":3,"timestamp":5}'
  const { records, batch } = recordsIn(text, target())
  assert.equal(batch, false)
  assert.deepEqual(records.map(shown), [
    {
      key: 'k',
      value: '{"id": 12345678901234567890}',
      headers: [
        ['a', '1'],
        ['b', 'x'],
        ['b', null],
      ],
      partition: 3,
      timestamp: 5,
    },
  ])
})

test('a batch keeps the order, and every number its digits', () => {
  const text = '{"records":[{"value":"one"},{"value":1.10,"key":7},{"key":"gone","value":null}]}'
  const { records, batch } = recordsIn(text, target())
  assert.equal(batch, true)
  assert.deepEqual(
    records.map(shown).map(({ key, value }) => [key, value]),
    [
      [null, 'one'],
      ['7', '1.10'],
      ['gone', null],
    ],
  )
  assert.deepEqual(recordsIn('{"records":[]}', target()).records, [])
})

test('what was read can be sent again', () => {
  const text = '{"topic":"t","partition":0,"offset":4,"timestamp":1,"key":null,"value":"v","headers":{}}'
  assert.equal(show(recordInLine(text, target()).value), 'v')
})

test('formats', () => {
  const cases: [InputFormat, string, string | null][] = [
    ['auto', '"text"', 'text'],
    ['auto', 'true', 'true'],
    ['auto', '{"base64":"aGk="}', 'hi'],
    ['auto', '{"base64":"aGk"}', 'hi'],
    ['auto', '{"base64":"aGk=","more":1}', '{"base64":"aGk=","more":1}'],
    ['auto', '{"base64":1}', '{"base64":1}'],
    ['json', '"text"', '"text"'],
    ['json', '{"base64":"aGk="}', '{"base64":"aGk="}'],
    ['string', '"text"', 'text'],
    ['string', 'null', null],
    ['base64', '"_-8="', '\xff\xef'],
  ]
  for (const [format, json, bytes] of cases)
    assert.equal(show(recordInLine(`{"value":${json}}`, target(format)).value), bytes, json)
})

test('what is wrong is named, with its place', () => {
  const cases: [string, string][] = [
    ['[]', 'a record must be an object with a value, such as {"key":"k","value":"v"}'],
    ['{}', 'value is missing; null deletes the key'],
    ['{"values":1}', 'values is not known here'],
    ['{"records":{}}', 'records must be an array'],
    ['{"records":[],"topic":"t"}', 'topic is not known beside records'],
    ['{"records":[{"value":1},2]}', 'records[1] must be an object with a value, such as {"key":"k","value":"v"}'],
    ['{"records":[{"value":1,"partition":-1}]}', 'records[0].partition must be a whole number from 0 to 2147483647'],
    ['{"value":1,"timestamp":1.5}', 'timestamp must be a whole number from 0 to 9007199254740991'],
    ['{"value":1,"headers":[]}', 'headers must be an object of names and values'],
    ['{"value":1,"headers":{"a":[1]}}', 'headers.a must be a string, null or {"base64": "…"}'],
    ['{"value":{"base64":"a*b="}}', 'value.base64 must be base64'],
    ['{"value":{"base64":"a"}}', 'value.base64 must be base64'],
    ['{"value":1,"topic":"other"}', 'topic is not t, to which the records are sent'],
  ]
  for (const [text, detail] of cases)
    assert.equal(
      refusal(() => recordsIn(text, target())),
      detail,
      text,
    )
  assert.match(
    refusal(() => recordsIn('{"value":', target())),
    /^the body is not JSON: /,
  )
  assert.equal(
    refusal(() => recordInLine('{"value":1}', target('string'))),
    'value must be a string or null, as its format is string',
  )
})
