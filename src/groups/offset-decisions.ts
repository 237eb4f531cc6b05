import type { Moment } from '../machine/machine.ts'
import { ErrorCode, type ErrorName } from '../protocol/errors.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import type {
  CommitCommand,
  FetchCommand,
  GroupDecision,
  GroupEffect,
  OffsetCommitRequest,
  OffsetDeleteCommand,
  OffsetFetchedGroup,
  TopicsDeletedCommand,
} from './commands.ts'
import type { GroupConfig } from './config.ts'
import type { CommittedOffset, GroupRecord, OffsetCommitRecord } from './facts.ts'
import { type Group, memberError, subscriptionOf } from './group.ts'
import { sessionKey } from './keys.ts'
import { commitReply, fetchFailed, offsetDeleteFailed } from './replies.ts'
import type { GroupsState } from './state.ts'

/**
 * OffsetCommit 0–10. Members of the current generation commit; so may anybody (an administrator, a consumer without
 * subscription) while the group has no members. Versions 2–4 may name a retention of their own, which Kafka still honours.
 */
export function commitOffsets(
  state: GroupsState,
  { request, version }: CommitCommand,
  config: GroupConfig,
  at: Moment,
): GroupDecision {
  const group = state.group(request.groupId)
  const error = group === undefined ? foundingError(state, version, request, config) : commitError(group, request)
  if (error !== null) {
    return { records: [], effects: [{ do: 'answer', answer: commitReply(request, () => error) }] }
  }
  const records: OffsetCommitRecord[] = []
  let room = config.maxOffsetsPerPartition - state.offsets.size
  const expireTimestamp = request.retentionTimeMs < 0 ? -1 : at.ms + request.retentionTimeMs
  const answer = commitReply(request, (topic, partition): ErrorName => {
    const metadata = partition.committedMetadata ?? ''
    if (metadata.length > config.offsetMetadataMaxBytes) return 'OFFSET_METADATA_TOO_LARGE'
    if (state.offsets.stable.get(request.groupId, topic.name, partition.partitionIndex) === undefined && room-- <= 0) {
      return 'INVALID_COMMIT_OFFSET_SIZE'
    }
    const value = {
      offset: partition.committedOffset,
      leaderEpoch: partition.committedLeaderEpoch,
      metadata,
      commitTimestamp: at.ms,
      expireTimestamp,
      topicId: topic.topicId,
    }
    records.push(committed(request.groupId, topic.name, partition.partitionIndex, value))
    return 'NONE'
  })
  return { records, effects: [...proofOfLife(group, request.memberId), { do: 'answer', answer }] }
}

/** A group that does not exist is made by a commit without a generation. */
function foundingError(
  state: GroupsState,
  version: number,
  request: OffsetCommitRequest,
  config: GroupConfig,
): ErrorName | null {
  if (request.generationIdOrMemberEpoch >= 0) return version >= 9 ? 'GROUP_ID_NOT_FOUND' : 'ILLEGAL_GENERATION'
  return state.groupCount >= config.maxGroupsPerPartition ? 'COORDINATOR_LOAD_IN_PROGRESS' : null
}

function commitError(group: Group, request: OffsetCommitRequest): ErrorName | null {
  const { memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = request
  if (generationId < 0 && group.state === 'Empty') return null
  if (generationId >= 0 || memberId !== '' || groupInstanceId !== null) {
    const error = memberError(group, memberId, groupInstanceId)
    if (error !== null) return error
    if (generationId !== group.generationId) return 'ILLEGAL_GENERATION'
  } else if (group.state !== 'Empty') return 'UNKNOWN_MEMBER_ID'
  // The member knows of the new generation but has no assignment in it yet: what it read belongs to the one before.
  return group.state === 'CompletingRebalance' ? 'REBALANCE_IN_PROGRESS' : null
}

/** Whoever commits is alive. */
function proofOfLife(group: Group | undefined, memberId: string): GroupEffect[] {
  const member = group?.members.get(memberId)
  if (group === undefined || member === undefined) return []
  const { groupId } = group
  const then = { type: 'ExpireMember', groupId, memberId } as const
  return [{ do: 'timer', key: sessionKey(groupId, memberId), afterMs: member.sessionTimeoutMs, then }]
}

type FetchedTopics = NonNullable<OffsetFetchedGroup['topics']>
type FetchedPartition = FetchedTopics[number]['partitions'][number]

/** OffsetFetch 0–10, one group's part. What is not there is answered with offset −1, and so is a group that is not. */
export function fetchOffsets(state: GroupsState, command: FetchCommand): GroupDecision {
  const { groupId, requireStable } = command
  const fetched = (topic: string, topicId: string, partition: number): FetchedPartition => {
    if (requireStable && state.offsets.isPending(groupId, topic, partition)) {
      return notFetched(partition, 'UNSTABLE_OFFSET_COMMIT')
    }
    const value = state.offsets.stable.get(groupId, topic, partition)
    if (value === undefined || isOfAnotherTopic(value, topicId)) return notFetched(partition, 'NONE')
    return {
      partitionIndex: partition,
      committedOffset: value.offset,
      committedLeaderEpoch: value.leaderEpoch,
      metadata: value.metadata,
      errorCode: ErrorCode.NONE,
    }
  }
  const answer = fetchFailed(groupId, 'NONE')
  const topics: FetchedTopics[number][] = []
  if (command.topics !== null) {
    for (const { name, topicId, partitionIndexes } of command.topics) {
      topics.push({ name, topicId, partitions: partitionIndexes.map(partition => fetched(name, topicId, partition)) })
    }
  } else {
    for (const [name, partitions] of state.offsets.stable.of(groupId)) {
      const topicId = command.idOf?.(name) ?? ZERO_UUID
      const own = [...partitions].filter(([, value]) => !isOfAnotherTopic(value, topicId))
      if (own.length === 0) continue
      topics.push({ name, topicId, partitions: own.map(([partition]) => fetched(name, topicId, partition)) })
    }
  }
  return { records: [], effects: [{ do: 'answer', answer: { ...answer, topics } }] }
}

function notFetched(partition: number, error: ErrorName): FetchedPartition {
  return {
    partitionIndex: partition,
    committedOffset: -1,
    committedLeaderEpoch: -1,
    metadata: '',
    errorCode: ErrorCode[error],
  }
}

/** The topic was deleted and made again since: its old offsets mean nothing. Unknown ids fit any. */
function isOfAnotherTopic(value: CommittedOffset, topicId: string): boolean {
  return value.topicId !== ZERO_UUID && topicId !== ZERO_UUID && value.topicId !== topicId
}

/** OffsetDelete (KIP-496): not for topics that a member subscribes to. */
export function deleteOffsets(state: GroupsState, { request }: OffsetDeleteCommand): GroupDecision {
  const { groupId } = request
  const group = state.group(groupId)
  if (group === undefined) return refuseDelete('GROUP_ID_NOT_FOUND')
  if (group.state !== 'Empty' && group.protocolType !== 'consumer') return refuseDelete('NON_EMPTY_GROUP')
  const records: GroupRecord[] = []
  const isSubscribed = subscriptionOf(group)
  const topics = request.topics.map(({ name, partitions }) => {
    const error: ErrorName = isSubscribed(name) ? 'GROUP_SUBSCRIBED_TO_TOPIC' : 'NONE'
    for (const { partitionIndex } of partitions) {
      if (error === 'NONE' && isKnown(state, groupId, name, partitionIndex)) {
        records.push(committed(groupId, name, partitionIndex, null))
      }
    }
    return {
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: ErrorCode[error] as number })),
    }
  })
  const answer = { throttleTimeMs: 0, errorCode: ErrorCode.NONE, topics }
  return { records, effects: [{ do: 'answer', answer }] }
}

function refuseDelete(error: ErrorName): GroupDecision {
  return { records: [], effects: [{ do: 'answer', answer: offsetDeleteFailed(error) }] }
}

function isKnown(state: GroupsState, groupId: string, topic: string, partition: number): boolean {
  return (
    state.offsets.stable.get(groupId, topic, partition) !== undefined ||
    state.offsets.isPending(groupId, topic, partition)
  )
}

/** Tombstones for every offset of a group, counting or pending. */
export function* tombstonesOf(state: GroupsState, groupId: string): Iterable<GroupRecord> {
  for (const [topic, partitions] of state.offsets.stable.of(groupId)) {
    for (const partition of partitions.keys()) yield committed(groupId, topic, partition, null)
  }
  for (const [topic, partition] of state.offsets.pendingOf(groupId)) {
    if (state.offsets.stable.get(groupId, topic, partition) === undefined) {
      yield committed(groupId, topic, partition, null)
    }
  }
}

/**
 * Topics are gone, and with them every offset that was committed for them. One that was made anew under the name has
 * another id, and keeps what is its own. Offsets without an id go when their topic is named, or nothing has the name.
 */
export function forgetTopics(
  state: GroupsState,
  command: TopicsDeletedCommand,
  { maxTombstonesPerAppend }: GroupConfig,
): GroupDecision {
  const records: GroupRecord[] = []
  let done = true
  for (const record of tombstonesOfTopics(state, command)) {
    done = records.length < maxTombstonesPerAppend
    if (!done) break
    records.push(record)
  }
  return { records, effects: [{ do: 'answer', answer: { done } }] }
}

function* tombstonesOfTopics(state: GroupsState, { topics, idOf }: TopicsDeletedCommand): Iterable<GroupRecord> {
  const named = topics && new Set(topics)
  const isGone = ({ topicId }: CommittedOffset, id: string | undefined): boolean =>
    id === undefined || (topicId === ZERO_UUID ? named !== null : topicId !== id)
  for (const { groupId } of state.groups()) {
    for (const [topic, partitions] of state.offsets.stable.of(groupId)) {
      if (named?.has(topic) === false) continue
      const id = idOf(topic)
      for (const [partition, value] of partitions)
        if (isGone(value, id)) yield committed(groupId, topic, partition, null)
    }
    for (const [topic, partition, value] of state.offsets.pendingOf(groupId)) {
      if (named?.has(topic) === false || !isGone(value, idOf(topic))) continue
      if (state.offsets.stable.get(groupId, topic, partition) !== undefined) continue
      yield committed(groupId, topic, partition, null)
    }
  }
}

export function committed(
  groupId: string,
  topic: string,
  partition: number,
  value: CommittedOffset | null,
): OffsetCommitRecord {
  return { kind: 'OffsetCommit', groupId, topic, partition, value, producerId: -1 }
}
