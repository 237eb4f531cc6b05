import { codecOf } from '../compression/compression.ts'
import { breakHeaderChecksum } from '../compression/lz4.ts'
import { KafkaError } from '../errors.ts'
import { putInt32, putInt64 } from './bytes.ts'
import { attributes, compressionBits, controlBit, logAppendTimeBit, maxTimestamp } from './header.ts'
import { iterateBatches } from './iterate.ts'
import {
  crc32,
  defaultMaxMessageSetBytes,
  messageAppendTimeBit,
  messageCrcAt,
  messageMagicAt,
  messageOverhead,
  messageTimestampAt,
} from './legacy.ts'
import { type KafkaRecord, readRecords } from './records.ts'

/**
 * A message set of magic 0 or 1 with the records of whole batches of magic 2, for consumers of Fetch below version 4. Keeps
 * offsets and codecs; drops headers, control batches, what lies below `from`, and with magic 0 timestamps. The last offset
 * may be lost with a control batch at the end: then the set can be empty. zstd, which no such consumer knows, throws
 * UNSUPPORTED_COMPRESSION_TYPE.
 */
export function downConvert(bytes: Uint8Array, magic: 0 | 1, from = 0, maxBytes = defaultMaxMessageSetBytes): Buffer {
  const sets: Buffer[] = []
  for (const batch of iterateBatches(bytes)) {
    if ((batch.attributes & controlBit) !== 0 || batch.lastOffset < from) continue
    const records: KafkaRecord[] = []
    const compression = batch.attributes & compressionBits
    if (compression > 3) throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', 'zstd needs Fetch version 10 or newer')
    for (const record of readRecords(bytes, batch.position, maxBytes)) if (record.offset >= from) records.push(record)
    if (records.length > 0) sets.push(toMessages(bytes, batch.position, records, magic, compression))
  }
  return sets.length === 1 ? sets[0]! : Buffer.concat(sets)
}

function toMessages(
  bytes: Uint8Array,
  at: number,
  records: readonly KafkaRecord[],
  magic: 0 | 1,
  compression: number,
): Buffer {
  const timeBit = magic === 1 && (attributes(bytes, at) & logAppendTimeBit) !== 0 ? messageAppendTimeBit : 0
  // Inside of a compressed message, magic 1 counts from the first (KIP-31).
  const base = compression !== 0 && magic === 1 ? records[0]!.offset : 0
  const plain = Buffer.concat(
    records.map(record =>
      message(magic, timeBit, record.offset - base, record.timestamp, record.key, record.value ?? null),
    ),
  )
  if (compression === 0) return plain
  const value = codecOf(compression).compress(plain)
  if (compression === 3 && magic === 0) breakHeaderChecksum(value)
  return message(magic, timeBit | compression, records.at(-1)!.offset, maxTimestamp(bytes, at), null, value)
}

function message(
  magic: 0 | 1,
  attributes: number,
  offset: number,
  timestamp: number,
  key: Uint8Array | null,
  value: Uint8Array | null,
): Buffer {
  const keyAt = magic === 0 ? 18 : 26
  const bytes = Buffer.allocUnsafe(keyAt + 8 + (key?.length ?? 0) + (value?.length ?? 0))
  putInt64(bytes, 0, offset)
  putInt32(bytes, 8, bytes.length - messageOverhead)
  bytes[messageMagicAt] = magic
  bytes[17] = attributes
  if (magic === 1) putInt64(bytes, messageTimestampAt, timestamp)
  const end = putField(bytes, putField(bytes, keyAt, key), value)
  putInt32(bytes, messageCrcAt, crc32(bytes, messageMagicAt, end))
  return bytes
}

function putField(bytes: Uint8Array, at: number, field: Uint8Array | null): number {
  putInt32(bytes, at, field?.length ?? -1)
  if (field === null) return at + 4
  bytes.set(field, at + 4)
  return at + 4 + field.length
}
