import type { Timers } from '../world/world.ts'

/** Bytes or letters of values that are worked through before others have their turn: some milliseconds at worst. */
const inOneGo = 64 * 1024

/** For work that goes through many values, or large ones: others have their turn in between. */
export class Breath {
  readonly #timers: Pick<Timers, 'soon'>
  readonly #most: number
  #done = 0

  /** `most`: bytes, or whatever else is counted, that are worked through in one go. */
  constructor(timers: Pick<Timers, 'soon'>, most = inOneGo) {
    this.#timers = timers
    this.#most = most
  }

  /** After so many more. Null: go on; else when it is fulfilled. */
  after(bytes: number): Promise<void> | null {
    this.#done += bytes
    if (this.#done < this.#most) return null
    this.#done = 0
    return new Promise(resolve => this.#timers.soon(resolve))
  }
}
