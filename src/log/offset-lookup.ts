import { attributes, compressionBits, leaderEpoch, sizeInBytes } from '../protocol/batches/header.ts'
import { readRecords } from '../protocol/batches/records.ts'
import { loadCompression } from '../protocol/compression/compression.ts'
import type { Store } from '../store/store.ts'

export interface TimestampOffset {
  readonly offset: number
  /** ms. */
  readonly timestamp: number
  /** −1: not known. */
  readonly leaderEpoch: number
}

/** A batch of more records is not searched: its beginning is near enough for what no real producer sends. */
const mostRead = 500_000

/** The first record at or above `startOffset` whose timestamp is ≥ `timestamp`; null when there is none. */
export async function findTimestamp(
  store: Store,
  timestamp: number,
  startOffset: number,
): Promise<TimestampOffset | null> {
  const first = await store.batchForTimestamp(timestamp)
  if (first === null) return null
  // The index knows nothing of records that were deleted from the head: from there on, header by header.
  for (const batch of store.scan(Math.max(first, startOffset))) {
    // Compaction leaves batches without records.
    if (batch.maxTimestamp < timestamp || batch.recordCount === 0) continue
    const found =
      batch.recordCount > mostRead ? null : await recordFrom(store, batch.baseOffset, timestamp, startOffset)
    if (found !== null) return found
    // Unless its head was deleted, the batch says of itself what its records do not hold. It is believed, for otherwise
    // a producer could make us open everything that it ever wrote.
    const { baseOffset, maxTimestamp, leaderEpoch } = batch
    if (baseOffset >= startOffset) return { offset: baseOffset, timestamp: maxTimestamp, leaderEpoch }
  }
  return null
}

/** The first record at or above `startOffset` with the newest timestamp; null when no record has one. */
export async function findMaxTimestamp(store: Store, startOffset: number): Promise<TimestampOffset | null> {
  const newest = store.segments().reduce((max, segment) => Math.max(max, segment.maxTimestamp), -1)
  return newest < 0 ? null : findTimestamp(store, newest, startOffset)
}

async function recordFrom(
  store: Store,
  batchOffset: number,
  earliest: number,
  startOffset: number,
): Promise<TimestampOffset | null> {
  const [bytes] = await store.read(batchOffset, 1, store.endOffset)
  if (bytes === undefined) return null
  const batch = bytes.subarray(0, sizeInBytes(bytes, 0))
  await loadCompression(attributes(batch, 0) & compressionBits)
  for (const { offset, timestamp } of readRecords(batch)) {
    if (offset >= startOffset && timestamp >= earliest) return { offset, timestamp, leaderEpoch: leaderEpoch(batch, 0) }
  }
  return null
}
