import type { Timer, Timers } from '../../../world/world.ts'

/** Sleeps that something may end early. */
export class Alarm {
  readonly #timers: Timers
  #wake: (() => void) | null = null
  #timer: Timer | null = null
  #again = false

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /** Until `stir`, at most so long; not at all when that came since the last sleep. One sleeper. */
  sleep(ms: number): Promise<void> {
    if (this.#again || ms <= 0) {
      this.#again = false
      return new Promise(resolve => this.#timers.soon(resolve))
    }
    return new Promise(resolve => {
      this.#wake = () => {
        this.#timer?.cancel()
        this.#wake = null
        this.#again = false
        resolve()
      }
      this.#timer = this.#timers.after(ms, this.#wake)
    })
  }

  stir(): void {
    this.#again = true
    this.#wake?.()
  }

  /** So long, whatever happens. */
  pause(ms: number): Promise<void> {
    return new Promise(resolve => this.#timers.after(ms, resolve))
  }
}
