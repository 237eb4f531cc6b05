import { coordinatorError } from '../machine/term.ts'
import { ErrorCode, type ErrorName } from '../protocol/errors.ts'
import type { Answers, GroupAnswer, GroupCommand } from './commands.ts'
import { Refused } from './commands.ts'
import {
  commitReply,
  fetchFailed,
  heartbeatReply,
  joinFailed,
  leaveFailed,
  offsetDeleteFailed,
  syncFailed,
} from './replies.ts'

/** The answer to a command, or in its place the error that says why there is none. */
export function settle<Type extends keyof Answers>(
  command: Extract<GroupCommand, { type: Type }>,
  answer: GroupAnswer,
): Answers[Type] {
  const settled = answer instanceof Refused ? refusal(command, errorOf(command, answer)) : answer
  // A machine answers a command in the command's own shape; TypeScript cannot follow the pair through a switch.
  return settled as Answers[Type]
}

/** In each API's own shape. */
export function refusal(command: GroupCommand, error: ErrorName): Answers[keyof Answers] {
  switch (command.type) {
    case 'JoinGroup':
      return joinFailed(command.version, command.request.memberId, error)
    case 'SyncGroup':
      return syncFailed(error)
    case 'Heartbeat':
      // Who is a member is not known yet: that is no reason to upset one (Kafka answers alike).
      return heartbeatReply(error === 'COORDINATOR_LOAD_IN_PROGRESS' ? 'NONE' : error)
    case 'LeaveGroup':
      return leaveFailed(error)
    case 'OffsetCommit':
      return commitReply(command.request, () => error)
    case 'OffsetFetch':
      return fetchFailed(command.groupId, error)
    case 'OffsetDelete':
      return offsetDeleteFailed(error)
    case 'DescribeGroups':
      return command.groups.map(groupId => ({
        errorCode: ErrorCode[error],
        errorMessage: null,
        groupId,
        groupState: '',
        protocolType: '',
        protocolData: '',
        members: [],
      }))
    case 'DeleteGroups':
      return command.groups.map(groupId => ({ groupId, errorCode: ErrorCode[error], errorMessage: null }))
    default:
      return null
  }
}

function errorOf(command: GroupCommand, { why, error }: Refused): ErrorName {
  const name = coordinatorError(why, error)
  if (name !== 'MESSAGE_TOO_LARGE' && name !== 'RECORD_LIST_TOO_LARGE') return name
  return command.type === 'OffsetCommit' ? 'INVALID_COMMIT_OFFSET_SIZE' : 'UNKNOWN_SERVER_ERROR'
}
