import { lacksDescriptors } from '../disk-full.ts'
import type { BatchSummary, Segment } from '../store.ts'
import { HeaderCursor } from './cursor.ts'
import type { Handles } from './handles.ts'
import { fileName, indexSuffix, logSuffix, timeIndexSuffix } from './names.ts'
import { type IndexEntry, offsetEntries, SparseIndex, timeEntries } from './sparse-index.ts'

/** What Kafka takes when nobody says otherwise (`index.interval.bytes`). */
const repairIntervalBytes = 4096

/** Where a batch was found. */
export interface Place {
  readonly position: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly sizeInBytes: number
}

/** One `.log` file with its two indexes. Files are made when something is written into them. */
export class FileSegment implements Segment {
  readonly baseOffset: number
  readonly path: string
  readonly offsets: SparseIndex
  readonly times: SparseIndex
  endOffset: number
  /** With what waits to be written. */
  sizeInBytes: number
  /** Bytes in the file that are batches. */
  writtenBytes: number
  /** The log file is there. */
  exists: boolean
  /** Between the batches of the segment before it and its base offset there are offsets without records, on purpose. */
  afterGap = false
  readonly #handles: Handles
  /** Undefined: not read yet. */
  #maxTimestamp: number | undefined
  #maxTimestampOffset = -1
  #firstTimestamp: number | undefined
  #bytesSinceEntry = 0
  #repaired = false

  /** `sizeInBytes` of the file that is there, 0 for a new segment. */
  constructor(handles: Handles, directory: string, baseOffset: number, sizeInBytes: number, isNew: boolean) {
    this.#handles = handles
    this.baseOffset = baseOffset
    this.endOffset = baseOffset
    this.sizeInBytes = sizeInBytes
    this.writtenBytes = sizeInBytes
    this.exists = !isNew
    this.path = `${directory}/${fileName(baseOffset, logSuffix)}`
    this.offsets = new SparseIndex(handles, `${directory}/${fileName(baseOffset, indexSuffix)}`, offsetEntries, isNew)
    this.times = new SparseIndex(handles, `${directory}/${fileName(baseOffset, timeIndexSuffix)}`, timeEntries, isNew)
    if (sizeInBytes === 0) this.#forgetTimes()
  }

  get maxTimestamp(): number {
    if (this.#maxTimestamp === undefined) this.#loadMaxTimestamp()
    return this.#maxTimestamp!
  }

  /** ms of the first batch; −1 when there is none. */
  get firstTimestamp(): number {
    if (this.#firstTimestamp === undefined) {
      this.#firstTimestamp = this.headers(0).next()?.maxTimestamp ?? -1
    }
    return this.#firstTimestamp
  }

  get indexEntries(): number {
    return this.offsets.count
  }

  /** A walk over what is written, from the batch at `position` on, none of which may reach the offset `limit`. */
  headers(position: number, limit?: number): HeaderCursor {
    return new HeaderCursor(() => this.#handles.get(this.path), position, this.writtenBytes, this.baseOffset, limit)
  }

  /** Takes a batch at the end into the indexes and sums: it is to be written, or was found there. */
  account(batch: BatchSummary, indexIntervalBytes: number): void {
    const position = this.sizeInBytes
    if (position === 0) this.#firstTimestamp = batch.maxTimestamp
    if (batch.maxTimestamp > this.maxTimestamp) {
      this.#maxTimestamp = batch.maxTimestamp
      this.#maxTimestampOffset = batch.lastOffset
    }
    if (this.#bytesSinceEntry > indexIntervalBytes) {
      this.offsets.append(batch.lastOffset - this.baseOffset, position)
      this.noteMaxTimestamp()
      this.#bytesSinceEntry = 0
    }
    this.#bytesSinceEntry += batch.sizeInBytes
    this.sizeInBytes += batch.sizeInBytes
    this.endOffset = batch.lastOffset + 1
  }

  /** The last entry of a time index names the newest of all records. */
  noteMaxTimestamp(): void {
    const last = this.times.last?.key ?? -1
    if (this.maxTimestamp > last) this.times.append(this.maxTimestamp, this.#maxTimestampOffset - this.baseOffset)
  }

  /** Where a batch begins, at or before the one that holds `offset`, as far as the index knows. */
  seek(offset: number): number {
    const entry = this.offsets.floor(offset - this.baseOffset)
    if (entry === null || this.#sensible(entry)) return entry?.value ?? 0
    this.repairIndexes()
    return this.offsets.floor(offset - this.baseOffset)?.value ?? 0
  }

  #sensible({ key, value }: IndexEntry): boolean {
    return key >= 0 && value > 0 && value < this.writtenBytes
  }

  /** The first batch that is written and ends above `offset`; null when there is none. Reads headers of one index interval. */
  locate(offset: number): Place | null {
    const found = this.#walkTo(offset, this.seek(offset))
    if (found !== 'lost') return found
    this.repairIndexes()
    const again = this.#walkTo(offset, 0)
    return again === 'lost' ? null : again
  }

  /**
   * Makes the indexes anew because they were found to be wrong; once, for then it is the log that is wrong. The sums of the
   * segment stay as they are. Returns whether there is any hope.
   */
  repairIndexes(): boolean {
    if (this.#repaired) return false
    this.#repaired = true
    // What waits to be written has entries that cannot be read from the file; the index is short then.
    if (this.sizeInBytes !== this.writtenBytes) {
      this.offsets.clear()
      return true
    }
    const { endOffset, sizeInBytes } = this
    try {
      this.rebuildIndexes(repairIntervalBytes)
    } catch (error) {
      // Without descriptors: what is there of them is right, and the rest may be looked for again.
      this.#repaired = !lacksDescriptors(error)
      throw error
    } finally {
      this.endOffset = endOffset
      this.sizeInBytes = sizeInBytes
    }
    return true
  }

  #walkTo(offset: number, position: number): Place | null | 'lost' {
    if (!this.exists) return null
    const walk = this.headers(position)
    for (let header = walk.next(); header !== null; header = walk.next()) {
      if (walk.position === position && position > 0 && header.baseOffset > offset) return 'lost'
      if (header.lastOffset >= offset) return { ...header, position: walk.position }
    }
    return walk.end === position && position > 0 ? 'lost' : null
  }

  /**
   * Learns from the last index entry and the batches after it where the segment ends. Returns why it does not end with a whole
   * batch at `sizeInBytes`; then everything stands as if it ended before that.
   */
  loadTail(indexIntervalBytes: number): string | null {
    const { last } = this.offsets
    if (last !== null && !this.#pointsAtBatch(last)) return this.rebuildIndexes(indexIntervalBytes)
    this.#recallTimes()
    const problem = this.#accountFrom(last?.value ?? 0, indexIntervalBytes)
    // The time index is the only one that may know of batches beyond the end.
    return this.#maxTimestampOffset < this.endOffset ? problem : this.rebuildIndexes(indexIntervalBytes)
  }

  #pointsAtBatch({ key, value }: IndexEntry): boolean {
    if (!this.#sensible({ key, value })) return false
    const header = this.headers(value).next()
    return header !== null && header.baseOffset <= this.baseOffset + key
  }

  /** What the time index knows of the newest record. */
  #recallTimes(): void {
    const { last } = this.times
    this.#maxTimestamp = last?.key ?? -1
    this.#maxTimestampOffset = last === null ? -1 : this.baseOffset + last.value
  }

  /** Reads the headers of the whole segment. Returns as `loadTail`. */
  rebuildIndexes(indexIntervalBytes: number): string | null {
    this.offsets.clear()
    this.times.clear()
    this.#forgetTimes()
    return this.#accountFrom(0, indexIntervalBytes)
  }

  #accountFrom(position: number, indexIntervalBytes: number): string | null {
    this.sizeInBytes = position
    this.endOffset = this.baseOffset
    this.#bytesSinceEntry = 0
    if (!this.exists) return null
    if (position > 0) this.#firstTimestamp = undefined
    const walk = this.headers(position)
    for (let header = walk.next(); header !== null; header = walk.next()) this.account(header, indexIntervalBytes)
    return walk.problem
  }

  /** From the recovery's walk: forgets what indexes say from `position` on, before the batches are accounted anew. */
  restartAt(position: number): void {
    this.offsets.cut(entry => entry.value <= position && entry.value > 0)
    const at = this.offsets.last?.key ?? -1
    this.times.cut(entry => entry.value <= at)
    this.#recallTimes()
    this.#firstTimestamp = undefined
    this.#bytesSinceEntry = 0
    this.sizeInBytes = position
    this.endOffset = this.baseOffset
  }

  /** Forgets what lies at and after `position`, where the batch at offset `to` would stand. The log file keeps it. */
  cut(position: number, to: number, indexIntervalBytes: number): void {
    this.writtenBytes = position
    this.offsets.cut(entry => entry.value < position)
    const at = this.offsets.last?.key ?? -1
    this.times.cut(entry => entry.value <= at)
    if (position === 0) this.#forgetTimes()
    try {
      this.loadTail(indexIntervalBytes)
    } catch (error) {
      this.sizeInBytes = position
      throw error
    } finally {
      this.endOffset = to
    }
  }

  /** Cuts the file to what is known to be batches. */
  truncateFile(): void {
    if (this.exists) this.#handles.get(this.path).truncate(this.writtenBytes)
  }

  flushIndexes(): void {
    if (!this.exists) return
    this.offsets.flush()
    this.times.flush()
  }

  /** Writes what is left; returns the paths of index files that changed since they were opened. */
  finishIndexes(): string[] {
    return [this.offsets, this.times].filter(index => index.finish()).map(({ path }) => path)
  }

  /** Who reads from the files may finish. */
  closeFiles(): void {
    for (const path of [this.path, this.offsets.path, this.times.path]) this.#handles.forget(path)
  }

  #forgetTimes(): void {
    this.#maxTimestamp = -1
    this.#maxTimestampOffset = -1
    this.#firstTimestamp = -1
  }

  /** Of a closed segment, the time index ends with it; where it has no entries, the headers must tell. */
  #loadMaxTimestamp(): void {
    this.#recallTimes()
    if (this.times.last !== null || !this.exists) return
    const walk = this.headers(0)
    for (let header = walk.next(); header !== null; header = walk.next()) {
      if (header.maxTimestamp <= this.#maxTimestamp!) continue
      this.#maxTimestamp = header.maxTimestamp
      this.#maxTimestampOffset = header.lastOffset
    }
  }
}
