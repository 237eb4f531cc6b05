import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProtoReader, WireError } from './reader.ts'
import { bool, bytes, int32, int64, Message, mapOf, mapOfStrings, nested, repeated, string, uint32 } from './schema.ts'

const Inner = new Message('t.Inner', { name: string(1), list: int32(2).repeated() })
const All = new Message('t.All', {
  text: string(1),
  blob: bytes(2),
  small: int32(3),
  large: int64(4),
  flag: bool(5),
  unsigned: uint32(6),
  maybe: int32(7).optional(),
  inner: nested(Inner, 8),
  inners: repeated(Inner, 9),
  one: string(10).in('choice'),
  other: nested(Inner, 11).in('choice'),
  named: mapOf(Inner, 12),
  words: mapOfStrings(16),
})

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const empty = All.zero()

/** By hand, from the encoding guide of protocol buffers. */
const golden: readonly [string, Parameters<typeof All.encode>[0], string][] = [
  ['nothing', {}, ''],
  ['defaults are not written', { text: '', small: 0, flag: false, blob: new Uint8Array(0) }, ''],
  ['a string', { text: 'testing' }, '0a 07 74657374696e67'],
  ['what stands for what is no text', { text: '\ufffd' }, '0a 03 efbfbd'],
  ['150', { small: 150 }, '18 9601'],
  ['-1', { small: -1 }, '18 ffffffffffffffffff01'],
  ['the largest safe integer', { large: Number.MAX_SAFE_INTEGER }, '20 ffffffffffffff0f'],
  ['the smallest safe integer', { large: Number.MIN_SAFE_INTEGER }, '20 81808080808080f0ff01'],
  ['2^32 and 2^31', { large: 2 ** 32, unsigned: 2 ** 31 }, '20 8080808010 30 8080808008'],
  ['a flag', { flag: true }, '28 01'],
  ['a default that is there', { maybe: 0 }, '38 00'],
  ['null is absence', { maybe: null, inner: null }, ''],
  ['a message, and a packed list', { inner: { list: [3, 270, 86942] } }, '42 08 12 06 03 8e02 9ea705'],
  ['an empty message', { inner: {} }, '42 00'],
  ['messages', { inners: [{ name: 'a' }, {}] }, '4a 03 0a 01 61 4a 00'],
  ['a choice', { one: '' }, '52 00'],
  ['a map', { named: new Map([['k', { name: 'v' }]]) }, '62 08 0a 01 6b 12 03 0a 01 76'],
  ['a map of strings', { words: new Map([['k', 'v']]) }, '8201 06 0a 01 6b 12 01 76'],
]

for (const [what, value, expected] of golden) {
  test(`protobuf: ${what}`, () => {
    const encoded = All.encode(value)
    assert.equal(encoded.toString('hex'), hex(expected).toString('hex'))
    const filled = JSON.parse(JSON.stringify({ ...empty, ...value }, plain))
    const decoded = All.decode(encoded)
    const inner = (it: typeof decoded.inner) => it && { ...Inner.zero(), ...it }
    assert.deepEqual(JSON.parse(JSON.stringify(decoded, plain)), {
      ...filled,
      inner: filled.inner && inner(filled.inner),
      inners: filled.inners.map(inner),
      named: filled.named.map(([key, it]: [string, typeof decoded.inner]) => [key, inner(it)]),
    })
  })
}

function plain(_: string, value: unknown): unknown {
  if (value instanceof Map) return [...value]
  return value instanceof Uint8Array ? [...value] : value
}

test('room is left in front', () => {
  const encoded = All.encode({ small: 1 }, 5)
  assert.deepEqual([encoded.length, encoded.subarray(5).toString('hex')], [7, '1801'])
})

test('a list that is not packed is read, too', () => {
  assert.deepEqual(Inner.decode(hex('10 03 10 8e02')).list, [3, 270])
})

test('of a choice the last counts', () => {
  const { one, other } = All.decode(hex('52 01 61 5a 00'))
  assert.deepEqual([one, other], [null, Inner.zero()])
})

test('what is not known is passed over', () => {
  const rest = '9803 01 9903 0000000000000000 9a03 02 6162 9d03 00000000'
  assert.equal(All.decode(hex(`${rest} 18 07`)).small, 7)
})

test('bytes are views', () => {
  const message = hex('12 03 010203')
  assert.equal(All.decode(message).blob.buffer, message.buffer)
})

const broken: readonly [string, string][] = [
  ['no field has the number 0', '00 01'],
  ['a number that never ends', '18 ffffffffffffffffffff01'],
  ['a number that is cut off', '18 ff'],
  ['a length beyond the end', '0a 05 61'],
  ['a length beyond 2^32', '0a ffffffffff01'],
  ['a nested length beyond its message', '42 03 0a 05 61 18 07'],
  ['the wrong wire type', '08 01'],
  ['a group', '1b'],
  ['a fixed number that is cut off', '9903 00'],
  ['a string that is not UTF-8', '0a 02 c328'],
  ['an integer beyond 2^53', '20 80808080808080808001'],
]

for (const [what, text] of broken) {
  test(`protobuf refuses: ${what}`, () => assert.throws(() => All.decode(hex(text)), WireError))
}

test('two bytes an element: their number is limited, over the whole message', () => {
  const many = (count: number) => Buffer.alloc(2 * count, hex('4a00'))
  assert.equal(All.decode(many(25_000)).inners.length, 25_000)
  assert.throws(() => All.decode(many(25_001)), WireError)
  const nested = Buffer.concat([many(99_999), hex('42 04 10 01 10 01')])
  assert.throws(() => All.decode(nested), WireError)
})

test('fields that stand once may come again, but not without end', () => {
  const many = (count: number) => Buffer.alloc(2 * count, hex('0a00'))
  assert.equal(All.decode(many(200_000)).text, '')
  assert.throws(() => All.decode(many(200_001)), WireError)
  assert.throws(() => All.decode(Buffer.alloc(2 * 200_001, hex('7801'))), WireError)
})

test('reading costs what there is to read, and little for long values', () => {
  const cost = (bytes: Buffer) => {
    const reader = new ProtoReader(bytes)
    All.read(reader)
    return reader.cost
  }
  assert.equal(cost(hex('18 07')), 2)
  assert.equal(cost(All.encode({ blob: Buffer.alloc(64_000) })), 1002)
  // Two fields, one element.
  assert.equal(cost(hex('4a 02 0a 00')), 7)
  assert.equal(cost(Buffer.alloc(20_000, hex('4a00'))), 50_000 + 313)
})

test('what is not there is nobody’s to change', () => {
  const [first, second] = [All.decode(hex('')), All.decode(hex('4a 00 62 03 0a 01 6b'))]
  assert.deepEqual([second.inners.length, second.named.size], [1, 1])
  assert.deepEqual([first.inners.length, first.named.size, All.zero().named.size], [0, 0, 0])
  assert.throws(() => (first.inners as unknown[]).push({}), TypeError)
})

test('mutated messages are read or refused, and nothing else', () => {
  const seed = All.encode({ text: 'abc', large: -5, inner: { list: [1, 2] }, inners: [{ name: 'x' }], other: {} })
  let state = 1
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state % below
  }
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.from(seed)
    for (let flips = 0; flips <= next(3); flips++) bytes[next(bytes.length)] = next(256)
    try {
      All.decode(bytes.subarray(0, next(bytes.length + 1)))
    } catch (error) {
      if (!(error instanceof WireError)) throw error
    }
  }
})
