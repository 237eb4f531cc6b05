import { Fetcher, type FetcherOptions } from './fetcher.ts'
import { Following } from './following.ts'
import type { Partition } from './partition.ts'

/** All that this node copies, by the node that it is copied from. */
export class Fetchers {
  readonly #options: FetcherOptions
  readonly #fetchers = new Map<number, Fetcher>()
  readonly #followings = new Map<Partition, Following>()

  constructor(options: FetcherOptions) {
    this.#options = options
  }

  /** Partitions that are copied. */
  get size(): number {
    return this.#followings.size
  }

  /** Copies the partition from `source` from now on; −1: from nobody. */
  follow(partition: Partition, source: number): void {
    const { leaderEpoch } = partition
    const before = this.#followings.get(partition)
    if (before?.source === source && before.leaderEpoch === leaderEpoch) {
      this.#fetchers.get(source)?.roleChanged(before)
      return
    }
    if (before !== undefined) {
      this.#followings.delete(partition)
      this.#fetchers.get(before.source)?.remove(before)
    }
    if (source < 0) return
    const following = new Following(partition, leaderEpoch, source)
    this.#followings.set(partition, following)
    let fetcher = this.#fetchers.get(source)
    if (fetcher === undefined) {
      fetcher = new Fetcher(source, this.#options)
      this.#fetchers.set(source, fetcher)
    }
    fetcher.add(following)
  }

  close(): void {
    for (const fetcher of this.#fetchers.values()) fetcher.close()
    this.#fetchers.clear()
    this.#followings.clear()
  }
}
