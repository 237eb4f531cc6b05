import type { LeaseGroups, LeasePort } from '../broker/services.ts'
import type { Partition } from '../replication/partition.ts'
import type { SharesParts } from './shares.ts'

/** The topic whose partitions hold lease groups. Its module is not loaded for the name alone. */
const topic = '__share_group_state'

/** Lease groups, which are not loaded before there are some: most clusters never have one. */
export class LazyShares implements LeasePort {
  readonly #parts: SharesParts
  #opening: Promise<LeaseGroups> | null = null
  #opened: LeaseGroups | null = null
  #stopped = false

  constructor(parts: SharesParts) {
    this.#parts = parts
  }

  get opened(): LeaseGroups | null {
    return this.#opened
  }

  get opening(): Promise<LeaseGroups> | null {
    return this.#opening
  }

  open(): Promise<LeaseGroups> {
    this.#opening ??= this.#load()
    return this.#opening
  }

  async #load(): Promise<LeaseGroups> {
    const { shares } = await import('./shares.ts')
    this.#opened = shares(this.#parts)
    if (this.#stopped) this.#opened.stop()
    return this.#opened
  }

  leads(partition: Partition): void {
    if (partition.topic !== topic) return
    const { leaderEpoch } = partition
    void this.open().then(({ coordinator }) => {
      if (partition.isLeader && partition.leaderEpoch === leaderEpoch)
        return coordinator.lead(partition.index, partition, leaderEpoch)
    })
  }

  resigns(partition: Partition): void {
    if (partition.topic === topic) this.#opened?.coordinator.resign(partition.index)
  }

  deleted(topics: readonly string[]): void {
    void this.#opened?.coordinator.topicsDeleted(topics)
  }

  stop(): void {
    this.#stopped = true
    this.#opened?.stop()
  }
}
