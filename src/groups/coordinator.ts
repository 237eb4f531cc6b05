import type { LedPartition } from '../machine/partition-log.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { partitionOfKey } from '../protocol/java-hash.ts'
import type { DeleteGroups } from '../protocol/messages/delete-groups.ts'
import type { DescribeGroups } from '../protocol/messages/describe-groups.ts'
import type { ListGroups } from '../protocol/messages/list-groups.ts'
import type { RequestOf, ResponseOf } from '../protocol/schema.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import type { Logger } from '../world/logger.ts'
import type { Clock, Random, Timers } from '../world/world.ts'
import type {
  Answers,
  ClientContext,
  FetchCommand,
  GroupCommand,
  HeartbeatRequest,
  HeartbeatResponse,
  JoinGroupRequest,
  JoinGroupResponse,
  LeaveGroupRequest,
  LeaveGroupResponse,
  OffsetCommitRequest,
  OffsetCommitResponse,
  OffsetDeleteRequest,
  OffsetDeleteResponse,
  OffsetFetchedGroup,
  OffsetFetchRequest,
  OffsetFetchResponse,
  SyncGroupRequest,
  SyncGroupResponse,
} from './commands.ts'
import type { GroupConfig } from './config.ts'
import { GroupPartition, type GroupPartitionStats } from './group-partition.ts'
import { OffsetTopics, type TopicLookup } from './offset-topics.ts'
import { refusal } from './refusals.ts'
import type { Transition } from './state.ts'

export const offsetsTopic = '__consumer_offsets'
/** Before offsets are looked for again that could not be forgotten. */
const retryMs = 1000

export interface GroupCoordinatorOptions {
  readonly config: GroupConfig
  /** Partitions of `__consumer_offsets`: as many as it has, or, before it is made, as it will have. */
  readonly partitionCount: () => number
  readonly topics: TopicLookup
  /** Nobody else can coordinate our groups by now. Left out: nobody ever can. */
  readonly isSuccessorRuledOut?: () => boolean
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
}

/**
 * The group coordinator of this node. Each group belongs to one partition of `__consumer_offsets`, and whoever leads that
 * partition coordinates the group. Answers are response bodies; errors are answers, too: no promise here rejects.
 */
export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions
  readonly #topics: OffsetTopics
  readonly #partitions = new Map<number, GroupPartition>()
  /** Those that will look again for offsets of deleted topics. */
  readonly #forgetful = new Set<GroupPartition>()
  #stopped = false

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options
    this.#topics = new OffsetTopics(options.topics)
  }

  /** The partition of `__consumer_offsets` that holds the group, by Kafka's hash. */
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
    const watch = (transition: Transition): void => this.#watch(transition)
    const name = `${offsetsTopic}-${index}`
    // Nobody else would: the lead of the partition has not changed.
    const lost = (failures: number, afterMs: number): void => {
      timers.after(afterMs, () => {
        if (this.#partitions.get(index) === groups) void this.#lead(index, partition, epoch, failures)
      })
    }
    const groups = new GroupPartition({
      name,
      partition,
      config,
      clock,
      timers,
      random,
      logger,
      watch,
      failures,
      lost,
    })
    this.#partitions.set(index, groups)
    await groups.start(epoch)
    // Those that were deleted while nobody led. Who leads by the metadata has seen all topics of which its predecessors knew.
    if (groups.leading) void this.#forget(index, groups, null)
  }

  /** This node does not lead the partition any more: whoever waits is told to look for the new coordinator. */
  resign(index: number): void {
    const groups = this.#partitions.get(index)
    this.#partitions.delete(index)
    groups?.stop()
  }

  stop(): void {
    this.#stopped = true
    for (const index of [...this.#partitions.keys()]) this.resign(index)
  }

  /** Forgets all offsets that were committed for these topics. */
  async topicsDeleted(topics: readonly string[]): Promise<void> {
    await Promise.all([...this.#partitions].map(([index, groups]) => this.#forget(index, groups, topics)))
  }

  /** What cannot be written now, for want of replicas, is looked for again until it can. */
  async #forget(index: number, groups: GroupPartition, topics: readonly string[] | null): Promise<void> {
    const { topics: known, timers } = this.#options
    if (await groups.forget(topics, name => known.byName(name)?.topicId)) return
    if (this.#partitions.get(index) !== groups || this.#forgetful.has(groups)) return
    this.#forgetful.add(groups)
    timers.after(retryMs, () => {
      this.#forgetful.delete(groups)
      if (this.#partitions.get(index) === groups) void this.#forget(index, groups, null)
    })
  }

  joinGroup(version: number, request: JoinGroupRequest, client: ClientContext): Promise<JoinGroupResponse> {
    const { clientId, clientHost } = client
    return this.#ask<'JoinGroup'>(request.groupId, { type: 'JoinGroup', version, request, clientId, clientHost })
  }

  syncGroup(version: number, request: SyncGroupRequest): Promise<SyncGroupResponse> {
    return this.#ask<'SyncGroup'>(request.groupId, { type: 'SyncGroup', version, request })
  }

  heartbeat(request: HeartbeatRequest): Promise<HeartbeatResponse> {
    return this.#ask<'Heartbeat'>(request.groupId, { type: 'Heartbeat', request })
  }

  leaveGroup(version: number, request: LeaveGroupRequest): Promise<LeaveGroupResponse> {
    return this.#ask<'LeaveGroup'>(request.groupId, { type: 'LeaveGroup', version, request })
  }

  async offsetCommit(version: number, request: OffsetCommitRequest): Promise<OffsetCommitResponse> {
    const { request: known, finish } = this.#topics.ofCommit(version, request)
    if (known.topics.length === 0) return finish({ throttleTimeMs: 0, topics: [] })
    return finish(await this.#ask<'OffsetCommit'>(known.groupId, { type: 'OffsetCommit', version, request: known }))
  }

  async offsetFetch(version: number, request: OffsetFetchRequest): Promise<OffsetFetchResponse> {
    if (version >= 8) {
      const groups = await Promise.all(
        request.groups.map(({ groupId, topics }) => this.#fetch(version, groupId, topics, request.requireStable)),
      )
      return { throttleTimeMs: 0, groups }
    }
    const { groupId } = request
    const asked = request.topics?.map(topic => ({ ...topic, topicId: ZERO_UUID })) ?? null
    const { topics, errorCode = 0 } = await this.#fetch(version, groupId, asked, request.requireStable)
    if (version >= 2 || errorCode === 0) return { throttleTimeMs: 0, topics: named(topics), errorCode }
    // Versions 0 and 1 have no place for an error but beside each partition.
    const failed = (asked ?? []).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map(partitionIndex => ({
        partitionIndex,
        committedOffset: -1,
        metadata: '',
        errorCode,
      })),
    }))
    return { throttleTimeMs: 0, topics: failed }
  }

  async #fetch(
    version: number,
    groupId: string,
    asked: FetchCommand['topics'],
    requireStable: boolean,
  ): Promise<OffsetFetchedGroup> {
    const { topics, finish } = this.#topics.ofFetch(version, asked)
    const idOf = (name: string) => this.#options.topics.byName(name)?.topicId
    const command = { type: 'OffsetFetch', groupId, topics, requireStable, idOf } as const
    return finish(await this.#ask<'OffsetFetch'>(groupId, command))
  }

  async offsetDelete(request: OffsetDeleteRequest): Promise<OffsetDeleteResponse> {
    const { request: known, finish } = this.#topics.ofDelete(request)
    return finish(await this.#ask<'OffsetDelete'>(request.groupId, { type: 'OffsetDelete', request: known }))
  }

  async describeGroups(
    version: number,
    request: RequestOf<typeof DescribeGroups>,
  ): Promise<ResponseOf<typeof DescribeGroups>> {
    const groups = await Promise.all(
      request.groups.map(groupId =>
        this.#ask<'DescribeGroups'>(groupId, { type: 'DescribeGroups', version, groups: [groupId] }),
      ),
    )
    return { throttleTimeMs: 0, groups: groups.flat() }
  }

  async deleteGroups(request: RequestOf<typeof DeleteGroups>): Promise<ResponseOf<typeof DeleteGroups>> {
    const groupIds = [...new Set(request.groupsNames)]
    const results = await Promise.all(
      groupIds.map(groupId => this.#ask<'DeleteGroups'>(groupId, { type: 'DeleteGroups', groups: [groupId] })),
    )
    return { throttleTimeMs: 0, results: results.flat() }
  }

  /** The groups of this node; clients ask every node. */
  async listGroups(request: RequestOf<typeof ListGroups>): Promise<ResponseOf<typeof ListGroups>> {
    if (this.#stopped || !this.#mayTell())
      return { throttleTimeMs: 0, errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, groups: [] }
    const partitions = [...this.#partitions.values()]
    if (partitions.some(groups => groups.loading)) {
      return { throttleTimeMs: 0, errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, groups: [] }
    }
    const { statesFilter, typesFilter } = request
    const listed = await Promise.all(
      partitions.map(groups => groups.ask<'ListGroups'>({ type: 'ListGroups', statesFilter, typesFilter })),
    )
    // A partition that was lost meanwhile has no answer; its new leader lists its groups.
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, groups: listed.flatMap(groups => groups ?? []) }
  }

  /** For metrics: sums over the partitions that are led here. */
  stats(): GroupPartitionStats & { readonly partitions: number } {
    const sum = {
      partitions: this.#partitions.size,
      groups: 0,
      offsets: 0,
      parked: 0,
      timers: 0,
      waiting: 0,
      rebalances: 0,
    }
    for (const { stats } of this.#partitions.values()) {
      for (const key of Object.keys(stats) as (keyof GroupPartitionStats)[]) sum[key] += stats[key]
    }
    return sum
  }

  async #ask<Type extends keyof Answers>(
    groupId: string,
    command: Extract<GroupCommand, { type: Type }>,
  ): Promise<Answers[Type]> {
    // The answer has the command's own shape, see `settle`.
    if (this.#stopped) return refusal(command, 'COORDINATOR_NOT_AVAILABLE') as Answers[Type]
    const groups = this.#partitions.get(this.partitionFor(groupId))
    if (groups === undefined || (queries.has((command as GroupCommand).type) && !this.#mayTell()))
      return refusal(command, 'NOT_COORDINATOR') as Answers[Type]
    return groups.ask(command)
  }

  /** Who was cut off or asleep may have a successor that knows better. */
  #mayTell(): boolean {
    return this.#options.isSuccessorRuledOut?.() ?? true
  }

  #watch({ before, after, reason }: Transition): void {
    this.#options.logger.debug('a group changed its state', {
      group: after.groupId,
      from: before?.state ?? null,
      to: after.state,
      generation: after.generationId,
      members: after.members.size,
      reason,
    })
  }
}

/** Topics under their names, as versions below 8 want them. */
function named(topics: OffsetFetchedGroup['topics']): NonNullable<OffsetFetchResponse['topics']> {
  return topics.map(({ name = '', partitions }) => ({ name, partitions }))
}

/**
 * What is answered from memory. All else is appended to the log, and nobody hears of it before it is committed, which a
 * deposed coordinator cannot achieve.
 */
const queries: ReadonlySet<GroupCommand['type']> = new Set(['OffsetFetch', 'DescribeGroups'])
