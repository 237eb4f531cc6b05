import { OffsetCommit } from '../protocol/messages/offset-commit.ts'
import { OffsetFetch } from '../protocol/messages/offset-fetch.ts'
import type { Cluster } from './cluster.ts'
import { throwIf } from './failures.ts'
import { byTopic, type TopicPartition } from './offsets.ts'

export interface CommittedOffset extends TopicPartition {
  /** Offset of the next record to read. */
  readonly offset: number
  readonly leaderEpoch?: number
  readonly metadata?: string | null
}

/** Who commits; left out, the group must have no members. */
export interface GroupMembership {
  readonly memberId: string
  readonly generationId: number
  readonly groupInstanceId: string | null
}

/** From version 10 on topics have ids only; names do for us. */
const maxVersion = 9

/** Committed offsets of a group: of these partitions, or all with null. Partitions without one are left out. */
export async function fetchOffsets(
  cluster: Cluster,
  groupId: string,
  partitions: readonly TopicPartition[] | null,
  requireStable = false,
): Promise<CommittedOffset[]> {
  const named = partitions === null ? null : byTopic(partitions, part => part.partition)
  const topics = named?.map(({ name, partitions }) => ({ name, partitionIndexes: partitions })) ?? null
  const answer = await cluster.askCoordinator(
    'group',
    groupId,
    OffsetFetch,
    version => (version < 8 ? { groupId, topics } : { groups: [{ groupId, topics }], requireStable }),
    answer => {
      const group = answer.groups[0] ?? answer
      const partition = group.topics.flatMap(topic => topic.partitions).find(part => part.errorCode !== 0)
      return group.errorCode || (partition?.errorCode ?? 0)
    },
    { maxVersion },
  )
  const group = answer.groups[0] ?? answer
  return group.topics
    .flatMap(({ name: topic, partitions }) =>
      partitions.map(part => ({
        topic,
        partition: part.partitionIndex,
        offset: part.committedOffset,
        leaderEpoch: part.committedLeaderEpoch,
        metadata: part.metadata,
      })),
    )
    .filter(each => each.offset >= 0)
}

/** Commits offsets for a group. Throws ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS. */
export async function commitOffsets(
  cluster: Cluster,
  groupId: string,
  offsets: readonly CommittedOffset[],
  member: GroupMembership = { memberId: '', generationId: -1, groupInstanceId: null },
): Promise<void> {
  if (offsets.length === 0) return
  const answer = await cluster.askCoordinator(
    'group',
    groupId,
    OffsetCommit,
    {
      groupId,
      generationIdOrMemberEpoch: member.generationId,
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      topics: byTopic(offsets, ({ partition, offset, leaderEpoch = -1, metadata = '' }) => ({
        partitionIndex: partition,
        committedOffset: offset,
        committedLeaderEpoch: leaderEpoch,
        committedMetadata: metadata,
      })),
    },
    answer => {
      const codes = answer.topics.flatMap(topic => topic.partitions).map(part => part.errorCode)
      return codes.find(code => code !== 0) ?? 0
    },
    { maxVersion },
  )
  for (const { partitions } of answer.topics) for (const part of partitions) throwIf(part.errorCode, groupId)
}
