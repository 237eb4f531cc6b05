import type { MetadataRecord } from '../../records/records.ts'
import { hashOf } from './chain.ts'
import type { Entry, Position } from './fenced-log.ts'

/** What one append to the store takes at most. */
const maxBytes = 4 * 1024 * 1024
const maxEntries = 256

/** A batch that waits for its append. */
export interface Waiting {
  readonly entry: Entry
  /** Where the log ends with it. */
  readonly after: Position
  readonly records: readonly MetadataRecord[]
  /** ms. */
  readonly timestamp: number
}

/** Batches of one leadership that wait for their append: where the log ends with them. */
export class Queue {
  readonly #epoch: number
  #end: Position
  #waiting: Waiting[] = []

  /** `end`: of the log, as it is. */
  constructor(epoch: number, end: Position) {
    this.#epoch = epoch
    this.#end = end
  }

  /** Of the log, when all that waits is appended. */
  get end(): Position {
    return this.#end
  }

  get idle(): boolean {
    return this.#waiting.length === 0
  }

  /** `bytes`: a batch at our end, in our epoch. `endOffset`: after its last record. */
  add(bytes: Uint8Array, endOffset: number, records: readonly MetadataRecord[], timestamp: number): void {
    const previous = this.#end.hash
    const after = { endOffset, hash: hashOf(previous, bytes) }
    const entry = { endOffset, epoch: this.#epoch, batchId: '', previous, bytes }
    this.#waiting.push({ entry, after, records, timestamp })
    this.#end = after
  }

  /** The first of those that wait, as many as go at once. They do not wait any more. */
  take(): Waiting[] {
    let count = 0
    let bytes = 0
    for (const { entry } of this.#waiting) {
      bytes += entry.bytes.length
      if (count > 0 && (bytes > maxBytes || count === maxEntries)) break
      count++
    }
    return this.#waiting.splice(0, count)
  }
}
