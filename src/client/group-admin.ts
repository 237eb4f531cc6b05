import { KafkaError } from '../protocol/errors.ts'
import { ConsumerGroupDescribe } from '../protocol/messages/consumer-group-describe.ts'
import { ConsumerProtocolAssignment } from '../protocol/messages/consumer-protocol.ts'
import { DeleteGroups } from '../protocol/messages/delete-groups.ts'
import { DescribeGroups } from '../protocol/messages/describe-groups.ts'
import { ListGroups } from '../protocol/messages/list-groups.ts'
import { OffsetDelete } from '../protocol/messages/offset-delete.ts'
import { ProtocolError } from '../protocol/protocol-error.ts'
import type { ResponseOutput } from '../protocol/schema.ts'
import type { Cluster } from './cluster.ts'
import { throwIf } from './failures.ts'
import { type CommittedOffset, commitOffsets, fetchOffsets } from './group-offsets.ts'
import { byTopic, type TopicPartition } from './offsets.ts'

export interface GroupListing {
  readonly groupId: string
  readonly protocolType: string
  /** '' where the broker is too old to say. */
  readonly state: string
  readonly type: string
}

export interface GroupMemberDescription {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly assignment: readonly TopicPartition[]
}

export interface GroupDescription {
  readonly groupId: string
  readonly state: string
  readonly protocolType: string
  /** Name of the assignor. */
  readonly protocol: string
  readonly members: readonly GroupMemberDescription[]
}

/** Consumer groups of both protocols, and their offsets. */
export class GroupAdmin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** Groups of all brokers. */
  async list(): Promise<GroupListing[]> {
    const { brokers } = await this.#cluster.metadata([])
    const groups = new Map<string, GroupListing>()
    for (const { nodeId } of brokers) {
      const answer = await this.#cluster.retry(async () => {
        const connection = await this.#cluster.broker(nodeId)
        const answer = await connection.request(ListGroups, { statesFilter: [], typesFilter: [] })
        throwIf(answer.errorCode, 'ListGroups')
        return answer
      })
      for (const { groupId, protocolType, groupState: state, groupType: type } of answer.groups) {
        groups.set(`${groupId} ${type}`, { groupId, protocolType, state, type })
      }
    }
    return [...groups.values()].sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
  }

  /** A group that does not exist is described as dead, as Kafka does. */
  async describe(groupId: string): Promise<GroupDescription> {
    return (await this.#describeNew(groupId)) ?? (await this.#describeClassic(groupId))
  }

  /** Throws NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND. */
  async delete(groupId: string): Promise<void> {
    await this.#cluster.askCoordinator(
      'group',
      groupId,
      DeleteGroups,
      { groupsNames: [groupId] },
      answer => answer.results[0]?.errorCode ?? -1,
    )
  }

  /** Committed offsets: of all partitions that have one. */
  offsets(groupId: string, partitions: readonly TopicPartition[] | null = null): Promise<CommittedOffset[]> {
    return fetchOffsets(this.#cluster, groupId, partitions)
  }

  /** Sets offsets of a group without members. Throws UNKNOWN_MEMBER_ID when it has some. */
  alterOffsets(groupId: string, offsets: readonly CommittedOffset[]): Promise<void> {
    return commitOffsets(this.#cluster, groupId, offsets)
  }

  /** Throws GROUP_SUBSCRIBED_TO_TOPIC while members read the topic. */
  async deleteOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
    const topics = byTopic(partitions, ({ partition }) => ({ partitionIndex: partition }))
    await this.#cluster.askCoordinator('group', groupId, OffsetDelete, { groupId, topics }, answer => {
      const parts = answer.topics.flatMap(topic => topic.partitions)
      return answer.errorCode || (parts.find(part => part.errorCode !== 0)?.errorCode ?? 0)
    })
  }

  /** Null: no group of the newer protocol (KIP-848), or a broker that does not know it. */
  async #describeNew(groupId: string): Promise<GroupDescription | null> {
    try {
      const answer = await this.#cluster.askCoordinator(
        'group',
        groupId,
        ConsumerGroupDescribe,
        { groupIds: [groupId], includeAuthorizedOperations: false },
        answer => answer.groups[0]?.errorCode ?? -1,
      )
      const group = answer.groups[0]!
      const members = group.members.map(modernMember)
      return { groupId, state: group.groupState, protocolType: 'consumer', protocol: group.assignorName, members }
    } catch (error) {
      const other = ['GROUP_ID_NOT_FOUND', 'UNSUPPORTED_VERSION']
      if (error instanceof KafkaError && other.includes(error.errorName)) return null
      throw error
    }
  }

  async #describeClassic(groupId: string): Promise<GroupDescription> {
    const answer = await this.#cluster.askCoordinator(
      'group',
      groupId,
      DescribeGroups,
      { groups: [groupId] },
      answer => answer.groups[0]?.errorCode ?? -1,
      // Version 6 makes an error of a missing group (KIP-1043).
      { maxVersion: 5 },
    )
    const group = answer.groups[0]!
    const { groupState: state, protocolType, protocolData: protocol } = group
    return { groupId, state, protocolType, protocol, members: classicMembers(group) }
  }
}

type ModernMember = ResponseOutput<typeof ConsumerGroupDescribe>['groups'][number]['members'][number]

/** A member of a group of the newer protocol (KIP-848). */
export function modernMember(member: ModernMember): GroupMemberDescription {
  const { memberId, instanceId: groupInstanceId, clientId, clientHost, assignment } = member
  const topics = assignment.topicPartitions.map(({ topicName: topic, partitions }) => ({ topic, partitions }))
  return { memberId, groupInstanceId, clientId, clientHost, assignment: partitionsOf(topics) }
}

type ClassicGroup = ResponseOutput<typeof DescribeGroups>['groups'][number]

/** Other protocol types than `consumer` put into an assignment what they like. */
export function classicMembers({ protocolType, members }: ClassicGroup): GroupMemberDescription[] {
  return members.map(({ memberId, groupInstanceId, clientId, clientHost, memberAssignment }) => {
    const assignment = protocolType === 'consumer' ? assignedPartitions(memberAssignment) : []
    return { memberId, groupInstanceId, clientId, clientHost, assignment }
  })
}

/** Some assignors do so as well. */
function assignedPartitions(bytes: Uint8Array): TopicPartition[] {
  if (bytes.length < 2) return []
  try {
    return partitionsOf(ConsumerProtocolAssignment.read(bytes, 0, 2).assignedPartitions)
  } catch (error) {
    if (error instanceof ProtocolError) return []
    throw error
  }
}

function partitionsOf(topics: readonly { topic: string; partitions: readonly number[] }[]): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition })))
}
