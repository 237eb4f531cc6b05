import {
  attributes,
  attributesAt,
  baseOffset,
  baseSequence,
  baseTimestamp,
  batchLength,
  batchOverhead,
  compressionBits,
  controlBit,
  crc,
  expectedCrc,
  lastOffsetDelta,
  lastOffsetDeltaAt,
  logAppendTimeBit,
  logOverhead,
  magic,
  magicAt,
  maxTimestamp,
  producerEpoch,
  producerId,
  recordCount,
  transactionalBit,
} from '../protocol/batches/header.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { LogConfig } from './log-config.ts'

/** Of a message of magic 0 without key and value, the smallest thing there ever was. */
const smallestLength = 14

/**
 * May this batch of a client be appended? By its header and its CRC alone: the records stay unread. The order of the
 * questions is Kafka's (UnifiedLog and LogValidator), so that a batch with several faults gets the same answer. Returns the
 * bytes that the batch takes; a cut-off batch behind it is passed over. Throws KafkaError.
 */
export function checkProducedBatch(bytes: Uint8Array, config: LogConfig): number {
  const size = checkFraming(bytes)
  if (holdsWholeBatch(bytes, size)) throw invalid('A produce request holds exactly one record batch for a partition')
  if (baseOffset(bytes, 0) !== 0) throw invalid(`The batch's base offset is ${baseOffset(bytes, 0)}, it must be 0`)
  checkSize(size, config)
  const expected = expectedCrc(bytes, 0)
  if (expected !== crc(bytes, 0))
    throw corrupt(`The batch's CRC-32C is ${crc(bytes, 0)}, its bytes give ${expected}: it was damaged on its way`)
  checkNumbers(bytes)
  return size
}

/**
 * What a version of Produce allows, before the log is asked: from 3 on nothing but magic 2 (KIP-98), before 7 no zstd
 * (KIP-110), no transaction without its id. Throws INVALID_RECORD, UNSUPPORTED_COMPRESSION_TYPE,
 * TRANSACTIONAL_ID_AUTHORIZATION_FAILED.
 */
export function checkProduceVersion(bytes: Uint8Array, version: number, transactionalId: string | null): void {
  if (version < 3 || bytes.length < lastOffsetDeltaAt) return
  // Nonsense is for the log to refuse.
  if (magic(bytes, 0) > 2 || batchLength(bytes, 0) < smallestLength) return
  if (magic(bytes, 0) < 2) throw invalid(`Produce version ${version} takes no records of magic ${magic(bytes, 0)}`)
  const flags = attributes(bytes, 0)
  if ((flags & transactionalBit) !== 0 && transactionalId === null)
    throw new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'The batch is transactional, the request is not')
  if (version < 7 && (flags & compressionBits) === 4)
    throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', `Produce version ${version} does not know zstd`)
}

/** Throws MESSAGE_TOO_LARGE for more bytes than `max.message.bytes`. */
export function checkSize(size: number, config: LogConfig): void {
  if (size > config.maxMessageBytes)
    throw new KafkaError(
      'MESSAGE_TOO_LARGE',
      `The batch has ${size} bytes; the topic's max.message.bytes is ${config.maxMessageBytes}`,
    )
}

/** Throws RECORD_LIST_TOO_LARGE for more bytes than `segment.bytes`. */
export function checkFitsSegment(size: number, config: LogConfig): void {
  if (size > config.segmentBytes)
    throw new KafkaError(
      'RECORD_LIST_TOO_LARGE',
      `The batch has ${size} bytes; the topic's segment.bytes is ${config.segmentBytes}`,
    )
}

/** Length and magic: throws CORRUPT_MESSAGE, or INVALID_RECORD when not even one batch is whole. Returns its size in bytes. */
function checkFraming(bytes: Uint8Array): number {
  if (bytes.length < logOverhead) throw invalid('There is no record batch')
  const length = batchLength(bytes, 0)
  if (length < smallestLength) throw corrupt(`The batch's length ${length} is too small`)
  if (bytes.length <= magicAt) throw invalid('The record batch is cut off in its header')
  if (magic(bytes, 0) > 2) throw corrupt(`The batch has magic ${magic(bytes, 0)}; 2 is the newest there is`)
  const size = logOverhead + length
  if (size > bytes.length) throw invalid(`The record batch is cut off: ${bytes.length} of ${size} bytes are there`)
  if (size < batchOverhead) throw corrupt(`The batch's length ${length} is too small`)
  return size
}

function holdsWholeBatch(bytes: Uint8Array, at: number): boolean {
  const left = bytes.length - at
  return left > magicAt && batchLength(bytes, at) <= left - logOverhead
}

/** Offsets, count, kind and producer: throws INVALID_RECORD, or INVALID_TXN_STATE for a transaction nobody knows. */
function checkNumbers(bytes: Uint8Array): void {
  const count = recordCount(bytes, 0)
  if (count <= 0) throw invalid(`The batch counts ${count} records`)
  if (lastOffsetDelta(bytes, 0) !== count - 1)
    throw invalid(`The batch counts ${count} records, but its last offset delta is ${lastOffsetDelta(bytes, 0)}`)
  const flags = attributes(bytes, 0)
  if ((flags & controlBit) !== 0) throw invalid('Clients may not write control batches')
  if (producerId(bytes, 0) >= 0) {
    if (baseSequence(bytes, 0) < 0) throw invalid('A batch with a producer id needs a base sequence')
    if (producerEpoch(bytes, 0) < 0) throw invalid('A batch with a producer id needs a producer epoch')
  }
  if (!Number.isSafeInteger(producerId(bytes, 0))) throw invalid('The producer id is none that we gave out')
  if ((flags & transactionalBit) !== 0)
    throw new KafkaError('INVALID_TXN_STATE', 'The batch belongs to a transaction that is not open here')
  const codec = bytes[attributesAt + 1]! & 0x07
  if (codec > 4) throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', `There is no compression type ${codec}`)
}

/**
 * Of the header alone; `message.timestamp.before.max.ms` needs the records. Throws INVALID_TIMESTAMP, also where Kafka would
 * look into the records and correct a header that lies.
 */
export function checkTimestamps(bytes: Uint8Array, config: LogConfig, now: number): void {
  const newest = maxTimestamp(bytes, 0)
  if (!Number.isSafeInteger(newest) || !Number.isSafeInteger(baseTimestamp(bytes, 0)))
    throw new KafkaError('INVALID_TIMESTAMP', 'The timestamps are no milliseconds since 1970')
  if (config.messageTimestampType === 'CreateTime') {
    if (newest - now > config.messageTimestampAfterMaxMs)
      throw new KafkaError(
        'INVALID_TIMESTAMP',
        `The timestamp ${newest} lies too far ahead: message.timestamp.after.max.ms is ${config.messageTimestampAfterMaxMs}`,
      )
  } else if ((attributes(bytes, 0) & logAppendTimeBit) !== 0)
    throw new KafkaError('INVALID_TIMESTAMP', 'Producers may not set the timestamp type to LogAppendTime')
}

function invalid(message: string): KafkaError {
  return new KafkaError('INVALID_RECORD', message)
}

function corrupt(message: string): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', message)
}
