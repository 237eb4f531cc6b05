import { type CompressionType, codecOf, compressionId } from '../compression/compression.ts'
import { Writer } from '../writer.ts'
import { putInt16, putInt32, putInt64 } from './bytes.ts'
import {
  attributesAt,
  baseSequenceAt,
  baseTimestampAt,
  batchLengthAt,
  batchOverhead,
  controlBit,
  deleteHorizonBit,
  lastOffsetDeltaAt,
  leaderEpochAt,
  logAppendTimeBit,
  logOverhead,
  magicAt,
  maxTimestampAt,
  producerEpochAt,
  producerIdAt,
  recordCountAt,
  recordsAt,
  stampCrc,
  transactionalBit,
} from './header.ts'
import type { RecordHeader } from './records.ts'

export interface RecordToWrite {
  /** Left out: one more than the record before it, the first at `baseOffset`. */
  readonly offset?: number
  /** ms since 1970; −1: none. */
  readonly timestamp: number
  readonly key?: Uint8Array | null
  readonly value?: Uint8Array | null
  readonly headers?: readonly RecordHeader[]
}

export interface BatchToBuild {
  readonly records: readonly RecordToWrite[]
  /** Default 0: the leader stamps it. */
  readonly baseOffset?: number
  /** Offset of the last record that ever was in the batch, where compaction has removed it. */
  readonly lastOffset?: number
  readonly leaderEpoch?: number
  readonly compression?: CompressionType
  /** As in `compression.<type>.level`. */
  readonly level?: number
  /** Default −1, as the two below: not idempotent. */
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly transactional?: boolean
  readonly control?: boolean
  /** ms: all records carry this time. */
  readonly logAppendTime?: number
  /** ms: from then on compaction may drop the batch's tombstones (KIP-534). */
  readonly deleteHorizon?: number
}

const emptyHeader = new Uint8Array(batchOverhead)

/** A record batch of magic 2. zstd wants `loadCompression` awaited before. */
export function buildBatch(batch: BatchToBuild): Buffer {
  const { records, baseOffset = 0, compression = 'none' } = batch
  const baseTimestamp = batch.deleteHorizon ?? records[0]?.timestamp ?? -1
  const writer = new Writer(batchOverhead + 64 * Math.min(1024, records.length))
  writer.raw(emptyHeader)
  let offset = baseOffset - 1
  let maxTimestamp = -1
  for (const record of records) {
    offset = record.offset ?? offset + 1
    if (record.timestamp > maxTimestamp) maxTimestamp = record.timestamp
    writeRecord(writer, record, record.timestamp - baseTimestamp, offset - baseOffset)
  }
  const id = compressionId(compression)
  const bytes = id === 0 ? writer.toBytes() : compressed(writer.toBytes(), id, batch.level)

  putInt64(bytes, 0, baseOffset)
  putInt32(bytes, batchLengthAt, bytes.length - logOverhead)
  putInt32(bytes, leaderEpochAt, batch.leaderEpoch ?? -1)
  bytes[magicAt] = 2
  putInt16(bytes, attributesAt, id | flags(batch))
  putInt32(bytes, lastOffsetDeltaAt, (batch.lastOffset ?? offset) - baseOffset)
  putInt64(bytes, baseTimestampAt, baseTimestamp)
  putInt64(bytes, maxTimestampAt, batch.logAppendTime ?? maxTimestamp)
  putInt64(bytes, producerIdAt, batch.producerId ?? -1)
  putInt16(bytes, producerEpochAt, batch.producerEpoch ?? -1)
  putInt32(bytes, baseSequenceAt, batch.baseSequence ?? -1)
  putInt32(bytes, recordCountAt, records.length)
  stampCrc(bytes, 0)
  return bytes
}

/** Bytes that a record takes in a batch, give or take the few of its deltas: for who fills batches up to a size. */
export function recordSize(record: RecordToWrite): number {
  return 12 + bodySize(record, 0, 0)
}

/** The batch with its record section compressed; copies, since the section's new size is not known before. */
function compressed(bytes: Uint8Array, id: number, level: number | undefined): Buffer {
  const section = codecOf(id).compress(bytes.subarray(recordsAt), level)
  const batch = Buffer.allocUnsafe(batchOverhead + section.length)
  batch.set(section, recordsAt)
  return batch
}

function flags(batch: BatchToBuild): number {
  return (
    (batch.logAppendTime === undefined ? 0 : logAppendTimeBit) |
    (batch.transactional ? transactionalBit : 0) |
    (batch.control ? controlBit : 0) |
    (batch.deleteHorizon === undefined ? 0 : deleteHorizonBit)
  )
}

function writeRecord(writer: Writer, record: RecordToWrite, timestampDelta: number, offsetDelta: number): void {
  const headers = record.headers ?? []
  writer.varint(bodySize(record, timestampDelta, offsetDelta))
  writer.int8(0) // attributes: none are defined
  writer.varlong(timestampDelta)
  writer.varint(offsetDelta)
  writeBytes(writer, record.key)
  writeBytes(writer, record.value)
  writer.varint(headers.length)
  for (const header of headers) {
    writeBytes(writer, Buffer.from(header.key))
    writeBytes(writer, header.value)
  }
}

function writeBytes(writer: Writer, bytes: Uint8Array | null | undefined): void {
  writer.varint(bytes?.length ?? -1)
  if (bytes != null) writer.raw(bytes)
}

function bodySize(record: RecordToWrite, timestampDelta: number, offsetDelta: number): number {
  const headers = record.headers ?? []
  let size = 1 + varintSize(timestampDelta) + varintSize(offsetDelta) + fieldSize(record.key?.length ?? -1)
  size += fieldSize(record.value?.length ?? -1) + varintSize(headers.length)
  for (const header of headers) {
    size += fieldSize(Buffer.byteLength(header.key)) + fieldSize(header.value?.length ?? -1)
  }
  return size
}

function fieldSize(length: number): number {
  return varintSize(length) + Math.max(0, length)
}

/** Bytes of a number in zigzag form. */
function varintSize(value: number): number {
  let size = 1
  for (let rest = Math.floor((value < 0 ? -(value + 1) : value) / 64); rest > 0; rest = Math.floor(rest / 128)) size++
  return size
}
