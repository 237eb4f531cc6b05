import type { Position } from './position.ts'

/** Events that were read together: encoded once, the same bytes for everybody. */
export interface EventBatch {
  /** All events, one behind the other, as the codec joins them. */
  readonly bytes: Uint8Array
  /** Where each event ends, counted from the first one's begin. */
  readonly ends: readonly number[]
  /** The records' keys, byte by byte as latin1; null: none. */
  readonly keys: readonly (string | null)[]
  readonly partitions: readonly number[]
  /** Where a reader stands who has all of it. */
  readonly after: Position
}

/** What a batch takes besides its events. */
const overheadBytes = (batch: EventBatch): number => 128 + 32 * batch.keys.length + 8 * batch.after.length

/**
 * The newest batches of one topic, by number, up to a limit of bytes. Readers keep the number of the batch that they want
 * next, and nothing else: a slow one costs no memory, and finds its batch gone when it is too slow.
 */
export class Ring {
  readonly #batches: EventBatch[] = []
  /** Batches at the front of `#batches` that are gone. */
  #gone = 0
  #oldest = 0
  #bytes = 0

  /** The number of the oldest batch that is kept. */
  get oldest(): number {
    return this.#oldest
  }

  /** The number of the batch that comes next. */
  get next(): number {
    return this.#oldest + this.#batches.length - this.#gone
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Keeps the batch, and of the older ones as many as `limitBytes` allows. */
  push(batch: EventBatch, limitBytes: number): void {
    this.#batches.push(batch)
    this.#bytes += batch.bytes.length + overheadBytes(batch)
    while (this.#bytes > limitBytes && this.#batches.length - this.#gone > 1) this.#drop()
  }

  /** Undefined: it is gone, or has not come yet. */
  at(number: number): EventBatch | undefined {
    return number < this.#oldest ? undefined : this.#batches[this.#gone + number - this.#oldest]
  }

  /** Forgets all of it, and a number: nobody goes on here. */
  break(): void {
    this.#oldest = this.next + 1
    this.#batches.length = 0
    this.#gone = 0
    this.#bytes = 0
  }

  #drop(): void {
    const batch = this.#batches[this.#gone] as EventBatch
    this.#bytes -= batch.bytes.length + overheadBytes(batch)
    this.#batches[this.#gone++] = nothing
    this.#oldest++
    if (this.#gone < 64 || this.#gone * 2 < this.#batches.length) return
    this.#batches.splice(0, this.#gone)
    this.#gone = 0
  }
}

const nothing: EventBatch = { bytes: new Uint8Array(0), ends: [], keys: [], partitions: [], after: [] }
