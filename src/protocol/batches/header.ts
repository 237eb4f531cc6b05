import { int16At, int32At, int64At, putInt16, putInt32, putInt64 } from './bytes.ts'
import { crc32c } from './crc32c.ts'

/**
 * The fixed part of a record batch of magic 2 (KIP-98). Batches stay opaque bytes from socket to disk to socket; this reads
 * and stamps their headers in place. `at` is always the position of a batch's first byte.
 *
 *     0 base offset   8 length after this field   12 leader epoch   16 magic   17 CRC-32C of all that follows it
 *     21 attributes   23 last offset delta   27 base timestamp   35 max timestamp
 *     43 producer id   51 producer epoch   53 base sequence   57 record count   61 records
 */

/** What a store must know of a batch to file it; all of it stands in the batch's own header. */
export interface BatchSummary {
  readonly baseOffset: number
  readonly lastOffset: number
  /** Bytes from the batch's first to its last, header included. */
  readonly sizeInBytes: number
  /** ms; −1 when no record has a timestamp. */
  readonly maxTimestamp: number
  readonly leaderEpoch: number
}

/** The whole header but magic and CRC: what recovery and producer state need. */
export interface BatchHeader extends BatchSummary {
  /** Bits: see `compressionBits`, `logAppendTimeBit`, `transactionalBit`, `controlBit`, `deleteHorizonBit`. */
  readonly attributes: number
  /** ms. With `deleteHorizonBit` it is the time from which tombstones may go. */
  readonly baseTimestamp: number
  /** −1: none. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly lastOffsetDelta: number
  readonly recordCount: number
}

/** Bytes of base offset and length, which `batchLength` does not count. */
export const logOverhead = 12
/** Bytes before the first record: the smallest batch there is. */
export const batchOverhead = 61
/** Where the bytes begin that the CRC covers. Base offset and leader epoch lie before it and can be stamped freely. */
export const crcCoversFrom = 21

export const baseOffsetAt = 0
export const batchLengthAt = 8
export const leaderEpochAt = 12
export const magicAt = 16
export const crcAt = 17
export const attributesAt = 21
export const lastOffsetDeltaAt = 23
export const baseTimestampAt = 27
export const maxTimestampAt = 35
export const producerIdAt = 43
export const producerEpochAt = 51
export const baseSequenceAt = 53
export const recordCountAt = 57
export const recordsAt = 61

/** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
export const compressionBits = 0x07
/** All records carry the header's max timestamp, the time at which the leader appended them. */
export const logAppendTimeBit = 0x08
export const transactionalBit = 0x10
/** The one record is a transaction marker, or Raft's own. */
export const controlBit = 0x20
export const deleteHorizonBit = 0x40

export const baseOffset = (bytes: Uint8Array, at: number): number => int64At(bytes, at)
export const batchLength = (bytes: Uint8Array, at: number): number => int32At(bytes, at + batchLengthAt)
/** Bytes of the whole batch. */
export const sizeInBytes = (bytes: Uint8Array, at: number): number => logOverhead + batchLength(bytes, at)
export const leaderEpoch = (bytes: Uint8Array, at: number): number => int32At(bytes, at + leaderEpochAt)
export const magic = (bytes: Uint8Array, at: number): number => bytes[at + magicAt]!
export const crc = (bytes: Uint8Array, at: number): number => int32At(bytes, at + crcAt) >>> 0
export const attributes = (bytes: Uint8Array, at: number): number => int16At(bytes, at + attributesAt)
export const lastOffsetDelta = (bytes: Uint8Array, at: number): number => int32At(bytes, at + lastOffsetDeltaAt)
export const lastOffset = (bytes: Uint8Array, at: number): number => int64At(bytes, at) + lastOffsetDelta(bytes, at)
export const baseTimestamp = (bytes: Uint8Array, at: number): number => int64At(bytes, at + baseTimestampAt)
export const maxTimestamp = (bytes: Uint8Array, at: number): number => int64At(bytes, at + maxTimestampAt)
export const producerId = (bytes: Uint8Array, at: number): number => int64At(bytes, at + producerIdAt)
export const producerEpoch = (bytes: Uint8Array, at: number): number => int16At(bytes, at + producerEpochAt)
export const baseSequence = (bytes: Uint8Array, at: number): number => int32At(bytes, at + baseSequenceAt)
export const recordCount = (bytes: Uint8Array, at: number): number => int32At(bytes, at + recordCountAt)

/** Reads `batchOverhead` bytes, which must be there; checks nothing. */
export function readHeader(bytes: Uint8Array, at: number): BatchHeader {
  const base = int64At(bytes, at)
  const delta = lastOffsetDelta(bytes, at)
  return {
    baseOffset: base,
    lastOffset: base + delta,
    sizeInBytes: sizeInBytes(bytes, at),
    maxTimestamp: maxTimestamp(bytes, at),
    leaderEpoch: leaderEpoch(bytes, at),
    attributes: attributes(bytes, at),
    baseTimestamp: baseTimestamp(bytes, at),
    producerId: producerId(bytes, at),
    producerEpoch: producerEpoch(bytes, at),
    baseSequence: baseSequence(bytes, at),
    lastOffsetDelta: delta,
    recordCount: recordCount(bytes, at),
  }
}

/** Gives a batch its place in the log. Both fields lie outside of the CRC. */
export function stamp(bytes: Uint8Array, at: number, baseOffset: number, leaderEpoch: number): void {
  putInt64(bytes, at, baseOffset)
  putInt32(bytes, at + leaderEpochAt, leaderEpoch)
}

/** Makes `timestamp` (ms) the time of all records: timestamp type, max timestamp and the CRC change (KIP-32). */
export function stampLogAppendTime(bytes: Uint8Array, at: number, timestamp: number): void {
  putInt16(bytes, at + attributesAt, attributes(bytes, at) | logAppendTimeBit)
  putInt64(bytes, at + maxTimestampAt, timestamp)
  stampCrc(bytes, at)
}

/** Writes the CRC that the batch ought to have. */
export function stampCrc(bytes: Uint8Array, at: number): void {
  putInt32(bytes, at + crcAt, expectedCrc(bytes, at))
}

/** The CRC that the batch ought to have; its length must have been checked. */
export function expectedCrc(bytes: Uint8Array, at: number): number {
  return crc32c(bytes, at + crcCoversFrom, at + sizeInBytes(bytes, at))
}
