import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BatchToBuild, buildBatch } from '../protocol/batches/build.ts'
import { putInt16, putInt32, putInt64 } from '../protocol/batches/bytes.ts'
import {
  attributes,
  attributesAt,
  baseSequenceAt,
  baseTimestampAt,
  batchLengthAt,
  compressionBits,
  lastOffsetDeltaAt,
  logAppendTimeBit,
  magicAt,
  maxTimestampAt,
  producerEpochAt,
  producerIdAt,
  recordCountAt,
  stamp,
  stampCrc,
} from '../protocol/batches/header.ts'
import { validateBatch } from '../protocol/batches/iterate.ts'
import { downConvert } from '../protocol/batches/legacy-write.ts'
import { readRecords } from '../protocol/batches/records.ts'
import type { KafkaError } from '../protocol/errors.ts'
import { admitProduced } from './admission.ts'
import { newCounters } from './counters.ts'
import { defaultLogConfig, type LogConfig } from './log-config.ts'
import { checkProduceVersion } from './produced-batch.ts'

const now = 1_700_000_000_000
const key = Buffer.from('key')
const value = Buffer.from('value')

function batch(parts: Partial<BatchToBuild> = {}): Buffer {
  const records = [0, 1, 2].map(index => ({ timestamp: now - 10 + index, key, value }))
  return buildBatch({ records, ...parts })
}

/** A batch with something in its header changed and the CRC made to fit. */
function changed(change: (bytes: Buffer) => void, parts: Partial<BatchToBuild> = {}): Buffer {
  const bytes = batch(parts)
  change(bytes)
  stampCrc(bytes, 0)
  return bytes
}

/** What becomes of these bytes: the error's name, or null. */
function refusal(bytes: Uint8Array, config: Partial<LogConfig> = {}): string | null {
  try {
    admitProduced(bytes, { ...defaultLogConfig, ...config }, now, newCounters())
    return null
  } catch (error) {
    return (error as KafkaError).errorName ?? String(error)
  }
}

const at = (timestamp: number) => batch({ records: [{ timestamp, key, value }] })
const damaged = batch()
damaged[70] = damaged[70]! ^ 1
const idempotent = { producerId: 7, producerEpoch: 0, baseSequence: 0 }
const codec = (id: number) => changed(bytes => putInt16(bytes, attributesAt, id))

// biome-ignore format: a table
const cases: [what: string, bytes: Uint8Array, expected: string | null, config?: Partial<LogConfig>][] = [
  ['a batch', batch(), null],
  ['an idempotent batch', batch(idempotent), null],
  ['a batch, then part of another', Buffer.concat([batch(), batch().subarray(0, 40)]), null],
  ['nothing', new Uint8Array(0), 'INVALID_RECORD'],
  ['ten bytes', new Uint8Array(10), 'INVALID_RECORD'],
  ['a header cut off', batch().subarray(0, 40), 'INVALID_RECORD'],
  ['records cut off', batch().subarray(0, 70), 'INVALID_RECORD'],
  ['a length below any', changed(bytes => putInt32(bytes, batchLengthAt, 13)), 'CORRUPT_MESSAGE'],
  ['a negative length', changed(bytes => putInt32(bytes, batchLengthAt, -1)), 'CORRUPT_MESSAGE'],
  ['a length below a header', changed(bytes => putInt32(bytes, batchLengthAt, 40)), 'CORRUPT_MESSAGE'],
  ['magic 3', changed(bytes => bytes.writeUInt8(3, magicAt)), 'CORRUPT_MESSAGE'],
  ['magic 255', changed(bytes => bytes.writeUInt8(255, magicAt)), 'CORRUPT_MESSAGE'],
  ['a flipped bit', damaged, 'CORRUPT_MESSAGE'],
  ['two batches', Buffer.concat([batch(), batch()]), 'INVALID_RECORD'],
  ['a base offset', batch({ baseOffset: 1 }), 'INVALID_RECORD'],
  ['no records', batch({ records: [] }), 'INVALID_RECORD'],
  ['too high a count', changed(bytes => putInt32(bytes, recordCountAt, 4)), 'INVALID_RECORD'],
  ['a negative count', changed(bytes => putInt32(bytes, recordCountAt, -1)), 'INVALID_RECORD'],
  ['too low a last offset delta', changed(bytes => putInt32(bytes, lastOffsetDeltaAt, 1)), 'INVALID_RECORD'],
  ['a negative last offset delta', changed(bytes => putInt32(bytes, lastOffsetDeltaAt, -1)), 'INVALID_RECORD'],
  ['a control batch', batch({ control: true }), 'INVALID_RECORD'],
  ['a transaction', batch({ ...idempotent, transactional: true }), 'INVALID_TXN_STATE'],
  ['no sequence', changed(bytes => putInt32(bytes, baseSequenceAt, -1), idempotent), 'INVALID_RECORD'],
  ['no producer epoch', changed(bytes => putInt16(bytes, producerEpochAt, -1), idempotent), 'INVALID_RECORD'],
  ['a producer id of all bits', changed(bytes => bytes.fill(0x7f, producerIdAt, producerEpochAt), idempotent), 'INVALID_RECORD'],
  ['codec 5', codec(5), 'UNSUPPORTED_COMPRESSION_TYPE'],
  ['codec 7', codec(7), 'UNSUPPORTED_COMPRESSION_TYPE'],
  ['an hour ahead', at(now + 3600_000), null],
  ['more than an hour ahead', at(now + 3600_001), 'INVALID_TIMESTAMP'],
  ['the end of time', changed(bytes => bytes.fill(0x7f, maxTimestampAt, producerIdAt)), 'INVALID_TIMESTAMP'],
  ['no timestamp', at(-1), null],
  ['1970', at(0), null],
  ['LogAppendTime of the producer', batch({ logAppendTime: now }), null],
  ['LogAppendTime of the producer and ours', batch({ logAppendTime: now }), 'INVALID_TIMESTAMP', { messageTimestampType: 'LogAppendTime' }],
  ['a base timestamp out of range', changed(bytes => bytes.fill(0x7f, baseTimestampAt, maxTimestampAt)), 'INVALID_TIMESTAMP'],
  ['no key and too far ahead', batch({ records: [{ timestamp: now * 2, value }] }), 'INVALID_RECORD', { compact: true }],
  ['far ahead, where nobody looks', at(now * 2), null, { messageTimestampType: 'LogAppendTime' }],
  ['in time', at(now - 100), null, { messageTimestampBeforeMaxMs: 100 }],
  ['too old', at(now - 101), 'INVALID_TIMESTAMP', { messageTimestampBeforeMaxMs: 100 }],
  ['one of them too old', batch({ records: [now, now - 101, now].map(timestamp => ({ timestamp })) }), 'INVALID_TIMESTAMP', { messageTimestampBeforeMaxMs: 100 }],
  ['without a timestamp never too old', at(-1), null, { messageTimestampBeforeMaxMs: 100 }],
  ['keys, compacted', batch(), null, { compact: true }],
  ['no key, compacted', batch({ records: [{ timestamp: now, value }] }), 'INVALID_RECORD', { compact: true }],
  ['a later one without a key, compacted and gzipped', batch({ records: [{ timestamp: now, key }, { timestamp: now, value }], compression: 'gzip' }), 'INVALID_RECORD', { compact: true }],
  ['no key, not compacted', batch({ records: [{ timestamp: now, value }] }), null],
  ['as large as allowed', batch(), null, { maxMessageBytes: batch().length }],
  ['a byte too large', batch(), 'MESSAGE_TOO_LARGE', { maxMessageBytes: batch().length - 1 }],
  ['too large and damaged: the size is told', damaged, 'MESSAGE_TOO_LARGE', { maxMessageBytes: 50 }],
  ['as large as a segment', batch(), null, { segmentBytes: batch().length }],
  ['larger than a segment', batch(), 'RECORD_LIST_TOO_LARGE', { segmentBytes: batch().length - 1 }],
]

for (const [what, bytes, expected, config] of cases) {
  test(`produced: ${what}`, () => assert.equal(refusal(bytes, config), expected))
}

test('a batch that needs nothing is stored as it came, not copied', () => {
  const bytes = batch()
  assert.equal(admitProduced(bytes, defaultLogConfig, now, newCounters()), bytes)
  const followed = Buffer.concat([bytes, bytes.subarray(0, 40)])
  const admitted = admitProduced(followed, defaultLogConfig, now, newCounters())
  assert.equal(admitted.buffer, followed.buffer)
  assert.deepEqual(Buffer.from(admitted), bytes)
})

test("another codec than the topic's is rewritten, records and producer stay", () => {
  const counters = newCounters()
  const config: LogConfig = { ...defaultLogConfig, compressionType: 'gzip' }
  const produced = batch({ ...idempotent, compression: 'snappy' })
  const stored = admitProduced(produced, config, now, counters)
  assert.equal(attributes(stored, 0) & compressionBits, 1)
  assert.deepEqual([...readRecords(stored)], [...readRecords(produced)])
  assert.equal(counters.converted, 1)
  assert.equal(admitProduced(stored, config, now, counters), stored)
  const plain = admitProduced(stored, { ...config, compressionType: 'uncompressed' }, now, counters)
  assert.equal(attributes(plain, 0) & compressionBits, 0)
  assert.equal(counters.converted, 2)
})

test('what is too large after rewriting is refused', () => {
  const produced = batch({ records: [{ timestamp: now, value: Buffer.alloc(10_000) }], compression: 'gzip' })
  assert.equal(refusal(produced, { compressionType: 'uncompressed', maxMessageBytes: 5_000 }), 'MESSAGE_TOO_LARGE')
})

test('old message sets become one batch, compressed or not', () => {
  for (const magic of [0, 1] as const) {
    for (const compression of ['none', 'gzip', 'snappy', 'lz4'] as const) {
      const produced = batch({ compression })
      const stored = admitProduced(downConvert(produced, magic), defaultLogConfig, now, newCounters())
      const expected = [...readRecords(produced)].map(record => (magic === 0 ? { ...record, timestamp: -1 } : record))
      assert.deepEqual([...readRecords(stored)], expected, `${magic} ${compression}`)
    }
  }
})

test('old message sets are judged as batches are', () => {
  const plain = downConvert(batch(), 1)
  const packed = downConvert(batch({ compression: 'gzip' }), 1)
  const flipped = Buffer.from(plain)
  flipped[plain.length - 1] = 0
  assert.equal(refusal(flipped), 'CORRUPT_MESSAGE')
  assert.equal(refusal(Buffer.concat([packed, packed])), 'INVALID_RECORD')
  assert.equal(refusal(downConvert(at(now * 2), 1)), 'INVALID_TIMESTAMP')
  assert.equal(
    refusal(downConvert(batch({ records: [{ timestamp: now, value }] }), 1), { compact: true }),
    'INVALID_RECORD',
  )
  assert.equal(refusal(plain, { maxMessageBytes: 100 }), 'MESSAGE_TOO_LARGE')
})

test("LogAppendTime is for the broker to say: a producer's word is dropped", () => {
  const stored = admitProduced(batch({ logAppendTime: now }), defaultLogConfig, now, newCounters())
  assert.equal(attributes(stored, 0) & logAppendTimeBit, 0)
  assert.equal(validateBatch(stored, 0), null)
})

test('what is admitted, recovery will not call damaged', () => {
  let dice = 1
  const roll = (below: number): number => {
    dice = (dice * 48271) % 0x7fffffff
    return dice % below
  }
  let admitted = 0
  for (let round = 0; round < 20_000; round++) {
    const bytes = batch(roll(2) === 0 ? idempotent : {})
    for (let edits = roll(3); edits >= 0; edits--) {
      const position = roll(recordCountAt + 4)
      if (position < batchLengthAt || position > magicAt) bytes[position] = roll(4) === 0 ? 0xff : roll(256)
    }
    putInt64(bytes, 0, 0)
    stampCrc(bytes, 0)
    if (refusal(bytes) !== null) continue
    admitted++
    stamp(bytes, 0, 1_000, 5)
    assert.equal(validateBatch(bytes, 0), null)
  }
  assert.ok(admitted > 1_000, `${admitted}`)
})

test('what a version of Produce allows', () => {
  const transactional = batch({ ...idempotent, transactional: true })
  const zstd = codec(4)
  const cases: [what: string, bytes: Uint8Array, version: number, transactionalId: string | null, string | null][] = [
    ['magic 2', batch(), 3, null, null],
    ['magic 1', downConvert(batch(), 1), 2, null, null],
    ['magic 1', downConvert(batch(), 1), 3, null, 'INVALID_RECORD'],
    ['magic 0', downConvert(batch(), 0), 9, null, 'INVALID_RECORD'],
    ['zstd', zstd, 6, null, 'UNSUPPORTED_COMPRESSION_TYPE'],
    ['zstd', zstd, 7, null, null],
    ['a transaction', transactional, 9, null, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'],
    ['a transaction', transactional, 9, 'id', null],
    ['ten bytes', new Uint8Array(10), 9, null, null],
  ]
  for (const [what, bytes, version, transactionalId, expected] of cases) {
    let refused: string | null = null
    try {
      checkProduceVersion(bytes, version, transactionalId)
    } catch (error) {
      refused = (error as KafkaError).errorName
    }
    assert.equal(refused, expected, `${what} in version ${version}`)
  }
})
