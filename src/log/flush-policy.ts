import type { Store } from '../store/store.ts'
import type { Timer, Timers } from '../world/world.ts'
import type { LogConfig } from './log-config.ts'

const afterFailureMs = 50

/**
 * When a log asks its store for a sync. One at a time: the next covers all that was written meanwhile, so that however
 * many wait, one trip to the disk serves them ("group commit").
 */
export class FlushPolicy {
  readonly #store: Store
  readonly #timers: Timers
  #config: LogConfig
  #syncing = false
  #timer: Timer | null = null
  #closed = false

  constructor(store: Store, timers: Timers, config: LogConfig) {
    this.#store = store
    this.#timers = timers
    this.#config = config
  }

  setConfig(config: LogConfig): void {
    this.#config = config
    this.#cancelTimer()
    this.written()
  }

  /** More may be in the page cache than on stable storage. */
  written(): void {
    if (this.#syncing || this.#closed) return
    const unsynced = this.#store.writtenOffset - this.#store.durableOffset
    if (unsynced <= 0) return
    if (this.#config.flush === 'ack' || unsynced >= this.#config.flushMessages || this.#config.flushMs === 0)
      this.#sync()
    else if (this.#config.flushMs < Number.MAX_SAFE_INTEGER) this.#startTimer()
  }

  /**
   * How far a log may vouch for its records, given how far it did already: with `ack` what is durable, with `os` what is
   * written, unless `flush.messages` unsynced records have come together: then the newest wait for the sync.
   */
  vouchedFor(durableOffset: number, before: number): number {
    if (this.#config.flush === 'ack') return durableOffset
    const { writtenOffset } = this.#store
    const waits = writtenOffset - durableOffset >= this.#config.flushMessages
    return waits ? Math.max(before, durableOffset) : writtenOffset
  }

  close(): void {
    this.#closed = true
    this.#cancelTimer()
  }

  #sync(): void {
    this.#syncing = true
    this.#cancelTimer()
    this.#store.sync().then(
      () => {
        this.#syncing = false
        this.written()
      },
      // What was waited for has been dropped, or the disk has failed: then the store says so and this is closed.
      () => {
        this.#timers.after(afterFailureMs, () => {
          this.#syncing = false
          this.written()
        })
      },
    )
  }

  #startTimer(): void {
    this.#timer ??= this.#timers.after(this.#config.flushMs, () => {
      this.#timer = null
      if (!this.#syncing && !this.#closed && this.#store.writtenOffset > this.#store.durableOffset) this.#sync()
    })
  }

  #cancelTimer(): void {
    this.#timer?.cancel()
    this.#timer = null
  }
}
