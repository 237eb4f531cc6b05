import { codecOf } from '../compression/compression.ts'
import { decompressLz4 } from '../compression/lz4.ts'
import { KafkaError } from '../errors.ts'
import { buildBatch, type RecordToWrite } from './build.ts'
import { int32At, int64At } from './bytes.ts'
import { makeTables, slicedCrc } from './crc32c.ts'
import type { KafkaRecord } from './records.ts'

/**
 * Message sets, the form of records before KIP-98: magic 0, and magic 1 with timestamps (KIP-32). Produce below version 3
 * sends them, Fetch below version 4 wants them. What is stored is always magic 2.
 *
 *     0 offset   8 size of what follows   12 CRC-32 of what follows   16 magic   17 attributes   [18 timestamp]
 *     then key and value, each after its int32 length
 */

export const messageCrcAt = 12
export const messageMagicAt = 16
export const messageTimestampAt = 18
/** Offset and size, which the size does not count. */
export const messageOverhead = 12
export const messageCompressionBits = 0x07
export const messageAppendTimeBit = 0x08

/** What a compressed message may hold, in bytes: less than for batches, since its messages are kept as objects for a moment. */
export const defaultMaxMessageSetBytes = 16 * 1024 * 1024

const tables = makeTables(0xedb88320)

/** CRC-32 as in gzip and Ethernet: the checksum of old messages. */
export function crc32(bytes: Uint8Array, from: number, to: number): number {
  return slicedCrc(tables, bytes, from, to)
}

interface Message {
  readonly offset: number
  readonly magic: number
  readonly attributes: number
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
}

/** True when the bytes begin with an old message. */
export function isMessageSet(bytes: Uint8Array): boolean {
  return bytes.length > messageMagicAt && bytes[messageMagicAt]! < 2
}

/**
 * Record batches of magic 2 with the records of a message set, in order, offsets counted from 0: one batch for each
 * compressed message, one for each run of uncompressed ones. Timestamps are kept; messages of magic 0 have none.
 * Throws CORRUPT_MESSAGE, MESSAGE_TOO_LARGE.
 */
export function upConvert(bytes: Uint8Array, maxBytes = defaultMaxMessageSetBytes): Buffer[] {
  const batches: Buffer[] = []
  let run: RecordToWrite[] = []
  let next = 0
  const flush = (compression: number, appendTime: number | null) => {
    if (run.length === 0) return
    const type = codecOf(compression).type
    const logAppendTime = appendTime === null ? {} : { logAppendTime: appendTime }
    batches.push(buildBatch({ records: run, baseOffset: next, compression: type, ...logAppendTime }))
    next += run.length
    run = []
  }
  for (const message of messages(bytes)) {
    const compression = message.attributes & messageCompressionBits
    if (compression === 0) {
      run.push(plain(message))
      continue
    }
    flush(0, null)
    for (const inner of innerMessages(message, maxBytes)) run.push(plain(inner))
    flush(compression, (message.attributes & messageAppendTimeBit) !== 0 ? message.timestamp : null)
  }
  flush(0, null)
  return batches
}

/** The records of a message set with their offsets, as an old broker stored them. */
export function* readMessages(
  bytes: Uint8Array,
  maxBytes = defaultMaxMessageSetBytes,
): Generator<KafkaRecord, void, void> {
  for (const message of messages(bytes)) {
    if ((message.attributes & messageCompressionBits) === 0) yield { ...plain(message), offset: message.offset }
    else for (const inner of innerMessages(message, maxBytes)) yield { ...plain(inner), offset: inner.offset }
  }
}

function plain(message: Message): Omit<KafkaRecord, 'offset'> {
  return { timestamp: message.timestamp, key: message.key, value: message.value, headers: [] }
}

/** What a compressed message holds, with absolute offsets and the timestamps that count. */
function innerMessages(outer: Message, maxBytes: number): Message[] {
  const compression = outer.attributes & messageCompressionBits
  if (compression > 3) throw corrupt(`compression ${compression} does not exist in messages of magic ${outer.magic}`)
  if (outer.value === null) throw corrupt('a compressed message without a value')
  const content =
    compression === 3 && outer.magic === 0
      ? decompressLz4(outer.value, maxBytes, true)
      : codecOf(compression).decompress(outer.value, maxBytes)
  const inner = [...messages(content)]
  const last = inner.at(-1)
  if (last === undefined) throw corrupt('a compressed message that holds none')
  // Magic 0 has absolute offsets inside; magic 1 counts from 0, and the outer offset is that of the last (KIP-31).
  const base = outer.magic === 0 ? 0 : outer.offset - last.offset
  const appendTime = (outer.attributes & messageAppendTimeBit) !== 0
  return inner.map(message => {
    if (message.magic !== outer.magic) throw corrupt('a message of another magic inside of a compressed one')
    if ((message.attributes & messageCompressionBits) !== 0) throw corrupt('a compressed message inside of another')
    return { ...message, offset: base + message.offset, timestamp: appendTime ? outer.timestamp : message.timestamp }
  })
}

/** Every message on the outside, its CRC compared. */
function* messages(bytes: Uint8Array): Generator<Message, void, void> {
  let at = 0
  while (at < bytes.length) {
    if (bytes.length - at < messageOverhead) throw corrupt('a message is cut off')
    const size = int32At(bytes, at + 8)
    if (size < 0 || size > bytes.length - at - messageOverhead) throw corrupt(`a message of ${size} bytes is cut off`)
    const end = at + messageOverhead + size
    yield readMessage(bytes, at, end)
    at = end
  }
}

function readMessage(bytes: Uint8Array, at: number, end: number): Message {
  if (end - at < messageMagicAt + 1) throw corrupt('a message is too small')
  const magic = bytes[at + messageMagicAt]!
  if (magic > 1) throw corrupt(`a message of magic ${magic}`)
  const keyAt = at + (magic === 0 ? 18 : 26)
  if (end - keyAt < 8) throw corrupt('a message is too small')
  if (crc32(bytes, at + messageMagicAt, end) !== int32At(bytes, at + messageCrcAt) >>> 0) {
    throw corrupt('the CRC of a message is wrong')
  }
  const timestamp = magic === 0 ? -1 : int64At(bytes, at + messageTimestampAt)
  if (!Number.isSafeInteger(timestamp)) throw corrupt('a timestamp is out of range')
  const keyLength = int32At(bytes, keyAt)
  if (keyLength < -1 || keyLength > end - keyAt - 8) throw corrupt(`a key of ${keyLength} bytes`)
  const valueAt = keyAt + 4 + Math.max(0, keyLength)
  const valueLength = int32At(bytes, valueAt)
  if (valueLength < -1 || valueAt + 4 + Math.max(0, valueLength) !== end) {
    throw corrupt(`a value of ${valueLength} bytes`)
  }
  return {
    offset: int64At(bytes, at),
    magic,
    attributes: bytes[at + 17]!,
    timestamp,
    key: keyLength < 0 ? null : bytes.subarray(keyAt + 4, valueAt),
    value: valueLength < 0 ? null : bytes.subarray(valueAt + 4, end),
  }
}

function corrupt(reason: string): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', reason)
}
