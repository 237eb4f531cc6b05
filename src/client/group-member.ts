import { ErrorCode, KafkaError } from '../protocol/errors.ts'
import { ConsumerProtocolAssignment, ConsumerProtocolSubscription } from '../protocol/messages/consumer-protocol.ts'
import { Heartbeat } from '../protocol/messages/heartbeat.ts'
import { JoinGroup } from '../protocol/messages/join-group.ts'
import { LeaveGroup } from '../protocol/messages/leave-group.ts'
import { SyncGroup } from '../protocol/messages/sync-group.ts'
import type { ResponseOutput } from '../protocol/schema.ts'
import { Writer } from '../protocol/writer.ts'
import type { Timer } from '../world/world.ts'
import { type Assignor, assignors, type GroupMemberTopics } from './assignors.ts'
import type { Cluster } from './cluster.ts'
import { failure, mayRetry } from './failures.ts'
import type { GroupMembership } from './group-offsets.ts'
import type { TopicPartition } from './offsets.ts'

export interface GroupOptions {
  readonly groupId: string
  /** Set: a static member, which keeps its partitions through a restart (KIP-345). */
  readonly groupInstanceId: string | null
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** ms in which all members must have joined again; also how long a member may go without polling. */
  readonly maxPollIntervalMs: number
  /** Names of assignors in order of preference: `range`, `roundrobin`. */
  readonly assignors: readonly string[]
}

export const defaultGroupOptions: Omit<GroupOptions, 'groupId'> = {
  groupInstanceId: null,
  sessionTimeoutMs: 45_000,
  heartbeatIntervalMs: 3_000,
  maxPollIntervalMs: 300_000,
  assignors: ['range', 'roundrobin'],
}

const protocolType = 'consumer'
/** Answers after which a member is none any more, and begins anew. */
const expelled = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION'])

type Joined = ResponseOutput<typeof JoinGroup>

/** One member of a group in the classic protocol, with eager rebalances. */
export class GroupMember {
  readonly #cluster: Cluster
  readonly #options: GroupOptions
  /** What it was before it was expelled. */
  #former: GroupMembership | null = null
  #memberId = ''
  #generationId = -1
  #mustJoin = true
  #heartbeat: Timer | null = null
  /** Monotonic ms of the last `polled`. */
  #polledAt = 0
  #left = false
  #joining = false
  /** As leader: how many partitions each topic had when they were shared out. */
  #shared: ReadonlyMap<string, number> | null = null
  #fatal: unknown = null

  constructor(cluster: Cluster, options: Partial<GroupOptions> & Pick<GroupOptions, 'groupId'>) {
    this.#cluster = cluster
    this.#options = { ...defaultGroupOptions, ...options }
    for (const name of this.#options.assignors) {
      if (!assignors.some(each => each.name === name)) throw new RangeError(`${name} is none of range and roundrobin`)
    }
  }

  /** Who was expelled commits in its old name, and is refused: as a stranger it might undo what others have committed since. */
  get membership(): GroupMembership {
    if (this.#generationId < 0 && this.#former !== null) return this.#former
    return {
      memberId: this.#memberId,
      generationId: this.#generationId,
      groupInstanceId: this.#options.groupInstanceId,
    }
  }

  /** True when `join` must be called before reading on. Throws what ended the membership for good. */
  get mustJoin(): boolean {
    if (this.#fatal !== null) throw this.#fatal
    return this.#mustJoin
  }

  /** As leader, once the number of partitions is not what was shared out. */
  topicsChanged(partitions: ReadonlyMap<string, number>): void {
    if (this.#shared === null || this.#mustJoin) return
    const same = partitions.size === this.#shared.size && [...partitions].every(([k, n]) => this.#shared!.get(k) === n)
    if (!same) this.#mustJoin = true
  }

  /** The owner is alive; without that, heartbeats cease after `maxPollIntervalMs`. */
  polled(): void {
    this.#polledAt = this.#cluster.world.clock.mono()
  }

  /** Joins, or joins again, and gives the partitions that are ours now. Waits for all other members. */
  async join(topics: readonly string[]): Promise<TopicPartition[]> {
    this.#stopHeartbeats()
    this.#joining = true
    try {
      const mine = await this.#cluster.retry(() => this.#attempt(topics))
      this.#mustJoin = false
      return mine
    } finally {
      this.#joining = false
      this.polled()
      this.#beatLater()
    }
  }

  /** Leaves, so that others need not wait for the session to time out. A static member stays (KIP-345). */
  async leave(): Promise<void> {
    this.#left = true
    this.#stopHeartbeats()
    const { groupId, groupInstanceId } = this.#options
    if (this.#memberId === '' || groupInstanceId !== null) return
    const memberId = this.#memberId
    this.#forget()
    try {
      const connection = await this.#cluster.coordinator('group', groupId)
      const members = [{ memberId, groupInstanceId: null, reason: 'the consumer is closed' }]
      await connection.request(LeaveGroup, version => (version < 3 ? { groupId, memberId } : { groupId, members }))
    } catch {
      // The session times out instead.
    }
  }

  /** What an answer to a commit says about our membership. */
  told(error: unknown): void {
    this.#cluster.forgetCoordinator('group', this.#options.groupId, error)
    if (!(error instanceof KafkaError)) return
    if (expelled.has(error.errorName)) this.#forget()
    if (expelled.has(error.errorName) || error.errorName === 'REBALANCE_IN_PROGRESS') this.#mustJoin = true
  }

  async #attempt(topics: readonly string[]): Promise<TopicPartition[]> {
    try {
      return await this.#sync(await this.#joinOnce(topics), topics)
    } catch (error) {
      throw this.#again(error)
    }
  }

  async #joinOnce(topics: readonly string[]): Promise<Joined> {
    const { groupId, groupInstanceId, sessionTimeoutMs, maxPollIntervalMs } = this.#options
    const connection = await this.#cluster.coordinator('group', groupId)
    const metadata = subscription(topics)
    const request = () =>
      connection.request(
        JoinGroup,
        {
          groupId,
          sessionTimeoutMs,
          rebalanceTimeoutMs: maxPollIntervalMs,
          memberId: this.#memberId,
          groupInstanceId,
          protocolType,
          protocols: this.#options.assignors.map(name => ({ name, metadata })),
        },
        { timeoutMs: maxPollIntervalMs + 5_000 },
      )
    let joined = await request()
    if (joined.errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
      this.#memberId = joined.memberId
      joined = await request()
    }
    if (joined.errorCode !== 0) throw failure(joined.errorCode, `joining ${groupId}`)
    this.#memberId = joined.memberId
    this.#generationId = joined.generationId
    return joined
  }

  async #sync(joined: Joined, topics: readonly string[]): Promise<TopicPartition[]> {
    const { groupId } = this.#options
    const leads = joined.leader === joined.memberId && !joined.skipAssignment
    const assignments = leads ? await this.#share(joined, topics) : []
    if (!leads) this.#shared = null
    const connection = await this.#cluster.coordinator('group', groupId)
    const synced = await connection.request(
      SyncGroup,
      {
        groupId,
        generationId: joined.generationId,
        memberId: joined.memberId,
        groupInstanceId: this.#options.groupInstanceId,
        protocolType,
        protocolName: joined.protocolName,
        assignments,
      },
      { timeoutMs: this.#options.maxPollIntervalMs + 5_000 },
    )
    if (synced.errorCode !== 0) throw failure(synced.errorCode, `joining ${groupId}`)
    if (synced.assignment.length < 2) return []
    const { assignedPartitions } = ConsumerProtocolAssignment.read(synced.assignment, 0, 2)
    return assignedPartitions.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition })))
  }

  /** The leader's work. */
  async #share(joined: Joined, topics: readonly string[]): Promise<{ memberId: string; assignment: Uint8Array }[]> {
    const assignor = assignors.find(each => each.name === joined.protocolName) as Assignor
    const members: GroupMemberTopics[] = joined.members.map(({ memberId, metadata }) => ({
      memberId,
      topics: ConsumerProtocolSubscription.read(metadata, 0, 2).topics,
    }))
    const wanted = [...new Set([...topics, ...members.flatMap(member => member.topics)])]
    const { topics: found } = await this.#cluster.metadata(wanted)
    const partitions = new Map(found.map(topic => [topic.name, topic.partitions.length]))
    this.#shared = partitions
    return [...assignor.assign(members, partitions)].map(([memberId, assignment]) => {
      const writer = new Writer()
      writer.int16(0)
      const assignedPartitions = [...assignment].map(([topic, partitions]) => ({ topic, partitions }))
      ConsumerProtocolAssignment.write(writer, 0, { assignedPartitions, userData: null })
      return { memberId, assignment: writer.toBytes() }
    })
  }

  /** Makes errors that only mean "once more" ones that are retried. */
  #again(error: unknown): unknown {
    this.told(error)
    if (!(error instanceof KafkaError)) return error
    const { errorName } = error
    const retried = expelled.has(errorName) || errorName === 'REBALANCE_IN_PROGRESS'
    return retried ? new KafkaError('COORDINATOR_NOT_AVAILABLE', error.message, { cause: error }) : error
  }

  #forget(): void {
    this.#former = this.membership
    this.#memberId = ''
    this.#generationId = -1
    this.#shared = null
  }

  #stopHeartbeats(): void {
    this.#heartbeat?.cancel()
    this.#heartbeat = null
  }

  #beatLater(): void {
    this.#heartbeat?.cancel()
    this.#heartbeat = this.#cluster.world.timers.after(this.#options.heartbeatIntervalMs, () => void this.#beat())
  }

  async #beat(): Promise<void> {
    const { groupId, groupInstanceId, maxPollIntervalMs } = this.#options
    const generationId = this.#generationId
    if (this.#left || this.#joining || this.#memberId === '') return
    if (this.#cluster.world.clock.mono() - this.#polledAt > maxPollIntervalMs) {
      // Nobody works on our partitions: others may.
      this.#mustJoin = true
      const leaving = this.leave()
      this.#left = false
      return leaving
    }
    try {
      const connection = await this.#cluster.coordinator('group', groupId)
      const answer = await connection.request(Heartbeat, {
        groupId,
        generationId,
        memberId: this.#memberId,
        groupInstanceId,
      })
      if (answer.errorCode !== 0) throw failure(answer.errorCode, `heartbeat to ${groupId}`)
    } catch (error) {
      // What was asked before a new generation began says nothing about it.
      if (this.#joining || generationId !== this.#generationId) return
      this.told(error)
      if (!this.#mustJoin && !mayRetry(error)) this.#fatal = error
    }
    // Also while a rebalance waits for us: until the owner polls, or has been silent for too long.
    if (!this.#left && !this.#joining && this.#fatal === null) this.#beatLater()
  }
}

/** Version 0 of what a consumer tells the leader: its topics. */
function subscription(topics: readonly string[]): Buffer {
  const writer = new Writer()
  writer.int16(0)
  ConsumerProtocolSubscription.write(writer, 0, { topics, userData: null })
  return writer.toBytes()
}
