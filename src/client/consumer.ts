import type { Timer } from '../world/world.ts'
import type { Cluster } from './cluster.ts'
import { type ConsumedRecord, defaultFetchOptions, Fetcher, type FetchOptions } from './fetcher.ts'
import { defaultGroupOptions, GroupMember, type GroupOptions } from './group-member.ts'
import { type CommittedOffset, commitOffsets, fetchOffsets, type GroupMembership } from './group-offsets.ts'
import type { StartAt, TopicPartition } from './offsets.ts'

export type { ConsumedRecord } from './fetcher.ts'
export type { StartAt, TopicPartition } from './offsets.ts'

export interface ConsumerOptions extends FetchOptions, Omit<GroupOptions, 'groupId'> {
  /** null: reads on its own, without committing. */
  readonly groupId: string | null
  /** Commit what was given out by the poll before, every so often. */
  readonly autoCommit: boolean
  readonly autoCommitIntervalMs: number
  /** Called with what is ours after each rebalance, before reading goes on. */
  readonly onAssigned: (partitions: readonly TopicPartition[]) => void
  /** Called before partitions may go to others; what was read can still be committed. */
  readonly onRevoked: (partitions: readonly TopicPartition[]) => void | Promise<void>
}

export const defaultConsumerOptions: ConsumerOptions = {
  ...defaultFetchOptions,
  ...defaultGroupOptions,
  groupId: null,
  autoCommit: true,
  autoCommitIntervalMs: 5_000,
  onAssigned() {},
  onRevoked() {},
}

/**
 * Reads records: of partitions that it is told (`assign`), or of those that its group gives it (`subscribe`). One caller at a
 * time; `poll` must be called at least every `maxPollIntervalMs`.
 */
export class Consumer {
  readonly #cluster: Cluster
  readonly #options: ConsumerOptions
  readonly #fetcher: Fetcher
  #member: GroupMember | null = null
  /** What the group has given us and we do not read yet: where to begin is not known. */
  #owed: readonly TopicPartition[] | null = null
  #topics: readonly string[] = []
  #given = new Map<string, CommittedOffset>()
  /** Given out by the last poll; the next poll says that it was worked on. */
  #open = new Map<string, CommittedOffset>()
  /** Tells whether it went well; never rejects. */
  #committing: Promise<boolean> | null = null
  #commitTimer: Timer | null = null
  #commitDue = false
  #closed = false

  constructor(cluster: Cluster, options: Partial<ConsumerOptions> = {}) {
    this.#cluster = cluster
    this.#options = { ...defaultConsumerOptions, ...options }
    this.#fetcher = new Fetcher(cluster, this.#options)
  }

  /** Reads these partitions. With a group and without `start` it begins at the committed offsets. */
  async assign(partitions: readonly (TopicPartition & { readonly start?: StartAt })[]): Promise<void> {
    const { groupId } = this.#options
    const open = partitions.filter(each => each.start === undefined)
    const committed = groupId === null || open.length === 0 ? [] : await fetchOffsets(this.#cluster, groupId, open)
    const starts = new Map(committed.map(each => [`${each.topic}-${each.partition}`, each]))
    this.#fetcher.assign(
      partitions.map(({ topic, partition, start }) => {
        if (start !== undefined) return { topic, partition, start }
        const at = starts.get(`${topic}-${partition}`)
        return at === undefined
          ? { topic, partition }
          : { topic, partition, start: at.offset, leaderEpoch: at.leaderEpoch ?? -1 }
      }),
    )
  }

  /** Joins the group with the next `poll`, which then gives records of what the group assigns. */
  subscribe(topics: readonly string[]): void {
    const { groupId } = this.#options
    if (groupId === null) throw new RangeError('subscribe needs a groupId')
    this.#topics = topics
    this.#member ??= new GroupMember(this.#cluster, { ...this.#options, groupId })
  }

  /** Its place in the group, for commits by somebody else; throws without a group. */
  get membership(): GroupMembership {
    if (this.#member === null) throw new RangeError('only who has subscribed is a member')
    return this.#member.membership
  }

  get assignment(): TopicPartition[] {
    return this.#fetcher.assignment
  }

  position(topic: string, partition: number): number | null {
    return this.#fetcher.position(topic, partition)
  }

  highWatermark(topic: string, partition: number): number {
    return this.#fetcher.highWatermark(topic, partition)
  }

  seek(topic: string, partition: number, start: StartAt): void {
    this.#fetcher.seek(topic, partition, start)
  }

  pause(topic: string, partition: number): void {
    this.#fetcher.pause(topic, partition)
  }

  resume(topic: string, partition: number): void {
    this.#fetcher.resume(topic, partition)
  }

  /** The next records, at most `maxPollRecords`; empty when none came within `timeoutMs`. */
  async poll(timeoutMs: number): Promise<ConsumedRecord[]> {
    this.#worked()
    if (this.#member !== null) await this.#keepMembership(this.#member)
    const records = await this.#fetcher.poll(timeoutMs)
    for (const record of records) this.#open.set(`${record.topic}-${record.partition}`, behind(record))
    return records
  }

  /** Records one after the other, until the consumer is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ConsumedRecord, void, void> {
    while (!this.#closed) {
      const records = await this.poll(this.#options.maxWaitMs)
      // Whoever leaves the loop has not worked on the rest.
      this.#open.clear()
      for (const record of records) {
        if (this.#closed) return
        yield record
        this.#given.set(`${record.topic}-${record.partition}`, behind(record))
      }
    }
  }

  /** Commits these offsets, or with none given everything that `poll` has given out. */
  async commit(offsets?: readonly CommittedOffset[]): Promise<void> {
    // What it commits is older.
    await this.#committing
    if (offsets === undefined) {
      this.#worked()
      await this.#commitGiven()
    } else {
      await this.#commit(offsets)
    }
  }

  /** Commits everything that was given out (with `autoCommit`), leaves the group. The cluster's connections stay open. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#commitTimer?.cancel()
    this.#worked()
    await this.#commitQuietly()
    await this.#member?.leave()
    this.#fetcher.assign([])
  }

  /** The caller is done with what the last poll gave out. */
  #worked(): void {
    for (const [name, offset] of this.#open) this.#given.set(name, offset)
    this.#open.clear()
  }

  async #commit(offsets: readonly CommittedOffset[]): Promise<void> {
    const { groupId } = this.#options
    if (groupId === null) throw new RangeError('commit needs a groupId')
    try {
      await commitOffsets(this.#cluster, groupId, offsets, this.#member?.membership)
    } catch (error) {
      this.#member?.told(error)
      throw error
    }
  }

  async #commitGiven(): Promise<void> {
    const given = new Map(this.#given)
    await this.#commit([...given.values()])
    for (const [name, offset] of given) if (this.#given.get(name) === offset) this.#given.delete(name)
  }

  async #keepMembership(member: GroupMember): Promise<void> {
    member.polled()
    await this.#watchTopics(member)
    if (member.mustJoin) await this.#rejoin(member)
    else if (this.#owed !== null) await this.#takeOver(this.#owed)
    if (this.#commitDue) {
      this.#commitDue = false
      // Not waited for: partitions can be read while the coordinator is away.
      void this.#commitGivenSoon()
    }
    if (this.#options.autoCommit && this.#commitTimer === null) {
      this.#commitTimer = this.#cluster.world.timers.after(this.#options.autoCommitIntervalMs, () => {
        this.#commitTimer = null
        this.#commitDue = true
      })
    }
  }

  /** When metadata grew old, topics may have appeared or grown. */
  async #watchTopics(member: GroupMember): Promise<void> {
    if (this.#topics.every(name => this.#cluster.knownTopic(name) !== null)) return
    const { topics } = await this.#cluster.metadata(this.#topics)
    member.topicsChanged(new Map(topics.map(topic => [topic.name, topic.partitions.length])))
  }

  async #rejoin(member: GroupMember): Promise<void> {
    const before = this.#fetcher.assignment
    if (before.length > 0) await this.#options.onRevoked(before)
    await this.#commitQuietly()
    this.#fetcher.assign([])
    this.#given.clear()
    this.#owed = null
    await this.#takeOver(await member.join(this.#topics))
  }

  /** When it fails they stay ours: the next poll tries it again. */
  async #takeOver(mine: readonly TopicPartition[]): Promise<void> {
    this.#owed = mine
    await this.assign(mine)
    this.#owed = null
    this.#options.onAssigned(mine)
  }

  /** All that was given out, also while another commit was under way, unless that failed. */
  async #commitQuietly(): Promise<void> {
    if (this.#committing !== null && !(await this.#committing)) return
    await this.#commitGivenSoon()
  }

  /** A commit that fails is made up for by the next one, or the records are read again. One at a time. */
  #commitGivenSoon(): Promise<boolean> {
    if (this.#committing !== null) return this.#committing
    if (!this.#options.autoCommit || this.#options.groupId === null || this.#given.size === 0)
      return Promise.resolve(true)
    this.#committing = this.#commitGiven()
      .then(
        () => true,
        () => false,
      )
      .finally(() => {
        this.#committing = null
      })
    return this.#committing
  }
}

/** What is committed once a record has been worked on. */
export function behind({ topic, partition, offset, leaderEpoch }: ConsumedRecord): CommittedOffset {
  return { topic, partition, offset: offset + 1, leaderEpoch }
}
