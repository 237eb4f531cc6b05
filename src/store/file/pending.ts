import { readHeader, sizeInBytes } from '../../protocol/batches/header.ts'
import { positionOf, pushView } from '../chunks.ts'
import type { VolumeContext } from './context.ts'
import type { PartitionDirectory } from './partition-directory.ts'
import type { FileSegment } from './segment.ts'
import { createLog } from './segments.ts'

interface Waiting {
  readonly segment: FileSegment
  /** Whole batches. */
  bytes: Uint8Array
  readonly baseOffset: number
  /** Offset after the last record. */
  endOffset: number
}

/** What one run of chunks for one segment became. */
export interface Run {
  readonly segment: FileSegment
  /** Offset after its last record. */
  readonly endOffset: number
}

/** Batches that were appended in this turn of the event loop: they leave together, one vectored write for each segment. */
export class Pending {
  readonly #context: VolumeContext
  readonly #directory: PartitionDirectory
  #waiting: Waiting[] = []
  bytes = 0

  constructor(context: VolumeContext, directory: PartitionDirectory) {
    this.#context = context
    this.#directory = directory
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /** The segment that the next write goes to. */
  get segment(): FileSegment | undefined {
    return this.#waiting[0]?.segment
  }

  add(segment: FileSegment, bytes: Uint8Array, baseOffset: number, endOffset: number): void {
    this.#waiting.push({ segment, bytes, baseOffset, endOffset })
    this.bytes += bytes.length
  }

  /** Of the first batch that waits. */
  get firstOffset(): number | undefined {
    return this.#waiting[0]?.baseOffset
  }

  get lastSegment(): FileSegment | undefined {
    return this.#waiting.at(-1)?.segment
  }

  /** Forgets the batches from `to` on. Throws RangeError when one reaches across. */
  cut(to: number): void {
    this.#waiting = this.#waiting.filter(({ baseOffset }) => baseOffset < to)
    const last = this.#waiting.at(-1)
    if (last !== undefined && last.endOffset > to) {
      last.bytes = last.bytes.subarray(0, positionOf(last.bytes, to))
      last.endOffset = to
    }
    this.bytes = this.#waiting.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  /** Takes what waits for `segment` into its sums anew; returns the end of the last batch. */
  account(segment: FileSegment, indexIntervalBytes: number): number {
    for (const { segment: of, bytes } of this.#waiting) {
      if (of !== segment) continue
      for (let at = 0; at < bytes.length; at += sizeInBytes(bytes, at)) {
        segment.account(readHeader(bytes, at), indexIntervalBytes)
      }
    }
    return segment.endOffset
  }

  clear(): void {
    this.#waiting = []
    this.bytes = 0
  }

  /** Writes all; tells of each run that is written. Throws what the disk throws: then the rest still waits. */
  write(written: (run: Run) => void): void {
    while (this.#waiting.length > 0) {
      const { segment } = this.#waiting[0]!
      const chunks: Uint8Array[] = []
      let bytes = 0
      let count = 0
      for (const waiting of this.#waiting) {
        if (waiting.segment !== segment) break
        pushView(chunks, waiting.bytes)
        bytes += waiting.bytes.length
        count++
      }
      this.#open(segment).write(chunks, segment.writtenBytes)
      segment.writtenBytes += bytes
      const { endOffset } = this.#waiting[count - 1]!
      this.bytes -= bytes
      this.#waiting = count === this.#waiting.length ? [] : this.#waiting.slice(count)
      written({ segment, endOffset })
    }
  }

  #open(segment: FileSegment): ReturnType<VolumeContext['handles']['get']> {
    if (segment.exists) return this.#context.handles.get(segment.path)
    return createLog(this.#context, this.#directory, segment)
  }
}
