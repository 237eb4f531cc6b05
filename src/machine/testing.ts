import type { Clock, Random, Timer, Timers } from '../world/world.ts'
import { Agenda, type Entry } from './agenda.test.kit.ts'

/** `run` is null when it was cancelled. */
interface Due extends Entry {
  run: (() => void) | null
}

/** Time that stands still until it is moved, for tests of what waits. */
export class VirtualTime implements Clock, Timers {
  #ms = 0
  #order = 0
  /** Of what is not cancelled. */
  #pending = 0
  #wall: number
  readonly #agenda = new Agenda<Due>()

  constructor(wallMs = 1_700_000_000_000) {
    this.#wall = wallMs
  }

  now(): number {
    return this.#wall + this.#ms
  }

  mono(): number {
    return this.#ms
  }

  after(ms: number, run: () => void): Timer {
    const entry: Due = { at: this.#ms + Math.max(0, ms), order: this.#order++, run }
    this.#agenda.push(entry)
    this.#pending++
    return {
      cancel: () => {
        if (entry.run !== null) this.#pending--
        entry.run = null
      },
    }
  }

  soon(run: () => void): void {
    this.after(0, run)
  }

  /** Runs what is due on the way, in order of time, then of arrival. */
  advance(ms: number): void {
    const until = this.#ms + ms
    for (;;) {
      const { next } = this.#agenda
      if (next === undefined || next.at > until) break
      this.#agenda.pop()
      const { run } = next
      if (run === null) continue
      next.run = null
      this.#pending--
      this.#ms = Math.max(this.#ms, next.at)
      run()
    }
    this.#ms = until
  }

  /** The process is stopped for so long: nothing runs, time goes on. */
  stall(ms: number): void {
    this.#ms += ms
    this.advance(0)
  }

  get pending(): number {
    return this.#pending
  }
}

/** Dice that fall the same for the same seed (mulberry32). */
export function dice(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  return {
    int: below => next() % below,
    bytes: count => Uint8Array.from({ length: count }, () => next() & 0xff),
  }
}
