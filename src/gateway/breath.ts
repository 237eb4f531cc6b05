import type { Timers } from '../world/world.ts'

/** Bytes or letters of values that are worked through before others have their turn: some milliseconds at worst. */
const inOneGo = 64 * 1024

/** For work that goes through many values, or large ones: others have their turn in between. */
export class Breath {
  readonly #timers: Pick<Timers, 'soon'>
  #done = 0

  constructor(timers: Pick<Timers, 'soon'>) {
    this.#timers = timers
  }

  /** After so many more. Null: go on; else when it is fulfilled. */
  after(bytes: number): Promise<void> | null {
    this.#done += bytes
    if (this.#done < inOneGo) return null
    this.#done = 0
    return new Promise(resolve => this.#timers.soon(resolve))
  }
}
