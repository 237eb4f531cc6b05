import type { Timers } from '../world/world.ts'

interface Bell {
  rung: number
  readonly waiting: Set<() => void>
  readonly unwatch: () => void
}

/**
 * Who waits until there is something to hand out. A bell exists as long as somebody may wait for it. It is rung at events
 * in whose midst nothing may be decided, so those who wait hear of it a little later, and once.
 */
export class Bells {
  readonly #timers: Timers
  readonly #bells = new Map<string, { bell: Bell; users: number }>()

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /** Those who wait or are about to. */
  get size(): number {
    let users = 0
    for (const { users: own } of this.#bells.values()) users += own
    return users
  }

  /** For what somebody waits, or is about to. */
  keys(): Iterable<string> {
    return this.#bells.keys()
  }

  /** To be called before one looks whether there is something; `leave` must be called in the end. */
  attend(key: string, watch: (ring: () => void) => () => void): Attendance {
    let entry = this.#bells.get(key)
    if (entry === undefined) {
      entry = { bell: { rung: 0, waiting: new Set(), unwatch: watch(() => this.ring(key)) }, users: 0 }
      this.#bells.set(key, entry)
    }
    entry.users++
    return new Attendance(entry.bell, this.#timers, () => this.#leave(key))
  }

  ring(key: string): void {
    const bell = this.#bells.get(key)?.bell
    if (bell === undefined) return
    bell.rung++
    if (bell.waiting.size === 0) return
    const waiting = [...bell.waiting]
    bell.waiting.clear()
    this.#timers.soon(() => {
      for (const wake of waiting) wake()
    })
  }

  /** Everybody looks again. */
  ringAll(): void {
    for (const key of [...this.#bells.keys()]) this.ring(key)
  }

  #leave(key: string): void {
    const entry = this.#bells.get(key)
    if (entry === undefined || --entry.users > 0) return
    this.#bells.delete(key)
    entry.bell.unwatch()
  }
}

/** Somebody who may wait. */
export class Attendance {
  readonly #bell: Bell
  readonly #timers: Timers
  #seen: number
  readonly leave: () => void

  constructor(bell: Bell, timers: Timers, leave: () => void) {
    this.#bell = bell
    this.#timers = timers
    this.#seen = bell.rung
    this.leave = leave
  }

  /** What happens from now on counts. */
  note(): void {
    this.#seen = this.#bell.rung
  }

  /** Fulfilled when the bell has been rung since `note`, after `ms`, or when `signal` is aborted. */
  wait(ms: number, signal: AbortSignal | null): Promise<void> {
    if (this.#bell.rung !== this.#seen || signal?.aborted) return Promise.resolve()
    return new Promise(resolve => {
      const wake = (): void => {
        timer.cancel()
        this.#bell.waiting.delete(wake)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const timer = this.#timers.after(ms, wake)
      this.#bell.waiting.add(wake)
      signal?.addEventListener('abort', wake, { once: true })
    })
  }
}
