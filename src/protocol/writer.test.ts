import assert from 'node:assert/strict'
import test from 'node:test'
import { dice } from './hostile-frames.ts'
import { INT64_MAX, INT64_MIN, Reader } from './reader.ts'
import { Writer } from './writer.ts'

const hexOf = (write: (writer: Writer) => void): string => {
  const writer = new Writer()
  write(writer)
  return writer.toBytes().toString('hex')
}

test('primitives', () => {
  const table: [(w: Writer) => void, string][] = [
    [w => w.bool(true), '01'],
    [w => w.int8(-1), 'ff'],
    [w => w.int16(-2), 'fffe'],
    [w => w.uint16(65535), 'ffff'],
    [w => w.int32(-2), 'fffffffe'],
    [w => w.uint32(4294967294), 'fffffffe'],
    [w => w.int64(-1), 'ffffffffffffffff'],
    [w => w.int64(4294967296), '0000000100000000'],
    [w => w.int64(2147483648), '0000000080000000'],
    [w => w.int64(-4294967295), 'ffffffff00000001'],
    [w => w.int64(Number.MAX_SAFE_INTEGER), '001fffffffffffff'],
    [w => w.int64(Number.MIN_SAFE_INTEGER), 'ffe0000000000001'],
    [w => w.int64(INT64_MAX), '7fffffffffffffff'],
    [w => w.int64(INT64_MIN), '8000000000000000'],
    [w => w.float64(1.5), '3ff8000000000000'],
    [w => w.uvarint(4294967295), 'ffffffff0f'],
    [w => w.varint(-2147483648), 'ffffffff0f'],
    [w => w.varlong(-1), '01'],
    [w => w.varlong(63), '7e'],
    [w => w.varlong(64), '8001'],
    [w => w.varlong(Number.MAX_SAFE_INTEGER), 'feffffffffffff1f'],
    [w => w.varlong(Number.MIN_SAFE_INTEGER), 'fdffffffffffff1f'],
    [w => w.string('bär'), '000462c3a472'],
    [w => w.compactString('bär'), '0562c3a472'],
    [w => w.nullableString(null), 'ffff'],
    [w => w.compactNullableString(null), '00'],
    [w => w.nullableBytes(null), 'ffffffff'],
    [w => w.compactNullableBytes(null), '00'],
    [w => w.bytes([Buffer.from('aa', 'hex'), Buffer.from('bbcc', 'hex')]), '00000003aabbcc'],
  ]
  for (const [write, hex] of table) assert.equal(hexOf(write), hex)
})

test('what does not fit is refused, not cut off', () => {
  const refused: [(w: Writer) => void, RegExp][] = [
    [w => w.int8(128), /not an int8: 128/],
    [w => w.int16(32768), /not an int16/],
    [w => w.uint16(-1), /not a uint16/],
    [w => w.int32(2147483648), /not an int32/],
    [w => w.int32(0.5), /not an int32: 0.5/],
    [w => w.int32(Number.NaN), /not an int32: NaN/],
    [w => w.uint32(-1), /not a uint32/],
    [w => w.int64(2 ** 53), /not an int64/],
    [w => w.int64(0.5), /not an int64/],
    [w => w.varlong(2 ** 53), /not a safe int64/],
    [w => w.string('ä'.repeat(16384)), /string of 32768 bytes/],
    [w => w.compactString('x'.repeat(32768)), /string of 32768 bytes/],
    // Callers without types: the wrong kind of value is an error too.
    [w => w.string(null as never), /not a string: null/],
    [w => w.bool(1 as never), /not a bool/],
    [w => w.bytes('text' as never), /not bytes: text/],
  ]
  for (const [write, message] of refused) assert.throws(() => write(new Writer()), message)
})

test('growing changes nothing', () => {
  const roll = dice(3)
  for (let round = 0; round < 300; round++) {
    const steps = Array.from({ length: 1 + roll(40) }, () => step(roll(9), roll(3000)))
    const [small, large] = [new Writer(1), new Writer(1 << 20)]
    for (const write of steps) {
      write(small)
      write(large)
    }
    assert.equal(small.length, large.length)
    assert.ok(Buffer.concat(small.finish()).equals(Buffer.concat(large.finish())))
  }
})

function step(kind: number, n: number): (writer: Writer) => void {
  const bytes = Buffer.alloc(n, n)
  const steps: ((writer: Writer) => void)[] = [
    w => w.bool(true),
    w => w.int64(n * 2 ** 33),
    w => w.uvarint(n),
    w => w.string('x'.repeat(n % 60)),
    w => w.compactString('ü'.repeat(n % 60)),
    w => w.compactBytes(bytes),
    w => w.float64(n),
    w => w.uuid('AAAAAAAAAAAAAAAAAAAAAQ'),
    w => {
      const outer = w.beginSized()
      w.raw(bytes)
      const inner = w.beginSized()
      w.raw(bytes)
      w.endSized(inner)
      w.endSized(outer)
    },
  ]
  return steps[kind]!
}

test('large bytes are kept by reference, small ones are copied', () => {
  const writer = new Writer()
  const [small, large] = [Buffer.alloc(100, 1), Buffer.alloc(5000, 2)]
  writer.bytes(small)
  writer.bytes([large, large])
  writer.int8(3)
  const chunks = writer.finish()
  assert.equal(chunks.length, 4)
  assert.equal(chunks[1], large)
  assert.equal(chunks[2], large)
  assert.equal(writer.length, 4 + 100 + 4 + 10000 + 1)
  assert.equal(
    chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    writer.length,
  )
})

test('a size before its field has as many bytes as it needs', () => {
  for (const size of [0, 1, 127, 128, 16383, 16384, 2097152]) {
    const writer = new Writer(16)
    writer.int8(7)
    const begin = writer.beginSized()
    writer.raw(Buffer.alloc(size, 0xee))
    writer.endSized(begin)
    writer.int8(9)
    const reader = new Reader(writer.toBytes())
    assert.equal(reader.int8(), 7)
    const end = reader.tagEnd()
    assert.equal(end - reader.position, size)
    assert.ok(reader.buffer.subarray(reader.position, end).every(byte => byte === 0xee))
    reader.position = end
    assert.equal(reader.int8(), 9)
    assert.equal(reader.remaining, 0)
  }
})

test('a frame says its size, whether or not it holds references', () => {
  for (const size of [10, 100_000]) {
    const writer = new Writer(8)
    const frame = writer.beginFrame()
    writer.string('some words before')
    writer.bytes(Buffer.alloc(size))
    writer.int8(1)
    writer.endFrame(frame)
    const bytes = Buffer.concat(writer.finish())
    assert.equal(bytes.readInt32BE(), bytes.length - 4)
  }
})
