import type { BatchSummary, StoreOptions } from './store.ts'

/** What decides whether a segment takes further batches. */
export interface FillLevel {
  readonly baseOffset: number
  readonly sizeInBytes: number
  /** ms of the segment's first batch; −1 when it has none. */
  readonly firstTimestamp: number
  /** Entries in its offset index. */
  readonly indexEntries: number
}

/** Offsets in indexes are int32, relative to the segment's first. */
const maxRelativeOffset = 0x7fffffff
const offsetEntryBytes = 8
const timeEntryBytes = 12

/** Whether `batches` begin a new segment (Kafka's `LogSegment.shouldRoll`). Time is told by the records, not by a clock. */
export function mustRoll(
  segment: FillLevel,
  options: StoreOptions,
  batches: readonly BatchSummary[],
  bytes: number,
): boolean {
  const last = batches[batches.length - 1]!
  if (last.lastOffset - segment.baseOffset > maxRelativeOffset) return true
  if (segment.sizeInBytes === 0) return false
  if (segment.sizeInBytes + bytes > options.segmentBytes) return true
  const entries = Math.floor(options.segmentIndexBytes / timeEntryBytes) - 1
  const offsetEntries = Math.floor(options.segmentIndexBytes / offsetEntryBytes)
  if (segment.indexEntries >= Math.max(1, Math.min(entries, offsetEntries))) return true
  if (segment.firstTimestamp < 0) return false
  let newest = -1
  for (const batch of batches) if (batch.maxTimestamp > newest) newest = batch.maxTimestamp
  return newest - segment.firstTimestamp > options.segmentMs
}

/** Throws RangeError unless `batches` are whole, in order, follow on `endOffset` and make up `bytes`. */
export function checkAppend(endOffset: number, bytes: Uint8Array, batches: readonly BatchSummary[]): void {
  let next = endOffset
  let size = 0
  for (const batch of batches) {
    if (batch.baseOffset < next) throw new RangeError(`A batch at ${batch.baseOffset} cannot follow on ${next}`)
    next = batch.lastOffset + 1
    size += batch.sizeInBytes
  }
  if (batches.length === 0 || size !== bytes.length) {
    throw new RangeError(`${batches.length} batches of ${size} bytes were announced, ${bytes.length} bytes given`)
  }
}

/** Throws RangeError unless a read may begin at `from`. */
export function checkRead(from: number, startOffset: number, endOffset: number): void {
  if (from < startOffset || from > endOffset) {
    throw new RangeError(`Offset ${from} is outside of ${startOffset} to ${endOffset}`)
  }
}
