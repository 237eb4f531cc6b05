import type { OrderedLogListener } from '../../../machine/machine.ts'
import type { MetadataRecord } from '../../records/records.ts'
import type { MetadataLog } from '../metadata-log.ts'
import { MetadataTransactions } from '../transactions.ts'

/** A batch of records that is in the log, and not yet given to the listener. */
export interface PendingBatch {
  readonly records: readonly MetadataRecord[]
  readonly end: number
  readonly timestamp: number
  /** We have appended it as the leader: the listener knows it, and no transaction of Kafka's is about it. */
  readonly own: boolean
}

export interface ReplayOptions {
  readonly log: Pick<MetadataLog, 'batches' | 'loadSnapshot' | 'endOffset'>
  readonly listener: () => OrderedLogListener<MetadataRecord> | null
  /** Notes what records say of the level at which they are written. */
  readonly follow: (record: MetadataRecord) => void
  readonly failed: (error: Error) => void
}

/** Gives the listener what is committed, in order, each batch once; from the top when it has to forget everything. */
export class Replay {
  readonly #options: ReplayOptions
  #pending: PendingBatch[] = []
  #transactions = new MetadataTransactions()
  #committed = 0
  /** Everything below was given. */
  #given = 0
  #lastTimestamp = -1
  #reloading = false
  #again = false
  /** Of the reading that counts. */
  #reading = 0
  #replacing = false
  /** Up to where the listener had everything, while it is read again. */
  #had = 0
  #closed = false
  #caughtUp: () => void = () => {}

  constructor(options: ReplayOptions) {
    this.#options = options
  }

  get given(): number {
    return this.#given
  }

  /** ms, of the last batch that was given. */
  get lastTimestamp(): number {
    return this.#lastTimestamp
  }

  /** True when everything that is committed was given, as far as it is known here. */
  get isCurrent(): boolean {
    return !this.#reloading && (this.#pending[0]?.end ?? Number.POSITIVE_INFINITY) > this.#committed
  }

  /** What was given ends in the midst of a transaction of Kafka's. */
  get unfinished(): boolean {
    return this.#transactions.open
  }

  /** A leader has put an end to it. */
  abort(): void {
    this.#transactions = new MetadataTransactions()
  }

  /** `caughtUp`: called each time when all that is committed was given. */
  onCaughtUp(run: () => void): void {
    this.#caughtUp = run
  }

  /** A snapshot comes before everything that follows. */
  load(records: readonly MetadataRecord[], endOffset: number, timestamp: number): void {
    this.#reading++
    this.#reloading = false
    this.#again = false
    this.#replacing = false
    this.#had = 0
    this.#load(records, endOffset, timestamp)
  }

  #load(records: readonly MetadataRecord[], endOffset: number, timestamp: number): void {
    this.#pending = this.#pending.filter(({ end }) => end > endOffset)
    this.#transactions = new MetadataTransactions()
    this.#given = endOffset
    this.#committed = Math.max(this.#committed, endOffset)
    this.#lastTimestamp = timestamp
    for (const record of records) this.#options.follow(record)
    this.#options.listener()?.load(records, endOffset)
  }

  add(batch: PendingBatch): void {
    this.#pending.push(batch)
  }

  /** What lies at and above `from` is gone. */
  drop(from: number): void {
    while ((this.#pending.at(-1)?.end ?? 0) > from) this.#pending.pop()
  }

  commit(upTo: number): void {
    this.#committed = Math.max(this.#committed, upTo)
    this.pump()
  }

  /** As `commit`, with the next `pump`. */
  commitLater(upTo: number): void {
    this.#committed = Math.max(this.#committed, upTo)
  }

  pump(): void {
    if (this.#reloading || this.#closed) return
    for (let next = this.#pending[0]; next !== undefined && next.end <= this.#committed; next = this.#pending[0]) {
      this.#pending.shift()
      this.#give(next)
      if (this.#reloading) return
    }
    this.#given = Math.max(this.#given, this.#committed)
    this.#caughtUp()
  }

  /** The listener has forgotten everything. */
  reload(): void {
    this.#again = true
    if (this.#reloading || this.#closed) return
    this.#reloading = true
    if (!this.#replacing) this.#read()
  }

  /** A snapshot takes the place of the log: what is being read of that counts no more. `load` follows, or `notReplaced`. */
  replacing(): void {
    this.#replacing = true
    this.#reading++
  }

  notReplaced(): void {
    this.#replacing = false
    if (!this.#reloading || this.#closed) return
    this.#again = true
    this.#read()
  }

  #read(): void {
    const reading = ++this.#reading
    const ended = (): boolean => {
      if (reading !== this.#reading) return false
      this.#reloading = false
      return !this.#closed
    }
    this.#reload(reading).then(
      () => {
        if (ended()) this.pump()
      },
      error => {
        if (ended()) this.#options.failed(error)
      },
    )
  }

  close(): void {
    this.#closed = true
  }

  async #reload(reading: number): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false
      // What a full disk took comes again, from another leader.
      const upTo = Math.min(Math.max(this.#had, this.#given), this.#options.log.endOffset)
      this.#had = upTo
      const found = await this.#options.log.loadSnapshot()
      if (reading !== this.#reading) return
      if (this.#again) continue
      this.#load(found?.snapshot.records ?? [], found?.id.endOffset ?? 0, found?.snapshot.timestamp ?? -1)
      const from = this.#given
      if (from < upTo) await this.#reread(from, upTo, reading)
      if (reading !== this.#reading) return
      // The next round goes as far.
      if (this.#again || this.#closed) continue
      // Not further than before: what comes behind is pending.
      this.#given = Math.max(this.#given, upTo)
      this.#had = 0
    }
  }

  async #reread(from: number, upTo: number, reading: number): Promise<void> {
    for await (const { records, endOffset: end, timestamp } of this.#options.log.batches(from, upTo)) {
      if (reading !== this.#reading) return
      if (this.#again || this.#closed) return
      if (records.length > 0) this.#give({ records, end, timestamp, own: false })
    }
  }

  #give({ records, end, timestamp, own }: PendingBatch): void {
    this.#given = Math.max(this.#given, end)
    this.#lastTimestamp = timestamp
    if (!own) for (const record of records) this.#options.follow(record)
    const released = own ? records : this.#transactions.release(records)
    if (released.length > 0) this.#options.listener()?.commit(released, end, timestamp)
  }
}
