/**
 * How many syncs may be under way at once. Each holds a thread of Node's pool for as long as the device takes; without a
 * limit, many partitions that sync would leave none for reads.
 */
export class SyncSlots {
  #free: number
  readonly #queue: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>(resolve => this.#queue.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#queue.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}
