import type { LedPartition } from '../machine/partition-log.ts'
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import { partitionOfKey } from '../protocol/java-hash.ts'
import type { ListGroups } from '../protocol/messages/list-groups.ts'
import type { RequestOf } from '../protocol/schema.ts'
import type { Logger } from '../world/logger.ts'
import type { Clock, Random, Timers } from '../world/world.ts'
import { type Attendance, Bells } from './bells.ts'
import type { AcquireAnswer, Begin, DescribedGroup, SettleAnswer, SettleItem, SkipCommand, Want } from './commands.ts'
import type { ShareConfig } from './config.ts'
import { type DeadLetterPort, DeadLetters } from './dead-letters.ts'
import type { SharePartition } from './share-partition.ts'
import { ShareTerm } from './share-term.ts'
import { partitionsOf } from './state.ts'
import type { Tails } from './tails.ts'

export const shareStateTopic = '__share_group_state'

/** Facts add up, so none may be cleaned away for a later one of the same key; snapshots let the head of the log go. */
export const shareStateConfigs = (segmentBytes: number) => ({
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'compression.type': 'producer',
  'segment.bytes': String(segmentBytes),
})

interface ListedGroup {
  readonly groupId: string
  readonly protocolType: 'share'
  readonly groupState: 'Stable' | 'Empty'
  readonly groupType: 'share'
}

export interface TopicInfo {
  readonly topicId: string
  readonly partitions: number
}

export interface ShareCoordinatorOptions {
  readonly config: ShareConfig
  /** Partitions of `__share_group_state`: as many as it has, or, before it is made, as it will have. */
  readonly partitionCount: () => number
  readonly topics: {
    byName(name: string): TopicInfo | undefined
    exists(topicId: string): boolean
  }
  readonly tails: Tails
  readonly deadLetters: DeadLetterPort
  /** Nobody else can coordinate our groups by now. */
  readonly isSuccessorRuledOut: () => boolean
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  /** Requests that may wait for records at the same time; more are answered at once. Default 10,000. */
  readonly maxWaiting?: number
}

export interface AcquireRequest {
  readonly groupId: string
  readonly topic: string
  readonly begin: Begin
  readonly wants: readonly Want[]
  /** ms until it is answered with nothing. */
  readonly waitMs: number
  /** Aborted when nobody is there any more to take the answer. */
  readonly signal: AbortSignal | null
}

export type SkippedRange = Pick<SkipCommand, 'partition' | 'from' | 'to'>

export interface SettleRequest {
  readonly groupId: string
  readonly topic: string
  readonly items: readonly SettleItem[]
  readonly skipped: readonly SkippedRange[]
  /** Id of the topic in which they are skipped; null: whichever has the name. */
  readonly skippedOf: string | null
}

export interface ResetRequest {
  readonly groupId: string
  readonly topic: string
  readonly offsets: readonly { readonly partition: number; readonly offset: number }[]
}

/**
 * The coordinator of this node's lease groups. A group belongs to one partition of `__share_group_state`, and whoever leads
 * that coordinates it, for all topics that it reads. Rejects with KafkaError: NOT_COORDINATOR and its kin,
 * UNKNOWN_TOPIC_OR_PARTITION.
 */
export class ShareCoordinator {
  readonly #options: ShareCoordinatorOptions
  readonly #terms = new Map<number, ShareTerm>()
  readonly #bells: Bells
  readonly #deadLetters: DeadLetters
  #stopped = false
  #acquired = 0
  #settled = 0

  constructor(options: ShareCoordinatorOptions) {
    const { timers, clock, logger, config } = options
    this.#options = options
    this.#bells = new Bells(timers)
    this.#deadLetters = new DeadLetters({ port: options.deadLetters, config, timers, clock, logger })
  }

  /** The partition of `__share_group_state` that holds the group. */
  partitionFor(groupId: string): number {
    return partitionOfKey(groupId, this.#options.partitionCount())
  }

  /** This node leads the partition from now on, in `epoch`. Fulfilled when its groups are served, or cannot be. */
  lead(index: number, partition: LedPartition, epoch: number): Promise<void> {
    return this.#lead(index, partition, epoch, 0)
  }

  async #lead(index: number, partition: LedPartition, epoch: number, failures: number): Promise<void> {
    this.resign(index)
    if (this.#stopped) return
    const { config, clock, timers, random, logger } = this.#options
    const name = `${shareStateTopic}-${index}`
    // Nobody else would: the lead of the partition has not changed.
    const lost = (failures: number, afterMs: number): void => {
      timers.after(afterMs, () => {
        if (this.#terms.get(index) === term) void this.#lead(index, partition, epoch, failures)
      })
    }
    const watch = (groupId: string, share: SharePartition, before: number): void => {
      // As many as may be in flight were, and no longer are.
      const room = before >= config.maxInFlight && share.unfinished.size < config.maxInFlight
      if (share.ready.size > 0 || room) this.#bells.ring(bellKey(groupId, share.topic))
      if (share.dying > 0) this.#deadLetters.note(term, groupId, share)
    }
    const term = new ShareTerm({ name, partition, config, clock, timers, random, logger, watch, failures, lost })
    this.#terms.set(index, term)
    await term.start(epoch)
    if (!term.leading) return
    this.#deadLetters.begin(term)
    // Those that were deleted while nobody led. Who leads by the metadata has seen all topics of which its predecessors knew.
    await this.#forget(term, null)
  }

  /** This node does not lead the partition any more: whoever waits is told to look for the new coordinator. */
  resign(index: number): void {
    const term = this.#terms.get(index)
    if (term === undefined) return
    this.#terms.delete(index)
    this.#deadLetters.end(term)
    term.stop()
    this.#bells.ringAll()
  }

  stop(): void {
    this.#stopped = true
    for (const index of [...this.#terms.keys()]) this.resign(index)
    this.#bells.ringAll()
  }

  /** Forgets how far groups were in these topics. */
  async topicsDeleted(topics: readonly string[]): Promise<void> {
    const terms = [...this.#terms.values()].filter(({ leading }) => leading)
    await Promise.all(terms.map(term => this.#forget(term, topics)))
    // Whoever waits hears of it.
    const gone = new Set(topics)
    for (const key of this.#bells.keys()) if (gone.has(topicOfBell(key))) this.#bells.ring(key)
  }

  /** Never rejects: what a term cannot forget its successor will. */
  async #forget(term: ShareTerm, topics: readonly string[] | null): Promise<void> {
    const { exists } = this.#options.topics
    await term.ask<'TopicsDeleted'>({ type: 'TopicsDeleted', topics, exists }).catch(() => {})
  }

  /** Hands out records as soon as there are any; none after `waitMs`. */
  async acquire(request: AcquireRequest): Promise<AcquireAnswer & { readonly topicId: string }> {
    const { groupId, topic, begin, wants, waitMs, signal } = request
    const { tails, clock, maxWaiting = 10_000 } = this.#options
    const until = clock.mono() + waitMs
    // Whoever comes when it is full looks, and does not wait.
    const mayWait = waitMs > 0 && this.#bells.size < maxWaiting
    let attendance: Attendance | null = null
    try {
      let fresh = this.#mustRefresh(request)
      if (fresh) await tails.refresh(topic)
      for (;;) {
        attendance?.note()
        // While we waited it may have been deleted, and made anew.
        const { topicId } = this.#topic(topic)
        const known = tails.known(topic)
        const command = { type: 'Acquire', groupId, topic, topicId, begin, tails: known, wants } as const
        const answer = await this.#term(groupId).ask<'Acquire'>(command)
        const count = answer.grants.reduce((sum, { records }) => sum + records.length, 0)
        this.#acquired += count
        if (answer.error !== 'NONE' || count > 0) return { ...answer, topicId }
        const left = until - clock.mono()
        const waits = mayWait && left > 0 && !this.#stopped && signal?.aborted !== true
        if (fresh && !waits) return { ...answer, topicId }
        if (fresh && attendance !== null) {
          await attendance.wait(left, signal)
          continue
        }
        // Before the second look: what comes after it is heard of.
        if (waits) attendance ??= this.#bells.attend(bellKey(groupId, topic), ring => tails.watch(topic, ring))
        if (!fresh) await tails.refresh(topic)
        fresh = true
      }
    } finally {
      attendance?.leave()
    }
  }

  /** Whether what is known of the logs' ends will not do: to be handed out it may be old, to begin behind it not. */
  #mustRefresh({ groupId, topic, begin }: AcquireRequest): boolean {
    const { topicId, partitions } = this.#topic(topic)
    const known = this.#options.tails.known(topic)
    if (known.length < partitions) return true
    if (begin === 'earliest') return false
    const { state } = this.#term(groupId)
    return known.some(({ partition }) => state.find(groupId, topicId, partition) === undefined)
  }

  async settle({ groupId, topic, items, skipped, skippedOf }: SettleRequest): Promise<SettleAnswer> {
    const { topicId } = this.#topic(topic)
    const term = this.#term(groupId)
    // What is not there in one topic may be in another that has taken its name.
    const ranges = (skippedOf ?? topicId) === topicId ? skipped : []
    const skips = ranges.map(range => term.ask<'Skip'>({ type: 'Skip', groupId, topicId, ...range }))
    const settling = items.length === 0 ? null : term.ask<'Settle'>({ type: 'Settle', groupId, topicId, items })
    const [answer] = await Promise.all([settling, ...skips])
    this.#settled += items.length
    if (skips.length > 0) this.#bells.ring(bellKey(groupId, topic))
    return answer ?? { error: 'NONE', results: [] }
  }

  async describe(groupId: string): Promise<DescribedGroup> {
    this.#mayTell()
    const [group] = await this.#term(groupId).ask<'Describe'>({ type: 'Describe', groups: [groupId] })
    return group!
  }

  /** The groups of this node. */
  async list(): Promise<DescribedGroup[]> {
    this.#mayTell()
    const terms = [...this.#terms.values()]
    if (terms.some(({ loading }) => loading)) throw new KafkaError('COORDINATOR_LOAD_IN_PROGRESS')
    const groups = await Promise.all(terms.map(term => term.ask<'Describe'>({ type: 'Describe', groups: null })))
    return groups.flat()
  }

  /** The groups of this node as Kafka lists share groups (KIP-932): Stable while somebody works for them, or waits for work. */
  async listGroups(filter: Pick<RequestOf<typeof ListGroups>, 'statesFilter' | 'typesFilter'>): Promise<ListedGroup[]> {
    const waiting = new Set(Array.from(this.#bells.keys(), groupOfBell))
    const listed = (await this.list()).map(({ groupId, partitions }): ListedGroup => {
      const stable = waiting.has(groupId) || partitions.some(({ acquired }) => acquired > 0)
      return { groupId, protocolType: 'share', groupState: stable ? 'Stable' : 'Empty', groupType: 'share' }
    })
    const fits = (wanted: readonly string[], word: string): boolean =>
      wanted.length === 0 || wanted.some(each => each.trim().toLowerCase() === word.toLowerCase())
    return listed.filter(
      ({ groupState, groupType }) => fits(filter.statesFilter, groupState) && fits(filter.typesFilter, groupType),
    )
  }

  /** GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP. */
  async delete(groupId: string): Promise<ErrorName> {
    return (await this.#term(groupId).ask<'Delete'>({ type: 'Delete', groupId })).error
  }

  /** NON_EMPTY_GROUP. */
  async reset({ groupId, topic, offsets }: ResetRequest): Promise<ErrorName> {
    const { topicId } = this.#topic(topic)
    const command = { type: 'Reset', groupId, topic, topicId, offsets } as const
    const { error } = await this.#term(groupId).ask<'Reset'>(command)
    this.#bells.ring(bellKey(groupId, topic))
    return error
  }

  /** For metrics: of the groups that are coordinated here. */
  stats(): ShareStats {
    const sum = { groups: 0, partitions: 0, acquired: 0, ready: 0, resting: 0, dying: 0 }
    for (const { state } of this.#terms.values()) {
      sum.groups += state.groups.size
      for (const group of state.groups.values())
        for (const share of partitionsOf(group)) {
          sum.partitions++
          sum.acquired += share.acquired
          sum.ready += share.ready.size
          sum.resting += share.resting.size
          sum.dying += share.dying
        }
    }
    const { written, failures } = this.#deadLetters
    const totals = { acquiredTotal: this.#acquired, settledTotal: this.#settled }
    return { ...sum, ...totals, waiting: this.#bells.size, deadLettersTotal: written, deadLetterFailures: failures }
  }

  #topic(name: string): TopicInfo {
    const topic = this.#options.topics.byName(name)
    if (topic === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${name}`)
    return topic
  }

  #term(groupId: string): ShareTerm {
    const term = this.#terms.get(this.partitionFor(groupId))
    if (term === undefined || this.#stopped) throw new KafkaError('NOT_COORDINATOR')
    return term
  }

  /** Who was cut off or asleep may have a successor that knows better. */
  #mayTell(): void {
    if (this.#stopped || !this.#options.isSuccessorRuledOut()) throw new KafkaError('NOT_COORDINATOR')
  }
}

export interface ShareStats {
  readonly groups: number
  readonly partitions: number
  /** Leases in flight. */
  readonly acquired: number
  readonly ready: number
  readonly resting: number
  readonly dying: number
  /** Requests that wait for records. */
  readonly waiting: number
  readonly acquiredTotal: number
  readonly settledTotal: number
  readonly deadLettersTotal: number
  readonly deadLetterFailures: number
}

/** Names of topics have no spaces. */
const bellKey = (groupId: string, topic: string): string => `${topic} ${groupId}`
const groupOfBell = (key: string): string => key.slice(key.indexOf(' ') + 1)
const topicOfBell = (key: string): string => key.slice(0, key.indexOf(' '))
