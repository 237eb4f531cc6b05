import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesJson, recordJson } from './record-json.ts'

const invalid = Buffer.from([0xff, 0x00])

test('bytes in JSON', () => {
  const cases: [Uint8Array | string | null, string, string][] = [
    [null, 'null', 'null'],
    ['', '""', '""'],
    ['hello', '"hello"', '"hello"'],
    ['42', '42', '"42"'],
    ['-0.5e3', '-0.5e3', '"-0.5e3"'],
    ['042', '"042"', '"042"'],
    ['1 2', '"1 2"', '"1 2"'],
    ['true', 'true', '"true"'],
    ['truth', '"truth"', '"truth"'],
    ['null', 'null', '"null"'],
    ['{"a":1}', '{"a":1}', '"{\\"a\\":1}"'],
    ['{a:1}', '"{a:1}"', '"{a:1}"'],
    ['{"a":1} x', '"{\\"a\\":1} x"', '"{\\"a\\":1} x"'],
    ['[1,\r\n 2]', '[1,  2]', '"[1,\\r\\n 2]"'],
    ['"quoted"', '"quoted"', '"\\"quoted\\""'],
    [' "\\u00e9\\n\\"" ', ' "\\u00e9\\n\\"" ', '" \\"\\\\u00e9\\\\n\\\\\\"\\" "'],
    ['"a" b', '"\\"a\\" b"', '"\\"a\\" b"'],
    ['"\\x"', '"\\"\\\\x\\""', '"\\"\\\\x\\""'],
    ['"a\tb"', '"\\"a\\tb\\""', '"\\"a\\tb\\""'],
    ['"', '"\\""', '"\\""'],
    ['12345678901234567890', '12345678901234567890', '"12345678901234567890"'],
    ['grüße\n', '"grüße\\n"', '"grüße\\n"'],
    [invalid, '{"base64":"/wA="}', '{"base64":"/wA="}'],
  ]
  for (const [value, json, string] of cases) {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value
    assert.equal(bytesJson(bytes, 'json'), json)
    assert.equal(bytesJson(bytes, 'string'), string)
    JSON.parse(bytesJson(bytes, 'json'))
  }
  assert.equal(bytesJson(Buffer.from('{}'), 'base64'), '{"base64":"e30="}')
})

test('a record in one line', () => {
  const headers = [
    { key: 'a', value: Buffer.from('1') },
    { key: '__proto__', value: null },
    { key: 'a', value: invalid },
  ]
  const record = { offset: 7, timestamp: 1000, key: Buffer.from('k'), value: Buffer.from('{\n"v": 1}'), headers }
  const text = recordJson('t', 2, record, 'json')
  assert.ok(!text.includes('\n'))
  assert.equal(
    text,
    '{"topic":"t","partition":2,"offset":7,"timestamp":1000,"key":"k","value":{ "v": 1},' +
      '"headers":{"a":["1",{"base64":"/wA="}],"__proto__":null}}',
  )
})
