import type { Timers } from '../../world/world.ts'
import { Turns } from '../turns.ts'
import { Slots } from './slots.ts'

/** Bytes of events that are made in one turn of the event loop, and what a record counts there that is only looked at. */
const turnBytes = 512 * 1024
const lookBytes = 50
/** Subscribers that read at one time: each has what it read in hand. */
const atOnce = 32

export interface PaceOptions {
  readonly timers: Pick<Timers, 'soon'>
  /** Bytes that wait for subscribers now; looked at only when it may be too much: there may be many of them. */
  readonly unsent: () => number
  readonly mostUnsent: () => number
}

/**
 * What subscribers who are behind share: they ask for as much as they like, and many may come at once. No turn of the event
 * loop makes more than some events for them, and as long as too much waits for those who take nothing they are given nothing.
 */
export class Pace {
  readonly #options: PaceOptions
  readonly #turns: Turns
  readonly #slots = new Slots(atOnce)
  /** What waited at the last look, and what was given since. */
  #seen = 0
  #given = 0
  readonly #patient: (() => void)[] = []

  constructor(options: PaceOptions) {
    this.#options = options
    this.#turns = new Turns(options.timers, turnBytes)
  }

  /** Reads and gives, when there is room for it. What takes long and holds nothing is done outside: others wait. */
  async run(work: () => Promise<void>): Promise<void> {
    while (this.full) await new Promise<void>(resolve => this.#patient.push(resolve))
    await this.#slots.run(work)
  }

  /** Too much waits for subscribers. */
  get full(): boolean {
    const most = this.#options.mostUnsent()
    // One look is enough for all, until they look `again`.
    if (this.#seen > most) return true
    if (this.#seen + this.#given <= most) return false
    this.#look()
    return this.#seen > most
  }

  /** How many wait until there is room. */
  get patient(): number {
    return this.#patient.length
  }

  /** Puts records into events, in this turn or in a later one. It says what it `gave`. */
  give<T>(work: () => T): Promise<T> {
    return this.#turns.run(work)
  }

  /** So many bytes, out of so many records: most of them may be none that are wanted. */
  gave(bytes: number, records = 0): void {
    this.#given += bytes
    this.#turns.spend(Math.max(bytes, records * lookBytes))
  }

  /** Subscribers were cut, or nobody is left: those who wait look again. */
  again(): void {
    this.#look()
    for (const run of this.#patient.splice(0)) run()
  }

  #look(): void {
    this.#seen = this.#options.unsent()
    this.#given = 0
  }
}
