import type { Moment } from '../machine/machine.ts'
import type { ErrorName } from '../protocol/errors.ts'
import type { GroupDecision, HeartbeatCommand, LeaveCommand } from './commands.ts'
import type { GroupConfig } from './config.ts'
import { Draft } from './draft.ts'
import { type Group, memberError } from './group.ts'
import { sessionKey } from './keys.ts'
import { completeJoinWhenAllAreHere, prepareRebalance } from './rebalance.ts'
import { heartbeatReply, type Leaver, leaveFailed, leaveReply, leaversOf } from './replies.ts'

/** Heartbeat 0–4. Thousands a second: changes nothing, writes nothing, moves one deadline. */
export function heartbeat(group: Group | undefined, { request }: HeartbeatCommand): GroupDecision {
  const { groupId, memberId } = request
  const error = heartbeatError(group, request)
  const member = group?.members.get(memberId)
  if (member === undefined || (error !== 'NONE' && error !== 'REBALANCE_IN_PROGRESS')) {
    return { records: [], effects: [{ do: 'answer', answer: heartbeatReply(error) }] }
  }
  return {
    records: [],
    effects: [
      {
        do: 'timer',
        key: sessionKey(groupId, memberId),
        afterMs: member.sessionTimeoutMs,
        then: { type: 'ExpireMember', groupId, memberId },
      },
      // It promises nothing, and must not wait behind a commit: consumers would take the coordinator for dead.
      { do: 'answer', answer: heartbeatReply(error), now: true },
    ],
  }
}

function heartbeatError(group: Group | undefined, request: HeartbeatCommand['request']): ErrorName {
  if (request.groupId === '') return 'INVALID_GROUP_ID'
  if (group === undefined) return 'UNKNOWN_MEMBER_ID'
  const error = memberError(group, request.memberId, request.groupInstanceId)
  if (error !== null) return error
  if (request.generationId !== group.generationId) return 'ILLEGAL_GENERATION'
  if (group.state === 'Empty') return 'UNKNOWN_MEMBER_ID'
  return group.state === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
}

/**
 * LeaveGroup 0–5. Since version 3 a batch, in which an administrator names static members by their instance id alone
 * (KIP-345). Whoever is still parked under a leaver's name is answered.
 */
export function leaveGroup(
  group: Group | undefined,
  { request, version }: LeaveCommand,
  config: GroupConfig,
  at: Moment,
): GroupDecision {
  if (request.groupId === '') {
    return { records: [], effects: [{ do: 'answer', answer: leaveFailed('INVALID_GROUP_ID') }] }
  }
  const leavers = leaversOf(version, request)
  if (group === undefined) {
    const answer = leaveReply(
      version,
      leavers,
      leavers.map((): ErrorName => 'UNKNOWN_MEMBER_ID'),
    )
    return { records: [], effects: [{ do: 'answer', answer }] }
  }
  const draft = new Draft(group, config, at)
  const errors = leavers.map(leaver => leave(draft, leaver))
  draft.answer(leaveReply(version, leavers, errors))
  if (errors.every(error => error !== 'NONE')) return { ...draft.decision(), soft: [] }
  const gone = leavers.filter((_, i) => errors[i] === 'NONE').map(leaver => leaver.memberId || leaver.groupInstanceId)
  if (draft.state === 'Stable' || draft.state === 'CompletingRebalance') {
    prepareRebalance(
      draft,
      `${gone.join(', ')} left${leavers[0]?.reason ? `: ${leavers[0].reason.slice(0, 255)}` : ''}`,
    )
  } else completeJoinWhenAllAreHere(draft)
  return draft.decision()
}

function leave(draft: Draft, { memberId, groupInstanceId }: Leaver): ErrorName {
  if (memberId === '') {
    const known = groupInstanceId === null ? undefined : draft.staticMembers.get(groupInstanceId)
    if (known === undefined) return 'UNKNOWN_MEMBER_ID'
    draft.remove(known)
    return 'NONE'
  }
  const error = draft.pendingMembers.has(memberId) ? null : memberError(draft, memberId, groupInstanceId)
  if (error === null) draft.remove(memberId)
  return error ?? 'NONE'
}
