import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compressionTypes, loadCompression } from '../compression/compression.ts'
import { KafkaError } from '../errors.ts'
import { type BatchToBuild, buildBatch, recordSize } from './build.ts'
import { putInt32 } from './bytes.ts'
import * as header from './header.ts'
import { validateBatch } from './iterate.ts'
import { javaBatches, javaRecords } from './java.test.data.ts'
import { recompress } from './recompress.ts'
import { type KafkaRecord, readRecords } from './records.ts'

await loadCompression(4)

const bytesOf = (text: string | null) => (text === null ? null : Buffer.from(text))
const textOf = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString())

/** Keys and values as text, so that they compare by content. */
function readable(record: KafkaRecord) {
  const headers = record.headers.map(({ key, value }) => ({ key, value: textOf(value) }))
  return { ...record, key: textOf(record.key), value: textOf(record.value), headers }
}

const expected = (logAppendTime: boolean) =>
  javaRecords.map((record, i) => ({
    ...record,
    offset: 1000 + i,
    timestamp: logAppendTime ? 1700000009999 : record.timestamp,
  }))

const javaAsBuilt: BatchToBuild = {
  records: javaRecords.map(({ timestamp, key, value, headers }) => ({
    timestamp,
    key: bytesOf(key),
    value: bytesOf(value),
    headers: headers.map(each => ({ key: each.key, value: bytesOf(each.value) })),
  })),
  baseOffset: 1000,
  leaderEpoch: 5,
  producerId: 77,
  producerEpoch: 3,
  baseSequence: 40,
}

for (const { magic, compression, logAppendTime, hex } of javaBatches) {
  if (magic !== 2) continue
  const time = logAppendTime ? ', log append time' : ''
  const java = Buffer.from(hex, 'hex')

  test(`reads what Kafka wrote: ${compression}${time}`, () => {
    assert.equal(validateBatch(java, 0), null)
    assert.deepEqual([...readRecords(java)].map(readable), expected(logAppendTime))
  })

  test(`builds the same batch: ${compression}${time}`, () => {
    const ours = buildBatch({ ...javaAsBuilt, compression, ...(logAppendTime ? { logAppendTime: 1700000009999 } : {}) })
    assert.equal(validateBatch(ours, 0), null)
    assert.deepEqual([...readRecords(ours)].map(readable), expected(logAppendTime))
    const { sizeInBytes: ourSize, ...ourHeader } = header.readHeader(ours, 0)
    const { sizeInBytes: javaSize, ...javaHeader } = header.readHeader(java, 0)
    assert.deepEqual(ourHeader, javaHeader)
    // Compressors differ; without one, every byte is the same.
    if (compression === 'none') assert.equal(ours.toString('hex'), hex)
  })

  for (const type of compressionTypes) {
    test(`packs ${compression}${time} anew as ${type}`, () => {
      const packed = recompress(java, 0, type)
      if (type === compression) return assert.equal(packed, null)
      assert.equal(validateBatch(packed!, 0), null)
      assert.equal(header.attributes(packed!, 0) & header.compressionBits, compressionTypes.indexOf(type))
      assert.deepEqual([...readRecords(packed!)].map(readable), expected(logAppendTime))
      assert.equal(header.producerId(packed!, 0), 77)
    })
  }
}

const bytes = fc.option(fc.uint8Array({ maxLength: 200 }), { nil: null })
const record = fc.record({
  timestamp: fc.integer({ min: -1, max: 4102444800000 }),
  key: bytes,
  value: bytes,
  headers: fc.array(fc.record({ key: fc.string({ maxLength: 20 }), value: bytes }), { maxLength: 4 }),
})

test('what is built is read back, in every codec', () => {
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 20 }),
      fc.constantFrom(...compressionTypes),
      fc.nat(2 ** 40),
      (records, compression, baseOffset) => {
        const built = buildBatch({ records, compression, baseOffset })
        assert.equal(validateBatch(built, 0), null)
        const read = [...readRecords(built)]
        assert.deepEqual(
          read.map(each => [each.offset - baseOffset, each.timestamp, plain(each.key), plain(each.value)]),
          records.map((each, i) => [i, each.timestamp, plain(each.key), plain(each.value)]),
        )
        assert.deepEqual(
          read.map(each => each.headers.map(one => [one.key, plain(one.value)])),
          records.map(each => each.headers.map(one => [one.key, plain(one.value)])),
        )
        assert.equal(header.maxTimestamp(built, 0), Math.max(-1, ...records.map(each => each.timestamp)))
      },
    ),
    { numRuns: 150, seed: 20240601 },
  )
})

function plain(value: Uint8Array | null): number[] | null {
  return value === null ? null : [...value]
}

test('keeps gaps, as compaction leaves them', () => {
  const built = buildBatch({
    baseOffset: 100,
    lastOffset: 120,
    deleteHorizon: 5000,
    records: [
      { offset: 103, timestamp: 9000, value: Buffer.from('x') },
      { offset: 110, timestamp: 4000, value: null },
    ],
  })
  assert.deepEqual(
    [...readRecords(built)].map(each => [each.offset, each.timestamp]),
    [
      [103, 9000],
      [110, 4000],
    ],
  )
  assert.equal(header.lastOffset(built, 0), 120)
  assert.equal(header.baseTimestamp(built, 0), 5000)
  assert.equal(header.attributes(built, 0), header.deleteHorizonBit)
})

test('an empty batch has a header only', () => {
  const built = buildBatch({ records: [], baseOffset: 5, lastOffset: 9 })
  assert.equal(built.length, header.batchOverhead)
  assert.equal(validateBatch(built, 0), null)
  assert.deepEqual([...readRecords(built)], [])
})

test('knows a record’s size before it is written', () => {
  const one = { timestamp: 5, key: Buffer.alloc(300), value: Buffer.alloc(70000), headers: [{ key: 'h', value: null }] }
  const real = buildBatch({ records: [one] }).length - header.batchOverhead
  assert.ok(Math.abs(recordSize(one) - real) < 16)
})

test('refuses records that do not fit their batch', () => {
  const two = buildBatch({ records: [1, 2].map(n => ({ timestamp: 5, value: Buffer.from(`${n}`) })) })
  for (const count of [1, 3, 0x7fffffff]) {
    const spoiled = Buffer.from(two)
    putInt32(spoiled, header.recordCountAt, count)
    assert.throws(() => [...readRecords(spoiled)], isKafkaError)
  }
})

test('refuses a bomb before it explodes', () => {
  const value = Buffer.alloc(4 * 1024 * 1024)
  for (const compression of compressionTypes) {
    if (compression === 'none') continue
    const bomb = buildBatch({ records: [{ timestamp: 1, value }], compression })
    assert.throws(
      () => [...readRecords(bomb, 0, 1024 * 1024)],
      (error: KafkaError) => error.errorName === 'MESSAGE_TOO_LARGE',
      compression,
    )
    assert.equal([...readRecords(bomb, 0, 5 * 1024 * 1024)][0]!.value!.length, value.length)
  }
})

test('broken records give an error and nothing else', () => {
  for (const { magic, hex } of javaBatches) {
    if (magic !== 2) continue
    const java = Buffer.from(hex, 'hex')
    for (let at = header.recordsAt; at < java.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const spoiled = Buffer.from(java)
        spoiled[at]! ^= flip
        try {
          for (const each of readRecords(spoiled, 0, 1 << 20)) assert.ok(each.offset >= 0 || each.offset < 0)
        } catch (error) {
          assert.ok(isKafkaError(error), `byte ${at}: ${error}`)
        }
      }
    }
  }
})

function isKafkaError(error: unknown): boolean {
  return error instanceof KafkaError
}
