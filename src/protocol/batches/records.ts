import { codecOf } from '../compression/compression.ts'
import { KafkaError } from '../errors.ts'
import { ProtocolError } from '../protocol-error.ts'
import { Reader } from '../reader.ts'
import {
  attributes,
  baseOffset,
  baseTimestamp,
  compressionBits,
  logAppendTimeBit,
  maxTimestamp,
  recordCount,
  recordsAt,
  sizeInBytes,
} from './header.ts'

/** The records inside of a batch, for the few who need them: compaction, coordinators, gateways, the CLI and the client. */

export interface RecordHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

export interface KafkaRecord {
  readonly offset: number
  /** ms since 1970; −1: none. */
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
}

/**
 * What a batch may decompress to, in bytes. Sixty-four times the largest batch that Kafka takes by default: text reaches
 * ratios of twenty, so only bombs and wasteful topics come near, and one batch still fits easily into a small node's memory.
 */
export const defaultMaxDecompressedBytes = 64 * 1024 * 1024

const noHeaders: readonly RecordHeader[] = []

/**
 * The records of the batch at `at`, in order. Keys and values are views: of `bytes`, or of what was decompressed. The batch's
 * header must have been checked (`validateBatch`), the records need not. Throws CORRUPT_MESSAGE, MESSAGE_TOO_LARGE, and for
 * zstd an ordinary error when `loadCompression` has not been awaited (see `loadRecords`).
 */
export function* readRecords(
  bytes: Uint8Array,
  at = 0,
  maxBytes = defaultMaxDecompressedBytes,
): Generator<KafkaRecord, void, void> {
  const count = recordCount(bytes, at)
  const bits = attributes(bytes, at)
  const base = baseOffset(bytes, at)
  const firstTimestamp = baseTimestamp(bytes, at)
  const appendTime = (bits & logAppendTimeBit) !== 0 ? maxTimestamp(bytes, at) : null
  const reader = new Reader(recordBytes(bytes, at, maxBytes))
  for (let read = 0; read < count; read++) yield readRecord(reader, base, firstTimestamp, appendTime)
  if (reader.remaining > 0) throw corrupt(`${reader.remaining} bytes after the last of ${count} records`)
}

/** The record section of the batch at `at`, decompressed: a view of `bytes` when there was nothing to decompress. */
export function recordBytes(bytes: Uint8Array, at: number, maxBytes = defaultMaxDecompressedBytes): Uint8Array {
  const section = bytes.subarray(at + recordsAt, at + sizeInBytes(bytes, at))
  const compression = attributes(bytes, at) & compressionBits
  // Uncompressed bytes are there already; the limit is for what would have to be made.
  return compression === 0 ? section : codecOf(compression).decompress(section, maxBytes)
}

function readRecord(reader: Reader, base: number, firstTimestamp: number, appendTime: number | null): KafkaRecord {
  try {
    const length = reader.varint()
    const end = reader.position + length
    if (length < 0 || length > reader.remaining) throw corrupt(`a record of ${length} bytes, ${reader.remaining} left`)
    reader.int8() // attributes: none are defined
    const timestamp = firstTimestamp + reader.varlong()
    const offset = base + reader.varint()
    const key = readBytes(reader)
    const value = readBytes(reader)
    const headers = readHeaders(reader, end)
    if (reader.position !== end) throw corrupt('a record is not as long as it says')
    if (!Number.isSafeInteger(timestamp)) throw corrupt('a timestamp is out of range')
    return { offset, timestamp: appendTime ?? timestamp, key, value, headers }
  } catch (error) {
    throw error instanceof ProtocolError ? corrupt(error.message) : error
  }
}

function readHeaders(reader: Reader, end: number): readonly RecordHeader[] {
  const count = reader.varint()
  if (count === 0) return noHeaders
  // Each takes two bytes at least.
  if (count < 0 || count > (end - reader.position) / 2) throw corrupt(`a record with ${count} headers`)
  const headers: RecordHeader[] = []
  for (let i = 0; i < count; i++) {
    const key = readBytes(reader)
    if (key === null) throw corrupt('a header without a key')
    headers.push({ key: Buffer.from(key.buffer, key.byteOffset, key.length).toString(), value: readBytes(reader) })
  }
  return headers
}

function readBytes(reader: Reader): Uint8Array | null {
  const length = reader.varint()
  if (length < 0) return null
  if (length > reader.remaining) throw corrupt(`a field of ${length} bytes, ${reader.remaining} left`)
  const from = reader.position
  reader.position += length
  return reader.buffer.subarray(from, from + length)
}

function corrupt(reason: string): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', reason)
}
