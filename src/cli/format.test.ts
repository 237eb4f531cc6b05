import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consoleFormat } from './console-format.ts'
import { compileFormat, unescapeText } from './format.ts'
import { jsonFormat, kcatJsonFormat } from './json-format.ts'
import type { Formatter, Message } from './message.ts'

const message: Message = {
  topic: 'orders',
  partition: 2,
  offset: 40,
  timestamp: 1700000000000,
  timestampType: 'CreateTime',
  key: Buffer.from('k1'),
  value: Buffer.from('grün'),
  headers: [
    { key: 'a', value: Buffer.from('1') },
    { key: 'b', value: null },
  ],
}
const empty: Message = { ...message, key: null, value: null, headers: [], timestamp: -1 }
const bytes = (format: Formatter, of: Message) => Buffer.concat(format(of).map(part => Buffer.from(part)))
const show = (format: Formatter, of = message) => bytes(format, of).toString('utf8')

test('kcat formats', () => {
  const table: [string, string][] = [
    ['%t %p %o\\n', 'orders 2 40\n'],
    ['%k:%s', 'k1:grün'],
    ['%K/%S', '2/5'],
    ['%T %h', '1700000000000 a=1,b=NULL'],
    ['100%% \\t|\\x41|\\\\|\\q', '100% \t|A|\\|\\q'],
    ['', ''],
  ]
  for (const [format, expected] of table) assert.equal(show(compileFormat(format)), expected, format)
  assert.equal(show(compileFormat('%k|%s|%K|%S|%h'), empty), '||-1|-1|')
  assert.equal(show(compileFormat('%k|%s', true), empty), 'NULL|NULL')
  assert.deepEqual(bytes(compileFormat('%R\\xff'), message), Buffer.from([0, 0, 0, 5, 255]))
  assert.throws(() => compileFormat('%y'), /unknown %y in the format/)
  assert.throws(() => compileFormat('%'), /unknown %/)
})

test('binary values come out as they went in', () => {
  const value = Buffer.from([0, 255, 128, 10])
  assert.deepEqual(bytes(compileFormat('%s'), { ...message, value }), value)
  assert.deepEqual(bytes(consoleFormat(new Map([['line.separator', '']])), { ...message, value }), value)
})

test("Kafka's console formatter", () => {
  const format = (properties: Record<string, string>) => consoleFormat(new Map(Object.entries(properties)))
  const all = {
    'print.timestamp': 'true',
    'print.partition': 'true',
    'print.offset': 'true',
    'print.headers': 'true',
    'print.key': 'true',
  }
  assert.equal(show(format({})), 'grün\n')
  assert.equal(show(format({ 'print.key': 'true' })), 'k1\tgrün\n')
  assert.equal(show(format({ 'print.key': 'true', 'print.value': 'false', 'key.separator': '-' })), 'k1\n')
  assert.equal(
    show(format({ ...all, 'key.separator': ' | ' })),
    'CreateTime:1700000000000 | Partition:2 | Offset:40 | a:1,b:null | k1 | grün\n',
  )
  assert.equal(show(format(all), empty), 'NO_TIMESTAMP\tPartition:2\tOffset:40\tNO_HEADERS\tnull\tnull\n')
  assert.equal(show(format({ 'null.literal': '-' }), empty), '-\n')
  const long = Buffer.alloc(8)
  long.writeBigInt64BE(-5n)
  const longs = format({ 'value.deserializer': 'org.apache.kafka.common.serialization.LongDeserializer' })
  assert.equal(show(longs, { ...message, value: long }), '-5\n')
  assert.equal(show(longs), 'grün\n')
  assert.throws(() => format({ 'print.keys': 'true' }), /unknown formatter property print.keys/)
  assert.throws(() => format({ 'value.deserializer': 'com.example.Mine' }), /Java class/)
})

test('JSON lines', () => {
  assert.equal(
    show(jsonFormat),
    '{"topic":"orders","partition":2,"offset":40,"timestamp":1700000000000,"key":"k1","value":"grün",' +
      '"headers":[{"key":"a","value":"1"},{"key":"b","value":null}]}\n',
  )
  const binary = JSON.parse(show(jsonFormat, { ...message, value: Buffer.from([255]), headers: [] }))
  assert.deepEqual([binary.valueBase64, 'value' in binary], ['/w==', false])
  assert.equal(
    show(kcatJsonFormat),
    '{"topic":"orders","partition":2,"offset":40,"tstype":"create","ts":1700000000000,"broker":-1,' +
      '"headers":["a","1","b",null],"key":"k1","payload":"grün"}\n',
  )
})

test('separators from the command line', () => {
  assert.equal(unescapeText('\\t\\n\\x3a\\z:'), '\t\n:\\z:')
})
