import { buildBatch } from '../protocol/batches/build.ts'
import type { RecordHeader } from '../protocol/batches/records.ts'
import type { CompressionType } from '../protocol/compression/compression.ts'

/** Who a broker believes to hear, for telling repetitions from new batches (KIP-98). */
export interface Identity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** Who waits for records: told of each once, by its index, in any order. */
export interface Receiver {
  placed(index: number, place: { partition: number; offset: number; timestamp: number }): void
  failed(index: number, error: unknown): void
}

/** A record on its way, and who waits for it. */
export interface Entry {
  readonly topic: string
  /** −1: the partitioner chooses. */
  partition: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
  readonly timestamp: number
  /** Bytes in a batch, about. */
  readonly size: number
  /** Monotonic ms after which it is given up. */
  readonly deadline: number
  readonly receiver: Receiver
  readonly index: number
}

/** A batch that was built, and stays the same however often it is sent. */
export interface InFlight {
  readonly entries: readonly Entry[]
  readonly bytes: Buffer
  /** An attempt ended without an answer, or with one that leaves open whether it was written. */
  doubtful: boolean
  failures: number
}

export interface LaneOptions {
  readonly compression: CompressionType
  readonly level: number | null
}

/**
 * What goes to one partition. Only one batch is under way at a time: order and sequence numbers then hold through all
 * retries, and whatever comes in meanwhile makes the next batch larger.
 */
export class Lane {
  readonly topic: string
  readonly partition: number
  readonly #queue: Entry[] = []
  #inFlight: InFlight | null = null
  #identity: Identity | null = null
  #sequence = 0
  #maxBatchBytes: number
  /** Monotonic ms before which nothing is sent: after a failure. */
  notBefore = 0
  /** A request with its batch is under way. */
  busy = false
  /** It is looked at when the next requests are made. */
  due = false

  constructor(topic: string, partition: number, maxBatchBytes: number) {
    this.topic = topic
    this.partition = partition
    this.#maxBatchBytes = maxBatchBytes
  }

  add(entry: Entry): void {
    this.#queue.push(entry)
  }

  get empty(): boolean {
    return this.#queue.length === 0 && this.#inFlight === null
  }

  get inFlight(): InFlight | null {
    return this.#inFlight
  }

  /** The batch to send now: the one that failed before, or a new one. */
  next(identity: Identity | null, options: LaneOptions): InFlight {
    if (this.#inFlight !== null) return this.#inFlight
    if (identity !== this.#identity) {
      this.#identity = identity
      this.#sequence = 0
    }
    let bytes = 0
    let count = 0
    while (count < this.#queue.length && (count === 0 || bytes + this.#queue[count]!.size <= this.#maxBatchBytes)) {
      bytes += this.#queue[count]!.size
      count++
    }
    const entries = this.#queue.splice(0, count)
    const built = buildBatch({
      records: entries,
      compression: options.compression,
      ...(options.level === null ? {} : { level: options.level }),
      ...(identity === null ? {} : { ...identity, baseSequence: this.#sequence }),
    })
    this.#inFlight = { entries, bytes: built, doubtful: false, failures: 0 }
    return this.#inFlight
  }

  /** The batch is written: the next one follows. */
  done(): void {
    // Sequence numbers wrap at 2^31.
    this.#sequence = (this.#sequence + (this.#inFlight?.entries.length ?? 0)) % 0x80000000
    this.#inFlight = null
  }

  /** The batch is certainly not written, and given up: its sequence numbers are free. */
  drop(): void {
    this.#inFlight = null
  }

  /** The batch's records go back to where they came from, to be sent in another one. */
  rebuild(): void {
    this.#queue.unshift(...(this.#inFlight?.entries ?? []))
    this.#inFlight = null
  }

  /** As `rebuild`, in batches half as large. False when the batch cannot be split. */
  split(): boolean {
    const entries = this.#inFlight?.entries ?? []
    if (entries.length < 2) return false
    this.#maxBatchBytes = Math.floor(entries.reduce((sum, entry) => sum + entry.size, 0) / 2)
    this.rebuild()
    return true
  }

  /** Takes out what waits here and is out of time. */
  expire(now: number): Entry[] {
    const expired: Entry[] = []
    while (this.#queue.length > 0 && this.#queue[0]!.deadline <= now) expired.push(this.#queue.shift()!)
    return expired
  }
}
