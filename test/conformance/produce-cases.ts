// Produce requests as no decent client sends them: topics, and for each what is sent to it, in order.
import { type BatchToBuild, buildBatch } from '../../src/protocol/batches/build.ts'
import { putInt16, putInt32, putInt64 } from '../../src/protocol/batches/bytes.ts'
import {
  attributesAt,
  baseSequenceAt,
  batchLengthAt,
  lastOffsetDeltaAt,
  magicAt,
  maxTimestampAt,
  producerEpochAt,
  recordCountAt,
  recordsAt,
  stampCrc,
} from '../../src/protocol/batches/header.ts'
import { downConvert } from '../../src/protocol/batches/legacy-write.ts'

export interface Send {
  readonly what: string
  readonly bytes: Uint8Array
  /** Of Produce. */
  readonly version?: number
  readonly acks?: number
}

export interface TopicCases {
  readonly topic: string
  readonly config: Readonly<Record<string, string>>
  readonly sends: readonly Send[]
}

const hour = 3_600_000
const key = Buffer.from('key')
const value = Buffer.from('value')

export function produceCases(now: number): TopicCases[] {
  const batch = (parts: Partial<BatchToBuild> = {}): Buffer =>
    buildBatch({ records: [0, 1, 2].map(index => ({ timestamp: now - 10 + index, key, value })), ...parts })
  const changed = (change: (bytes: Buffer) => void, parts: Partial<BatchToBuild> = {}): Buffer => {
    const bytes = batch(parts)
    change(bytes)
    stampCrc(bytes, 0)
    return bytes
  }
  const at = (timestamp: number): Buffer => batch({ records: [{ timestamp, key, value }] })
  const keyless = [
    { timestamp: now, key },
    { timestamp: now, value },
  ]
  const flipped = (bytes: Buffer, position: number): Buffer => {
    bytes[position] = bytes[position]! ^ 1
    return bytes
  }
  const from = (producerId: number, producerEpoch: number, baseSequence: number, records = 1): Buffer =>
    batch({
      producerId,
      producerEpoch,
      baseSequence,
      records: Array.from({ length: records }, () => ({ timestamp: now, key, value })),
    })
  const send = (what: string, bytes: Uint8Array, version = 9): Send => ({ what, bytes, version })
  const idempotent = { producerId: 4711, producerEpoch: 0, baseSequence: 0 }
  const last = 0x7fffffff

  return [
    {
      topic: 'framing',
      config: { 'max.message.bytes': '5000' },
      sends: [
        send('a batch', batch()),
        send('nothing', new Uint8Array(0)),
        send('ten bytes', new Uint8Array(10)),
        send('sixteen zeros', new Uint8Array(16)),
        send('a hundred zeros', new Uint8Array(100)),
        send('a header cut off', batch().subarray(0, 40)),
        send('records cut off', batch().subarray(0, 70)),
        send('a batch and part of another', Buffer.concat([batch(), batch().subarray(0, 40)])),
        send('two batches', Buffer.concat([batch(), batch()])),
        send(
          'a length below any',
          changed(bytes => putInt32(bytes, batchLengthAt, 13)),
        ),
        send(
          'a negative length',
          changed(bytes => putInt32(bytes, batchLengthAt, -1)),
        ),
        send(
          'a length below a header',
          changed(bytes => putInt32(bytes, batchLengthAt, 40)),
        ),
        send(
          'a length above all',
          changed(bytes => putInt32(bytes, batchLengthAt, last)),
        ),
        send('magic 3', flipped(batch(), magicAt)),
        send(
          'magic 127',
          changed(bytes => bytes.writeUInt8(127, magicAt)),
        ),
        send(
          'magic -1',
          changed(bytes => bytes.writeUInt8(255, magicAt)),
        ),
        send('a flipped bit in the records', flipped(batch(), 70)),
        send('a flipped bit in the header', flipped(batch(), 40)),
        send('too large', batch({ records: [{ timestamp: now, value: Buffer.alloc(6000) }] })),
        send('too large and damaged', flipped(batch({ records: [{ timestamp: now, value: Buffer.alloc(6000) }] }), 99)),
        send(
          'small by compression',
          batch({ records: [{ timestamp: now, value: Buffer.alloc(6000) }], compression: 'gzip' }),
        ),
        send(
          'codec 5',
          changed(bytes => putInt16(bytes, attributesAt, 5)),
        ),
        send(
          'codec 7',
          changed(bytes => putInt16(bytes, attributesAt, 7)),
        ),
        send(
          'an unknown attribute',
          changed(bytes => putInt16(bytes, attributesAt, 0x80)),
        ),
        send('a delete horizon', batch({ deleteHorizon: now })),
        send('magic 1 in version 9', downConvert(batch(), 1)),
        send('magic 0 in version 3', downConvert(batch(), 0), 3),
        send('version 3', batch(), 3),
        send('version 7', batch(), 7),
        send('a batch, after all', batch()),
      ],
    },
    {
      topic: 'numbers',
      config: {},
      sends: [
        send('a base offset', batch({ baseOffset: 5 })),
        send('a negative base offset', batch({ baseOffset: -5 })),
        send('a leader epoch', batch({ leaderEpoch: 77 })),
        send('no records', batch({ records: [] })),
        send(
          'a count too high',
          changed(bytes => putInt32(bytes, recordCountAt, 4)),
        ),
        send(
          'a count too low',
          changed(bytes => putInt32(bytes, recordCountAt, 2)),
        ),
        send(
          'a negative count',
          changed(bytes => putInt32(bytes, recordCountAt, -1)),
        ),
        send(
          'a last offset delta too low',
          changed(bytes => putInt32(bytes, lastOffsetDeltaAt, 1)),
        ),
        send(
          'a last offset delta too high',
          changed(bytes => putInt32(bytes, lastOffsetDeltaAt, 3)),
        ),
        send(
          'a negative last offset delta',
          changed(bytes => putInt32(bytes, lastOffsetDeltaAt, -1)),
        ),
        send('a control batch', batch({ control: true })),
        send('a control batch of a producer', batch({ ...idempotent, control: true, transactional: true })),
        send(
          'no sequence',
          changed(bytes => putInt32(bytes, baseSequenceAt, -1), idempotent),
        ),
        send(
          'no producer epoch',
          changed(bytes => putInt16(bytes, producerEpochAt, -1), idempotent),
        ),
        send('a sequence without a producer', batch({ baseSequence: 5 })),
        send(
          'damaged gzip with a good CRC',
          changed(bytes => void bytes.fill(0x55, recordsAt), { compression: 'gzip' }),
        ),
        send('a batch, after all', batch()),
      ],
    },
    {
      topic: 'times',
      config: { 'message.timestamp.after.max.ms': String(hour), 'message.timestamp.before.max.ms': String(24 * hour) },
      sends: [
        send('now', at(now)),
        send('none', at(-1)),
        send('23 hours old', at(now - 23 * hour)),
        send('25 hours old', at(now - 25 * hour)),
        send('one of three too old', batch({ records: [now, now - 25 * hour, now].map(timestamp => ({ timestamp })) })),
        send('half an hour ahead', at(now + hour / 2)),
        send('two hours ahead', at(now + 2 * hour)),
        send(
          'the end of time',
          changed(bytes => void bytes.fill(0x7f, maxTimestampAt, maxTimestampAt + 8)),
        ),
        send('in 1970', at(0)),
        send('LogAppendTime by the producer', batch({ logAppendTime: now })),
      ],
    },
    {
      topic: 'defaults',
      config: {},
      sends: [
        send('in 1970', at(0)),
        send('before 1970', at(-5000)),
        send('half an hour ahead', at(now + hour / 2)),
        send('two hours ahead', at(now + 2 * hour)),
        send('LogAppendTime by the producer', batch({ logAppendTime: now })),
        send(
          'a max timestamp too high',
          changed(bytes => putInt64(bytes, maxTimestampAt, now + 5 * hour)),
        ),
      ],
    },
    {
      topic: 'append-time',
      config: { 'message.timestamp.type': 'LogAppendTime' },
      sends: [
        send('now', at(now)),
        send('far ahead', at(now * 2)),
        send('none', at(-1)),
        send('LogAppendTime by the producer', batch({ logAppendTime: now })),
        send('idempotent', from(1, 0, 0)),
        send('idempotent, again', from(1, 0, 0)),
      ],
    },
    {
      topic: 'compacted',
      config: { 'cleanup.policy': 'compact' },
      sends: [
        send('keys', batch()),
        send('no key in the second', batch({ records: keyless })),
        send('no key in the second, gzip', batch({ records: keyless, compression: 'gzip' })),
        send('no key and too far ahead', batch({ records: [{ timestamp: now + 2 * hour, value }] })),
        send('a tombstone', batch({ records: [{ timestamp: now, key, value: null }] })),
      ],
    },
    {
      topic: 'small-segments',
      config: { 'segment.bytes': '1048576', 'max.message.bytes': '2000000' },
      sends: [
        send('below a segment', batch({ records: [{ timestamp: now, value: Buffer.alloc(1_000_000) }] })),
        send('above a segment', batch({ records: [{ timestamp: now, value: Buffer.alloc(1_100_000) }] })),
      ],
    },
    {
      topic: 'gzipped',
      config: { 'compression.type': 'gzip', 'max.message.bytes': '3000' },
      sends: [
        send('plain', batch()),
        send('gzip', batch({ compression: 'gzip' })),
        send('snappy', batch({ compression: 'snappy' })),
        send('lz4', batch({ compression: 'lz4' })),
        send('too large before', batch({ records: [{ timestamp: now, value: Buffer.alloc(4000) }] })),
        send('idempotent', batch({ ...idempotent, compression: 'lz4' })),
        send('idempotent, again', batch({ ...idempotent, compression: 'lz4' })),
      ],
    },
    {
      topic: 'unzipped',
      config: { 'compression.type': 'uncompressed', 'max.message.bytes': '3000' },
      sends: [
        send('gzip', batch({ compression: 'gzip' })),
        send(
          'too large after',
          batch({ records: [{ timestamp: now, value: Buffer.alloc(4000) }], compression: 'gzip' }),
        ),
      ],
    },
    {
      topic: 'sequences',
      config: {},
      sends: [
        send('first', from(1, 0, 0, 3)),
        send('the same', from(1, 0, 0, 3)),
        send('a gap', from(1, 0, 4)),
        send('next', from(1, 0, 3)),
        send('next', from(1, 0, 4)),
        send('next', from(1, 0, 5, 2)),
        send('next', from(1, 0, 7)),
        send('the first of five', from(1, 0, 0, 3)),
        send('the second of five', from(1, 0, 3)),
        send('part of the fourth', from(1, 0, 5)),
        send('the fourth and more', from(1, 0, 5, 3)),
        send('next', from(1, 0, 8)),
        send('the first, out of the window', from(1, 0, 0, 3)),
        send('the second', from(1, 0, 3)),
        send('a new epoch in the middle', from(1, 1, 9)),
        send('a new epoch from 0', from(1, 1, 0, 2)),
        send('the old epoch', from(1, 0, 9)),
        send('a duplicate of the old epoch', from(1, 0, 8)),
        send('the new epoch again', from(1, 1, 0, 2)),
        send('the new epoch goes on', from(1, 1, 2)),
        send('two epochs on', from(1, 3, 0)),
        send('unknown, in the middle', from(2, 0, 1000)),
        send('unknown, goes on', from(2, 0, 1001)),
        send('unknown, back to 0', from(2, 0, 0)),
        send('to the end', from(3, 0, last - 1)),
        send('the last number', from(3, 0, last)),
        send('round to 0', from(3, 0, 0)),
        send('the last number, again', from(3, 0, last)),
        send('across the end', from(4, 0, last - 1, 4)),
        send('across the end, again', from(4, 0, last - 1, 4)),
        send('behind the end', from(4, 0, 2)),
        send('not idempotent', batch()),
        send('a transaction that nobody began', batch({ ...idempotent, transactional: true })),
      ],
    },
  ]
}
