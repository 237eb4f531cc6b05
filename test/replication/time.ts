import { Agenda } from '../../src/machine/agenda.test.kit.ts'
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
  readonly #agenda = new Agenda<Event>()
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
    this.#agenda.push(event)
    return {
      cancel: () => {
        event.cancelled = true
      },
    }
  }

  /** Runs the next event; false when there is none before `until`. */
  step(until: number): boolean {
    for (;;) {
      const { next } = this.#agenda
      if (next === undefined || next.at > until) {
        this.ms = Math.max(this.ms, until)
        return false
      }
      this.#agenda.pop()
      if (next.cancelled) continue
      this.ms = next.at
      next.run()
      return true
    }
  }
}
