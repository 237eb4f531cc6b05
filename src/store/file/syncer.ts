interface Waiter {
  /** The offset up to which the log must be durable. */
  target: number
  /** Wants a sync that began after it came, whatever the offsets say. */
  afresh: boolean
  readonly resolve: (durableOffset: number) => void
  readonly reject: (error: Error) => void
}

/** What a syncer does its work on. */
export interface Syncable {
  readonly durableOffset: number
  readonly endOffset: number
  /** Makes durable what is written now; false when a truncation came in between, so that nothing is proved. */
  syncOnce(): Promise<boolean>
  /** A sync failed: stable storage can no longer be promised. */
  syncFailed(error: Error): void
}

/** One sync at a time; those who come while it runs share the next one. */
export class Syncer {
  readonly #store: Syncable
  #waiters: Waiter[] = []
  #running: Promise<void> | null = null

  constructor(store: Syncable) {
    this.#store = store
  }

  /** Everything that was appended so far. Nothing begins before `start`. */
  wait(afresh = false): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ target: this.#store.endOffset, afresh, resolve, reject })
    })
  }

  /** To be called when what the waiters want is written. */
  start(): void {
    if (this.#waiters.length === 0) return
    this.#settle()
    if (this.#running === null && this.#waiters.length > 0) this.#running = this.#run()
  }

  async #run(): Promise<void> {
    try {
      // A truncation may spoil a sync, and more waiters may have come in the meantime.
      while (this.#waiters.length > 0) {
        const afresh = this.#waiters.filter(waiter => waiter.afresh)
        const proved = await this.#store.syncOnce()
        if (proved) for (const waiter of afresh) waiter.afresh = false
        // What is not there any more cannot become durable.
        for (const waiter of this.#waiters) waiter.target = Math.min(waiter.target, this.#store.endOffset)
        this.#settle()
      }
    } catch (error) {
      this.#store.syncFailed(error as Error)
    } finally {
      this.#running = null
    }
  }

  #settle(): void {
    const { durableOffset } = this.#store
    const ready = this.#waiters.filter(({ target, afresh }) => !afresh && target <= durableOffset)
    if (ready.length === 0) return
    this.#waiters = this.#waiters.filter(({ target, afresh }) => afresh || target > durableOffset)
    for (const { resolve } of ready) resolve(durableOffset)
  }

  /** What lay at and above `to` was taken back by its owner: nobody needs to wait for it. */
  truncated(to: number): void {
    for (const waiter of this.#waiters) waiter.target = Math.min(waiter.target, to)
  }

  /** What lay above `to` was lost. */
  dropped(to: number, error: Error): void {
    this.#rejectWhere(({ target }) => target > to, error)
  }

  rejectAll(error: Error): void {
    this.#rejectWhere(() => true, error)
  }

  #rejectWhere(lost: (waiter: Waiter) => boolean, error: Error): void {
    const rejected = this.#waiters.filter(lost)
    this.#waiters = this.#waiters.filter(waiter => !lost(waiter))
    for (const { reject } of rejected) reject(error)
  }

  /** Fulfilled when no sync is under way. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running
  }
}
