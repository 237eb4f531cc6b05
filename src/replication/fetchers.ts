import { Fetcher, type FetcherOptions } from './fetcher.ts'
import { Following } from './following.ts'
import type { Partition } from './partition.ts'

/**
 * What is in sync is copied apart from what is to come there, each in its own turns: those who wait for a replica that is in
 * sync do not wait for megabytes of others, and their way to the disk.
 */
export type CopyLane = 'in-sync' | 'catching-up'

export interface FetchersOptions extends Omit<FetcherOptions, 'port'> {
  /** Lanes do not wait for one another. */
  port(lane: CopyLane): FetcherOptions['port']
}

/** Where a partition is copied. */
interface Place {
  readonly following: Following
  readonly fetcher: Fetcher
}

/** All that this node copies, by the node that it is copied from. */
export class Fetchers {
  readonly #options: FetchersOptions
  readonly #fetchers = new Map<string, Fetcher>()
  readonly #places = new Map<Partition, Place>()

  constructor(options: FetchersOptions) {
    this.#options = options
  }

  /** Partitions that are copied. */
  get size(): number {
    return this.#places.size
  }

  /** Copies the partition from `source` from now on; −1: from nobody. */
  follow(partition: Partition, source: number): void {
    const { leaderEpoch } = partition
    const before = this.#places.get(partition)
    const fetcher = source < 0 ? null : this.#fetcher(source, laneOf(partition))
    if (before !== undefined && before.fetcher === fetcher && before.following.leaderEpoch === leaderEpoch) {
      fetcher.roleChanged(before.following)
      return
    }
    if (before !== undefined) {
      this.#places.delete(partition)
      before.fetcher.remove(before.following)
    }
    if (fetcher === null) return
    const following = new Following(partition, leaderEpoch, source)
    this.#places.set(partition, { following, fetcher })
    fetcher.add(following)
  }

  close(): void {
    for (const fetcher of this.#fetchers.values()) fetcher.close()
    this.#fetchers.clear()
    this.#places.clear()
  }

  #fetcher(source: number, lane: CopyLane): Fetcher {
    const name = `${source} ${lane}`
    let fetcher = this.#fetchers.get(name)
    if (fetcher === undefined) {
      const { port, ...options } = this.#options
      fetcher = new Fetcher(source, { ...options, port: port(lane) })
      this.#fetchers.set(name, fetcher)
    }
    return fetcher
  }
}

function laneOf({ role, node }: Partition): CopyLane {
  return role.isr.includes(node) ? 'in-sync' : 'catching-up'
}
