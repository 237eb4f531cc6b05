import type { Clock, Random, Timer, Timers } from '../../src/world/world.ts'

/** Numbers from a seed (mulberry32): the only dice of a run. */
export class Dice implements Random {
  #state: number

  constructor(seed: number) {
    this.#state = (seed * 0x9e3779b1) >>> 0
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x100000000
  }

  int(below: number): number {
    return Math.floor(this.next() * below)
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(of: readonly T[]): T {
    return of[this.int(of.length)] as T
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.int(256))
  }
}

interface Event {
  readonly at: number
  readonly order: number
  readonly run: () => void
  cancelled: boolean
}

/** Time that passes only when there is nothing left to do now. */
export class VirtualTime {
  /** ms since the run began. */
  ms = 0
  #order = 0
  /** A heap by time, then by the order of asking. */
  readonly #events: Event[] = []
  readonly clock: Clock = { now: () => 1_700_000_000_000 + this.ms, mono: () => this.ms }

  /** For one life of a node: what it asked for is forgotten when it is over. */
  timers(alive: () => boolean): Timers {
    const guarded = (run: () => void) => () => alive() && run()
    return {
      after: (ms, run) => this.after(ms, guarded(run)),
      soon: run => void this.after(0, guarded(run)),
    }
  }

  after(ms: number, run: () => void): Timer {
    return this.at(this.ms + Math.max(0, ms), run)
  }

  /** What is asked for the same moment happens in the order of asking. */
  at(ms: number, run: () => void): Timer {
    const event: Event = { at: ms, order: this.#order++, run, cancelled: false }
    this.#push(event)
    return {
      cancel: () => {
        event.cancelled = true
      },
    }
  }

  /** Runs the next event; false when there is none before `until`. */
  step(until: number): boolean {
    for (;;) {
      const next = this.#events[0]
      if (next === undefined || next.at > until) {
        this.ms = Math.max(this.ms, until)
        return false
      }
      this.#pop()
      if (next.cancelled) continue
      this.ms = next.at
      next.run()
      return true
    }
  }

  #push(event: Event): void {
    const events = this.#events
    let at = events.length
    events.push(event)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(event, events[parent] as Event)) break
      events[at] = events[parent] as Event
      at = parent
    }
    events[at] = event
  }

  #pop(): void {
    const events = this.#events
    const last = events.pop() as Event
    if (events.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= events.length) break
      if (child + 1 < events.length && before(events[child + 1] as Event, events[child] as Event)) child++
      if (!before(events[child] as Event, last)) break
      events[at] = events[child] as Event
      at = child
    }
    events[at] = last
  }
}

function before(one: Event, other: Event): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}
