import { Line, type Place } from '../replication/line.ts'
import type { Clock, Timer, Timers } from '../world/world.ts'

export interface Operation {
  /** Monotonic ms. */
  due: number
  expire(): void
  readonly hasty: boolean
}

export type Delayed = Place<Operation>

/** Deadlines are looked at no more often than this. */
const restMs = 10

/** Requests that wait for something, with their deadlines: nearly all are cancelled before, so cancelling must be cheap. */
export class DelayedOperations {
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #operations = new Line<Operation>()
  #timer: Timer | null = null
  #wakeAt = Number.POSITIVE_INFINITY

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock
    this.#timers = timers
  }

  get waiting(): number {
    return this.#operations.size
  }

  /** `expire` in `ms`, or a little later, unless it is cancelled before. `hasty`: `hurry` calls it at once. */
  after(ms: number, expire: () => void, hasty = false): Delayed {
    return this.add(ms, { due: 0, expire, hasty })
  }

  /** As `after`, for who is the operation itself. */
  add(ms: number, operation: Operation): Delayed {
    const now = this.#clock.mono()
    operation.due = now + Math.max(0, ms)
    if (operation.due < this.#wakeAt) this.#sleep(now, operation.due)
    return this.#operations.add(operation)
  }

  cancel(operation: Delayed): void {
    this.#operations.leave(operation)
  }

  /** The node stops: long polls get what there is. */
  hurry(): void {
    this.#expire(({ hasty }) => hasty)
  }

  clear(): void {
    this.#operations.clear()
    this.#timer?.cancel()
    this.#timer = null
    this.#wakeAt = Number.POSITIVE_INFINITY
  }

  #sleep(now: number, until: number): void {
    this.#timer?.cancel()
    this.#wakeAt = Math.max(until, now + restMs)
    this.#timer = this.#timers.after(this.#wakeAt - now, () => this.#wake())
  }

  #wake(): void {
    this.#timer = null
    this.#wakeAt = Number.POSITIVE_INFINITY
    const now = this.#clock.mono()
    this.#expire(({ due }) => due <= now)
    let next = Number.POSITIVE_INFINITY
    this.#operations.each(({ due }) => {
      if (due < next) next = due
    })
    if (next < this.#wakeAt) this.#sleep(now, next)
  }

  #expire(which: (operation: Operation) => boolean): void {
    const expired: Operation[] = []
    this.#operations.each((operation, place) => {
      if (!which(operation)) return
      this.#operations.leave(place)
      expired.push(operation)
    })
    for (const operation of expired) operation.expire()
  }
}
