import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { loadCompression } from '../compression/compression.ts'
import { KafkaError } from '../errors.ts'
import { buildBatch } from './build.ts'
import * as header from './header.ts'
import { validateBatch } from './iterate.ts'
import { javaBatches, javaRecords } from './java.test.data.ts'
import { crc32, isMessageSet, readMessages, upConvert } from './legacy.ts'
import { downConvert } from './legacy-write.ts'
import { type KafkaRecord, readRecords } from './records.ts'

await loadCompression(4)

const textOf = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString())
const readable = ({ offset, timestamp, key, value, headers }: KafkaRecord) => ({
  offset,
  timestamp,
  key: textOf(key),
  value: textOf(value),
  headers,
})

const expected = (magic: number, logAppendTime: boolean, firstOffset: number) =>
  javaRecords.map(({ timestamp, key, value }, i) => ({
    offset: firstOffset + i,
    timestamp: magic === 0 ? -1 : logAppendTime ? 1700000009999 : timestamp,
    key,
    value,
    headers: [],
  }))

for (const { magic, compression, logAppendTime, hex } of javaBatches) {
  if (magic === 2) continue
  const name = `magic ${magic}, ${compression}${logAppendTime ? ', log append time' : ''}`
  const java = Buffer.from(hex, 'hex')

  test(`reads what Kafka wrote: ${name}`, () => {
    assert.ok(isMessageSet(java))
    assert.deepEqual([...readMessages(java)].map(readable), expected(magic, logAppendTime, 1000))
  })

  test(`turns it into batches: ${name}`, () => {
    const batches = upConvert(java)
    assert.deepEqual(
      batches.map(batch => validateBatch(batch, 0)),
      [null],
    )
    assert.deepEqual([...readRecords(batches[0]!)].map(readable), expected(magic, logAppendTime, 0))
    assert.equal(header.lastOffset(batches[0]!, 0), 3)
  })

  test(`turns batches back into it: ${name}`, () => {
    const batch = javaBatches.find(
      each => each.magic === 2 && each.compression === compression && each.logAppendTime === logAppendTime,
    )!
    const old = downConvert(Buffer.from(batch.hex, 'hex'), magic === 0 ? 0 : 1)
    assert.deepEqual([...readMessages(old)].map(readable), expected(magic, logAppendTime, 1000))
    // Compressors differ; without one, every byte is the same.
    if (compression === 'none') assert.equal(old.toString('hex'), hex)
  })

  test(`a broken byte gives an error and nothing else: ${name}`, () => {
    for (let at = 0; at < java.length; at++) {
      const spoiled = Buffer.from(java)
      spoiled[at]! ^= 0x21
      try {
        upConvert(spoiled, 1 << 20)
        // The CRC covers all but offset, size and itself; offsets on the outside are given anew.
        assert.ok(at < 8 || compression === 'none', `byte ${at} passed`)
      } catch (error) {
        assert.ok(error instanceof KafkaError, `byte ${at}: ${error}`)
      }
    }
  })
}

test('one set may mix plain and compressed messages; order and offsets hold', () => {
  const of = (compression: string) =>
    Buffer.from(javaBatches.find(each => each.magic === 1 && each.compression === compression)!.hex, 'hex')
  const batches = upConvert(Buffer.concat([of('none'), of('gzip'), of('none'), of('none')]))
  assert.deepEqual(
    batches.map(batch => [header.baseOffset(batch, 0), header.recordCount(batch, 0), header.attributes(batch, 0)]),
    [
      [0, 4, 0],
      [4, 4, 1],
      [8, 8, 0],
    ],
  )
})

test('old consumers get no control batches, no headers, nothing below their offset, and no zstd', () => {
  const value = Buffer.from('v')
  const data = buildBatch({ baseOffset: 5, records: [1, 2, 3].map(timestamp => ({ timestamp, value })) })
  const marker = buildBatch({ baseOffset: 8, control: true, records: [{ timestamp: 4, key: Buffer.alloc(4), value }] })
  const after = buildBatch({ baseOffset: 9, compression: 'lz4', records: [{ timestamp: 5, value }] })
  const old = downConvert(Buffer.concat([data, marker, after]), 1, 6)
  assert.deepEqual(
    [...readMessages(old)].map(each => [each.offset, each.timestamp]),
    [
      [6, 2],
      [7, 3],
      [9, 5],
    ],
  )
  assert.equal(downConvert(marker, 0).length, 0)
  const zstd = buildBatch({ records: [{ timestamp: 1, value }], compression: 'zstd' })
  assert.throws(
    () => downConvert(zstd, 1),
    (error: KafkaError) => error.errorName === 'UNSUPPORTED_COMPRESSION_TYPE',
  )
})

test('refuses sets that are cut off', () => {
  const java = Buffer.from(javaBatches.find(each => each.magic === 1 && each.compression === 'none')!.hex, 'hex')
  for (let length = 1; length < java.length; length++) {
    // Whole messages end there.
    if ([81, 124, 160].includes(length)) assert.equal(upConvert(java.subarray(0, length)).length, 1)
    else assert.throws(() => upConvert(java.subarray(0, length)), isCorrupt, `cut after ${length}`)
  }
})

test('refuses compressed messages inside of compressed ones, of another magic, without a value, and empty ones', () => {
  const inner = Buffer.from(javaBatches.find(each => each.magic === 1 && each.compression === 'gzip')!.hex, 'hex')
  const plain = Buffer.from(javaBatches.find(each => each.magic === 1 && each.compression === 'none')!.hex, 'hex')
  assert.equal(upConvert(wrapped(1, gzipSync(plain))).length, 1)
  assert.throws(() => upConvert(wrapped(1, gzipSync(inner))), isCorrupt)
  assert.throws(() => upConvert(wrapped(0, gzipSync(plain))), isCorrupt)
  assert.throws(() => upConvert(wrapped(1, null)), isCorrupt)
  assert.throws(() => upConvert(wrapped(1, gzipSync(Buffer.alloc(0)))), isCorrupt)
})

test('refuses a bomb before it explodes', () => {
  const value = Buffer.alloc(4 * 1024 * 1024)
  for (const compression of ['gzip', 'snappy', 'lz4'] as const) {
    const bomb = downConvert(buildBatch({ records: [{ timestamp: 1, value }], compression }), 1)
    assert.throws(
      () => upConvert(bomb, 1024 * 1024),
      (error: KafkaError) => error.errorName === 'MESSAGE_TOO_LARGE',
    )
  }
})

/** A message of compression gzip. */
function wrapped(magic: number, value: Buffer | null): Buffer {
  const message = Buffer.alloc((magic === 0 ? 26 : 34) + (value?.length ?? 0))
  message.writeInt32BE(message.length - 12, 8)
  message[16] = magic
  message[17] = 1
  message.writeInt32BE(-1, magic === 0 ? 18 : 26)
  message.writeInt32BE(value?.length ?? -1, magic === 0 ? 22 : 30)
  value?.copy(message, message.length - value.length)
  message.writeUInt32BE(crc32(message, 16, message.length), 12)
  return message
}

function isCorrupt(error: unknown): boolean {
  return error instanceof KafkaError && error.errorName === 'CORRUPT_MESSAGE'
}
