import type { Random } from '../../src/world/world.ts'

/** Dice from a seed (mulberry32). Forked by name, so that a new use of them does not move the old ones. */
export class Dice implements Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** In [0, 1). */
  fraction(): number {
    return this.#next() / 4294967296
  }

  int(below: number): number {
    return below > 0xffffffff ? Math.floor(this.fraction() * below) : this.#next() % below
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    for (let i = 0; i < count; i++) bytes[i] = this.#next() & 0xff
    return bytes
  }

  /** True in `share` of all throws. */
  chance(share: number): boolean {
    return share > 0 && this.fraction() < share
  }

  between(least: number, most: number): number {
    return least + this.fraction() * (most - least)
  }

  /** As `between`, evenly over the orders of magnitude: small values are as likely as large ones. */
  magnitude(least: number, most: number): number {
    return least * (most / least) ** this.fraction()
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)] as T
  }

  fork(name: string): Dice {
    let seed = this.#state
    for (let i = 0; i < name.length; i++) seed = Math.imul(seed ^ name.charCodeAt(i), 0x01000193)
    return new Dice(new Dice(seed ^ 0x5bd1e995).#next())
  }
}
