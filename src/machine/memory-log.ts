import { NotLeader, type OrderedLog, type OrderedLogListener } from './machine.ts'

interface Batch<Record> {
  readonly epoch: number
  readonly records: readonly Record[]
  readonly timestamp: number
  /** Offset after its last record. */
  readonly end: number
}

/**
 * An ordered log in memory, one copy and one node. With `autoCommit` false it commits only when told to, and elections
 * are always told: so that a test can put every event between every two others.
 */
export class MemoryLog<Record> implements OrderedLog<Record> {
  /** What the next appends fail with, for tests. */
  full: Error | null = null
  readonly #autoCommit: boolean
  #listener: OrderedLogListener<Record> | null = null
  #snapshot: readonly Record[] = []
  #start = 0
  #batches: Batch<Record>[] = []
  #committed = 0
  #epoch = 0
  #leading = false

  constructor(options: { readonly autoCommit: boolean }) {
    this.#autoCommit = options.autoCommit
  }

  /** Offset after the last record. */
  get end(): number {
    return this.#batches.at(-1)?.end ?? this.#start
  }

  get committed(): number {
    return this.#committed
  }

  /** First offset that is kept outside of the snapshot. */
  get start(): number {
    return this.#start
  }

  /** Committed records: the snapshot and what follows. */
  get records(): Record[] {
    const tail = this.#batches.filter(batch => batch.end <= this.#committed).flatMap(batch => batch.records)
    return [...this.#snapshot, ...tail]
  }

  follow(listener: OrderedLogListener<Record>): void {
    this.#listener = listener
    this.#replay()
  }

  append(epoch: number, records: readonly Record[], timestamp: number): number {
    if (!this.#leading || epoch !== this.#epoch) throw new NotLeader()
    if (this.full !== null) throw this.full
    const end = this.end + records.length
    this.#batches.push({ epoch, records, timestamp, end })
    if (this.#autoCommit) this.commit(end)
    return end
  }

  compact(upTo: number, snapshot: Iterable<Record>): void {
    if (upTo > this.#committed) throw new RangeError(`compaction up to ${upTo}, committed are ${this.#committed}`)
    this.#snapshot = [...snapshot]
    this.#start = upTo
    this.#batches = this.#batches.filter(batch => batch.end > upTo)
  }

  /** Everything below `upTo` (by default all) is safe now. */
  commit(upTo: number = this.end): void {
    let first = this.#batches.length
    while (first > 0 && this.#batches[first - 1]!.end > this.#committed) first--
    const safe = this.#batches.slice(first).filter(({ end }) => end <= upTo)
    this.#committed = Math.max(this.#committed, upTo)
    for (const batch of safe) this.#listener?.commit(batch.records, batch.end, batch.timestamp)
  }

  /** We lead in the next epoch; everything there is is committed first. */
  elect(): number {
    this.#epoch++
    this.commit()
    this.#leading = true
    this.#listener?.lead(this.#epoch)
    return this.#epoch
  }

  /** Loses the lead and what was appended at or above `keep` (by default all that is not committed), then replays. */
  depose(keep: number = this.#committed): void {
    this.#leading = false
    this.#listener?.lead(null)
    this.#batches = this.#batches.filter(batch => batch.end <= Math.max(keep, this.#committed))
    this.#replay()
  }

  #replay(): void {
    const committed = this.#committed
    this.#listener?.load(this.#snapshot, this.#start)
    this.#committed = this.#start
    this.commit(committed)
  }
}
