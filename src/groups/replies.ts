import { ErrorCode, type ErrorName } from '../protocol/errors.ts'
import type {
  HeartbeatResponse,
  JoinGroupResponse,
  LeaveGroupRequest,
  LeaveGroupResponse,
  OffsetCommitRequest,
  OffsetCommitResponse,
  OffsetDeleteResponse,
  OffsetFetchedGroup,
  SyncGroupResponse,
} from './commands.ts'
import { noBytes } from './group.ts'

/** Answers that only tell an error, in each API's own shape. */

export function joinFailed(version: number, memberId: string, error: ErrorName): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode[error],
    generationId: -1,
    protocolType: null,
    // Null is not allowed before version 7.
    protocolName: version >= 7 ? null : '',
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}

export function syncFailed(error: ErrorName): SyncGroupResponse {
  return { throttleTimeMs: 0, errorCode: ErrorCode[error], protocolType: null, protocolName: null, assignment: noBytes }
}

const heartbeats = new Map<ErrorName, HeartbeatResponse>()

/** One object for each error for ever: heartbeats are what a coordinator does most. */
export function heartbeatReply(error: ErrorName): HeartbeatResponse {
  let reply = heartbeats.get(error)
  if (reply === undefined) {
    reply = Object.freeze({ throttleTimeMs: 0, errorCode: ErrorCode[error] })
    heartbeats.set(error, reply)
  }
  return reply
}

export interface Leaver {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly reason: string | null
}

/** Those who leave: one in versions 0–2, a batch since version 3 (KIP-345). */
export function leaversOf(version: number, request: LeaveGroupRequest): readonly Leaver[] {
  return version >= 3 ? request.members : [{ memberId: request.memberId, groupInstanceId: null, reason: null }]
}

export function leaveReply(
  version: number,
  leavers: readonly Leaver[],
  errors: readonly ErrorName[],
): LeaveGroupResponse {
  if (version < 3) return { throttleTimeMs: 0, errorCode: ErrorCode[errors[0] ?? 'NONE'], members: [] }
  const members = leavers.map(({ memberId, groupInstanceId }, i) => ({
    memberId,
    groupInstanceId,
    errorCode: ErrorCode[errors[i]!],
  }))
  return { throttleTimeMs: 0, errorCode: 0, members }
}

export function leaveFailed(error: ErrorName): LeaveGroupResponse {
  return { throttleTimeMs: 0, errorCode: ErrorCode[error], members: [] }
}

type CommitTopic = OffsetCommitRequest['topics'][number]

export function commitReply(
  request: OffsetCommitRequest,
  errorOf: (topic: CommitTopic, partition: CommitTopic['partitions'][number]) => ErrorName,
): OffsetCommitResponse {
  const topics = request.topics.map(topic => ({
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitions.map(partition => ({
      partitionIndex: partition.partitionIndex,
      errorCode: ErrorCode[errorOf(topic, partition)] as number,
    })),
  }))
  return { throttleTimeMs: 0, topics }
}

export function fetchFailed(groupId: string, error: ErrorName): OffsetFetchedGroup {
  return { groupId, topics: [], errorCode: ErrorCode[error] }
}

export function offsetDeleteFailed(error: ErrorName): OffsetDeleteResponse {
  return { throttleTimeMs: 0, errorCode: ErrorCode[error], topics: [] }
}
