import { Deadlines } from '../machine/deadlines.ts'
import type { Clock, Timers } from '../world/world.ts'

/** Deadlines of requests that wait for something: thousands behind one timer. */
export class DelayedOperations {
  readonly #deadlines: Deadlines<() => void>
  /** Those that may be answered early, with what there is. */
  readonly #hasty = new Map<string, () => void>()
  #next = 0

  constructor(clock: Clock, timers: Timers) {
    this.#deadlines = new Deadlines(clock, timers, expire => expire())
  }

  get waiting(): number {
    return this.#deadlines.size
  }

  /** `expire` in `ms` unless the returned key is cancelled before. `hasty`: `hurry` calls it at once. */
  after(ms: number, expire: () => void, hasty = false): string {
    const key = String(this.#next++)
    this.#deadlines.set(key, ms, expire)
    if (hasty) this.#hasty.set(key, expire)
    return key
  }

  cancel(key: string): void {
    this.#deadlines.cancel(key)
    this.#hasty.delete(key)
  }

  /** The node stops: long polls get what there is. */
  hurry(): void {
    const waiting = [...this.#hasty]
    for (const [key, expire] of waiting) {
      this.cancel(key)
      expire()
    }
  }

  clear(): void {
    this.#deadlines.clear()
  }
}
