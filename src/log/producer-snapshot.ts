import { int16At, int32At, int64At, putInt16, putInt32, putInt64 } from '../protocol/batches/bytes.ts'
import { crc32c } from '../protocol/batches/crc32c.ts'
import { ProducerEntry } from './producer-entry.ts'

/**
 * Kafka's `.snapshot` file, version 1: int16 version, uint32 CRC-32C of what follows it, int32 count, then for each entry
 * producer id, epoch, last sequence, last offset, offset delta, timestamp, coordinator epoch and first offset of the open
 * transaction (−1: none).
 *
 * Kafka writes a producer's last batch only. We write an entry for each batch that is remembered, oldest first: Kafka, where
 * a later entry replaces an earlier one, reads what it would have written, and we still know all five after a restart.
 */

const version = 1
const crcFrom = 6
const headerBytes = 10
const entryBytes = 46

export function encodeSnapshot(producers: Iterable<ProducerEntry>): Uint8Array {
  const entries = [...producers]
  const rows = entries.reduce((sum, entry) => sum + Math.max(1, entry.batchCount), 0)
  const bytes = new Uint8Array(headerBytes + rows * entryBytes)
  putInt16(bytes, 0, version)
  putInt32(bytes, 6, rows)
  let at = headerBytes
  for (const entry of entries) {
    if (entry.batchCount === 0) at = putEntry(bytes, at, entry, noBatch)
    else for (const batch of entry.batches()) at = putEntry(bytes, at, entry, batch)
  }
  putInt32(bytes, 2, crc32c(bytes, crcFrom))
  return bytes
}

type Batch = { lastSequence: number; lastOffset: number; offsetDelta: number; timestamp: number }

const noBatch: Batch = { lastSequence: -1, lastOffset: -1, offsetDelta: 0, timestamp: -1 }

function putEntry(bytes: Uint8Array, at: number, entry: ProducerEntry, batch: Batch): number {
  putInt64(bytes, at, entry.producerId)
  putInt16(bytes, at + 8, entry.epoch)
  putInt32(bytes, at + 10, batch.lastSequence)
  putInt64(bytes, at + 14, batch.lastOffset)
  putInt32(bytes, at + 22, batch.offsetDelta)
  putInt64(bytes, at + 26, batch.lastOffset === entry.lastOffset ? entry.lastTimestamp : batch.timestamp)
  putInt32(bytes, at + 34, entry.coordinatorEpoch)
  putInt64(bytes, at + 38, entry.currentTxnFirstOffset)
  return at + entryBytes
}

/** Null when the bytes are not an intact snapshot. */
export function decodeSnapshot(bytes: Uint8Array): ProducerEntry[] | null {
  if (bytes.length < headerBytes || int16At(bytes, 0) !== version) return null
  if (int32At(bytes, 2) !== (crc32c(bytes, crcFrom) | 0)) return null
  if (bytes.length !== headerBytes + int32At(bytes, 6) * entryBytes) return null
  const entries = new Map<number, ProducerEntry>()
  for (let at = headerBytes; at < bytes.length; at += entryBytes) {
    const producerId = int64At(bytes, at)
    const entry = entries.get(producerId) ?? new ProducerEntry(producerId)
    entries.set(producerId, entry)
    readEntry(bytes, at, entry)
  }
  return [...entries.values()]
}

function readEntry(bytes: Uint8Array, at: number, entry: ProducerEntry): void {
  const epoch = int16At(bytes, at + 8)
  const lastOffset = int64At(bytes, at + 14)
  const timestamp = int64At(bytes, at + 26)
  if (lastOffset < 0) entry.endTransaction(epoch, timestamp)
  else entry.addBatch(epoch, int32At(bytes, at + 10), lastOffset, int32At(bytes, at + 22), timestamp)
  entry.coordinatorEpoch = int32At(bytes, at + 34)
  entry.currentTxnFirstOffset = int64At(bytes, at + 38)
}
