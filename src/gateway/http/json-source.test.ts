import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { elementSpans, memberSpans } from './json-source.ts'

const members = (text: string) =>
  Object.fromEntries([...memberSpans(text)].map(([name, { from, to }]) => [name, text.slice(from, to)]))
const elements = (text: string) => elementSpans(text).map(({ from, to }) => text.slice(from, to))

test('members and elements stand where they were written', () => {
  assert.deepEqual(members('{}'), {})
  assert.deepEqual(members(' { } '), {})
  assert.deepEqual(elements('[\n]'), [])
  assert.deepEqual(members('{"id":12345678901234567890,"x" : {"y":[1, "}"]} , "s":"a\\"b\\\\"}'), {
    id: '12345678901234567890',
    x: '{"y":[1, "}"]}',
    s: '"a\\"b\\\\"',
  })
  assert.deepEqual(elements('[1.10, "],", [[]], {"a":[]},null\t,-0]'), [
    '1.10',
    '"],"',
    '[[]]',
    '{"a":[]}',
    'null',
    '-0',
  ])
})

test('of a name that stands there twice the last one counts; names are what they mean', () => {
  assert.deepEqual(members('{"a":1,"\\u0061":2,"\\"":3}'), { a: '2', '"': '3' })
})

test('any JSON is found whole', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.integer({ min: 0, max: 3 }), (object, indent) => {
      const text = JSON.stringify(object, null, indent)
      const spans = memberSpans(text)
      assert.equal(spans.size, Object.keys(object).length)
      for (const [name, { from, to }] of spans)
        assert.deepEqual(JSON.parse(text.slice(from, to)), JSON.parse(JSON.stringify(object[name])))
      const list = JSON.stringify(Object.values(object), null, indent)
      assert.deepEqual(
        elementSpans(list).map(({ from, to }) => JSON.parse(list.slice(from, to))),
        JSON.parse(list),
      )
    }),
  )
})
