import assert from 'node:assert/strict'
import test from 'node:test'
import { ProtocolError } from './protocol-error.ts'
import { INT64_MAX, INT64_MIN, Reader } from './reader.ts'

const read = <T>(hex: string, what: (reader: Reader) => T): T => {
  const reader = new Reader(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
  const value = what(reader)
  assert.equal(reader.remaining, 0, `${hex} was not read to its end`)
  return value
}

const refused = (hex: string, what: (reader: Reader) => unknown, message: RegExp): void => {
  const reader = new Reader(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
  assert.throws(
    () => what(reader),
    error => error instanceof ProtocolError && message.test(error.message),
    hex,
  )
}

const numbers: [keyof Reader & string, string, number][] = [
  ['int8', '7f', 127],
  ['int8', 'ff', -1],
  ['int16', '7fff', 32767],
  ['int16', '8000', -32768],
  ['uint16', 'ffff', 65535],
  ['int32', '7fffffff', 2147483647],
  ['int32', 'fffffffe', -2],
  ['uint32', 'fffffffe', 4294967294],
  ['int64', '0000000000000000', 0],
  ['int64', 'ffffffffffffffff', -1],
  ['int64', '00000000ffffffff', 4294967295],
  ['int64', 'ffffffff00000000', -4294967296],
  ['int64', '001fffffffffffff', Number.MAX_SAFE_INTEGER],
  ['int64', 'ffe0000000000001', Number.MIN_SAFE_INTEGER],
  ['int64', '7fffffffffffffff', INT64_MAX],
  ['int64', '8000000000000000', INT64_MIN],
  ['float64', '3ff8000000000000', 1.5],
  ['uvarint', '00', 0],
  ['uvarint', '7f', 127],
  ['uvarint', '8001', 128],
  ['uvarint', 'ffffffff0f', 4294967295],
  ['varint', '01', -1],
  ['varint', '02', 1],
  ['varint', 'feffffff0f', 2147483647],
  ['varint', 'ffffffff0f', -2147483648],
  ['varlong', '01', -1],
  ['varlong', '8080808010', 2147483648],
  ['varlong', 'feffffffffffff1f', Number.MAX_SAFE_INTEGER],
  ['varlong', 'fdffffffffffff1f', Number.MIN_SAFE_INTEGER],
]

for (const [method, hex, expected] of numbers) {
  test(`${method} of ${hex} is ${expected}`, () => {
    const call = (reader: Reader) => (reader[method] as () => number).call(reader)
    assert.equal(read(hex, call), expected)
    refused(hex.slice(0, -2), call, /needed at|left/)
  })
}

test('numbers that a double cannot hold are refused', () => {
  for (const hex of ['0020000000000000', 'ffe0000000000000', '7ffffffffffffffe', '8000000000000001']) {
    refused(hex, r => r.int64(), /int64 beyond 2\^53/)
  }
  refused('feffffffffffff3f', r => r.varlong(), /int64 beyond 2\^53/)
  refused('ffffffffffffffffff01', r => r.varlong(), /int64 beyond 2\^53/)
})

test('varints end in time', () => {
  refused('ffffffff1f', r => r.uvarint(), /longer than 32 bits/)
  refused('8080808080808001', r => r.uvarint(), /longer than 32 bits/)
  refused('ffffffffffffffffffffff01', r => r.varlong(), /longer than 64 bits/)
  refused('80', r => r.uvarint(), /1 bytes needed/)
})

test('strings', () => {
  assert.equal(
    read('0003 666f6f', r => r.string()),
    'foo',
  )
  assert.equal(
    read('04 666f6f', r => r.compactString()),
    'foo',
  )
  assert.equal(
    read('0004 62c3a472', r => r.string()),
    'bär',
  )
  assert.equal(
    read('ffff', r => r.nullableString()),
    null,
  )
  assert.equal(
    read('00', r => r.compactNullableString()),
    null,
  )
  assert.equal(
    read('01', r => r.compactString()),
    '',
  )
  refused('ffff', r => r.string(), /null instead of a string/)
  refused('00', r => r.compactString(), /null instead of a string/)
  refused('fffe', r => r.nullableString(), /string of -2 bytes/)
  refused('0004 666f6f', r => r.string(), /4 bytes needed/)
  refused('818002', r => r.compactString(), /string of 32768 bytes/)
  refused('ffffffff0f', r => r.compactString(), /string of 4294967294 bytes/)
})

test('bytes are views, not copies', () => {
  const buffer = Buffer.from('00000002aabb03ccdd', 'hex')
  const reader = new Reader(buffer)
  const [first, second] = [reader.bytes(), reader.compactBytes()]
  buffer.fill(0x11, 4)
  assert.deepEqual([...first, ...second], [0x11, 0x11, 0x11, 0x11])
  assert.equal(
    read('ffffffff', r => r.nullableBytes()),
    null,
  )
  refused('ffffffff', r => r.bytes(), /null instead of bytes/)
  refused('fffffffe', r => r.nullableBytes(), /length -2/)
  refused('7fffffff 00', r => r.bytes(), /2147483647 bytes needed/)
})

test('an array is not longer than what is left', () => {
  assert.equal(
    read('ffffffff', r => r.nullableArrayLength(4)),
    -1,
  )
  refused('ffffffff', r => r.arrayLength(4), /null instead of an array/)
  refused('00', r => r.compactArrayLength(4), /null instead of an array/)
  refused('fffffffe', r => r.nullableArrayLength(4), /array of length -2/)
  refused('7fffffff 00000000', r => r.arrayLength(4), /2147483647 elements in 4 bytes/)
  refused('03 00000000 000000', r => r.compactArrayLength(4), /2 elements in 7 bytes/)
})

test('all arrays of a message together have a limit', () => {
  const reader = new Reader(Buffer.alloc(5 * 1024 * 1024 + 5))
  const million = Buffer.from('00500000', 'hex') // 5 × 2^20
  million.copy(reader.buffer)
  assert.equal(reader.arrayLength(1), 5 * 1024 * 1024)
  reader.position = 0
  assert.throws(() => reader.arrayLength(1), /more than 8388608 array elements/)
})

test('tagged fields', () => {
  read('02 00 01aa 8f4e 03aabbcc', r => r.skipTags())
  refused('05 0000 0000', r => r.skipTags(), /5 tagged fields in 4 bytes/)
  refused('01 00 05 aabb', r => r.skipTags(), /5 bytes needed/)
  refused(
    '02 aabb',
    r => {
      const end = r.tagEnd()
      r.int8()
      r.tagDone(end)
    },
    /not as long as declared/,
  )
})

test('a reader stays inside of its slice', () => {
  const slab = Buffer.from('aabbccddeeff', 'hex')
  const reader = new Reader(slab, 1, 3)
  assert.equal(reader.int16(), 0xbbcc - 0x10000)
  assert.throws(() => reader.int8(), ProtocolError)
  // A plain Uint8Array with an offset of its own.
  assert.equal(new Reader(new Uint8Array(slab.buffer, slab.byteOffset + 2, 2)).uint16(), 0xccdd)
})
