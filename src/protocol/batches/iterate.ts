import { KafkaError } from '../errors.ts'
import {
  attributes,
  type BatchHeader,
  baseSequence,
  baseTimestamp,
  batchLength,
  batchOverhead,
  controlBit,
  crc,
  expectedCrc,
  lastOffset,
  lastOffsetDelta,
  logOverhead,
  magic,
  magicAt,
  maxTimestamp,
  producerEpoch,
  producerId,
  readHeader,
  recordCount,
  sizeInBytes,
} from './header.ts'

/** Finding batches in bytes that nobody has checked. Nothing here reads past the end or trusts a length. */

export interface FoundBatch extends BatchHeader {
  /** Of its first byte. */
  readonly position: number
}

/**
 * Headers of the whole batches from `from` on. A batch that is cut off at the end is left out: `wholeBatchesEnd` tells where
 * it begins. Throws CORRUPT_MESSAGE at a batch whose header makes no sense; checks no CRC.
 */
export function* iterateBatches(bytes: Uint8Array, from = 0): Generator<FoundBatch, void, void> {
  let at = from
  while (holdsBatch(bytes, at)) {
    const problem = headerProblem(bytes, at)
    if (problem !== null) throw new KafkaError('CORRUPT_MESSAGE', `${problem}, at byte ${at}`)
    const header = readHeader(bytes, at)
    yield { ...header, position: at }
    at += header.sizeInBytes
  }
}

/** Where the last whole batch ends: `bytes.length`, or the position of a cut-off one. Looks at lengths only. */
export function wholeBatchesEnd(bytes: Uint8Array, from = 0): number {
  let at = from
  while (holdsBatch(bytes, at)) {
    if (sizeInBytes(bytes, at) < batchOverhead) return at
    at += sizeInBytes(bytes, at)
  }
  return at
}

/**
 * Why the bytes at `at` are no intact batch of magic 2, or null when they are one: length, magic, the sense of the numbers
 * and, last because it costs most, the CRC.
 */
export function validateBatch(bytes: Uint8Array, at: number): string | null {
  if (at + logOverhead > bytes.length) return 'the batch is cut off in its header'
  const length = batchLength(bytes, at)
  if (length < batchOverhead - logOverhead) return `the batch's length ${length} is too small`
  if (length > bytes.length - at - logOverhead) return `the batch's length ${length} reaches past the end`
  const problem = headerProblem(bytes, at)
  if (problem !== null) return problem
  const expected = expectedCrc(bytes, at)
  return expected === crc(bytes, at)
    ? null
    : `the batch's CRC is ${hex(crc(bytes, at))}, its bytes give ${hex(expected)}`
}

/**
 * Why a client may not append this batch, beyond `validateBatch`; null when it may. Kafka answers INVALID_RECORD.
 * (Rules of Kafka's LogValidator.)
 */
export function producedBatchProblem(bytes: Uint8Array, at: number): string | null {
  const count = recordCount(bytes, at)
  if (count <= 0) return `the batch counts ${count} records`
  if (lastOffsetDelta(bytes, at) !== count - 1) {
    return `the batch counts ${count} records, but its last offset delta is ${lastOffsetDelta(bytes, at)}`
  }
  if ((attributes(bytes, at) & controlBit) !== 0) return 'clients may not write control batches'
  if (producerId(bytes, at) >= 0 && baseSequence(bytes, at) < 0) return 'a producer id needs a base sequence'
  return null
}

/** True when a whole batch, by its own length, begins at `at`. A nonsensical length counts as whole: it is found out next. */
function holdsBatch(bytes: Uint8Array, at: number): boolean {
  if (bytes.length - at <= magicAt) return false
  const size = sizeInBytes(bytes, at)
  return size <= bytes.length - at
}

/** Expects `at + logOverhead + batchLength` to lie inside. */
function headerProblem(bytes: Uint8Array, at: number): string | null {
  const size = sizeInBytes(bytes, at)
  if (size <= magicAt) return `the batch's length ${batchLength(bytes, at)} is too small`
  if (magic(bytes, at) !== 2) return `the batch has magic ${magic(bytes, at)}, not 2`
  if (size < batchOverhead) return `the batch's length ${batchLength(bytes, at)} is too small`
  if (!Number.isSafeInteger(lastOffset(bytes, at))) return 'the base offset is out of range'
  if (lastOffsetDelta(bytes, at) < 0) return `the last offset delta ${lastOffsetDelta(bytes, at)} is negative`
  if (recordCount(bytes, at) < 0) return `the record count ${recordCount(bytes, at)} is negative`
  if (!Number.isSafeInteger(baseTimestamp(bytes, at))) return 'the base timestamp is out of range'
  if (!Number.isSafeInteger(maxTimestamp(bytes, at))) return 'the max timestamp is out of range'
  if (!Number.isSafeInteger(producerId(bytes, at))) return 'the producer id is out of range'
  if (producerEpoch(bytes, at) < 0 && producerId(bytes, at) >= 0) return 'a producer id needs a producer epoch'
  return null
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}
