import type { Moment } from '../machine/machine.ts'
import type { ErrorName } from '../protocol/errors.ts'
import type { GroupDecision, SyncCommand, SyncGroupRequest } from './commands.ts'
import type { GroupConfig } from './config.ts'
import { Draft, kept } from './draft.ts'
import { type Group, memberError, noBytes } from './group.ts'
import { pendingSyncKey, syncKey } from './keys.ts'
import { assigned } from './rebalance.ts'
import { syncFailed } from './replies.ts'

/** SyncGroup 0–5. The leader brings the assignments; everybody else waits for them. */
export function syncGroup(
  group: Group | undefined,
  command: SyncCommand,
  config: GroupConfig,
  at: Moment,
): GroupDecision {
  const { request } = command
  const error = syncError(group, command, config)
  if (error !== null || group === undefined) return refuse(error ?? 'UNKNOWN_MEMBER_ID')
  const draft = new Draft(group, config, at)
  draft.forgetPendingSync(request.memberId)
  if (group.state === 'Stable') {
    draft.answer(assigned(group, group.members.get(request.memberId)!))
    return group.pendingSync.has(request.memberId) ? draft.decision() : { ...draft.decision(), soft: [] }
  }
  parkSync(draft, request.memberId)
  if (group.leader === request.memberId) assign(draft, request)
  return draft.decision()
}

function syncError(group: Group | undefined, { request, version }: SyncCommand, config: GroupConfig): ErrorName | null {
  if (request.groupId === '') return 'INVALID_GROUP_ID'
  if (version >= 5 && (request.protocolType === null || request.protocolName === null)) {
    return 'INCONSISTENT_GROUP_PROTOCOL'
  }
  if (group === undefined || group.state === 'Empty') return 'UNKNOWN_MEMBER_ID'
  const error = memberError(group, request.memberId, request.groupInstanceId)
  if (error !== null) return error
  if (request.generationId !== group.generationId) return 'ILLEGAL_GENERATION'
  if (differs(request.protocolType, group.protocolType) || differs(request.protocolName, group.protocolName)) {
    return 'INCONSISTENT_GROUP_PROTOCOL'
  }
  if (group.state === 'PreparingRebalance') return 'REBALANCE_IN_PROGRESS'
  let size = 0
  for (const { assignment } of request.assignments) size += assignment.length
  // As for JoinGroup: Kafka's code for a group whose record its log would not take.
  return size > config.maxMemberMetadataBytes * group.members.size ? 'UNKNOWN_SERVER_ERROR' : null
}

function differs(asked: string | null, known: string | null): boolean {
  return asked !== null && known !== null && asked !== known
}

function parkSync(draft: Draft, memberId: string): void {
  const key = syncKey(draft.groupId, memberId)
  if (draft.member(memberId).syncing) draft.answer(syncFailed('REBALANCE_IN_PROGRESS'), key)
  draft.change(memberId, { syncing: true })
  draft.park(key)
}

/** Members that the leader left out get nothing; assignments for strangers are dropped. */
function assign(draft: Draft, request: SyncGroupRequest): void {
  const assignments = new Map(request.assignments.map(({ memberId, assignment }) => [memberId, assignment]))
  for (const { memberId, syncing } of [...draft.members.values()]) {
    const assignment = kept(assignments.get(memberId) ?? noBytes)
    const member = draft.change(memberId, { assignment, syncing: false })
    if (!syncing) continue
    draft.answer(assigned(draft, member), syncKey(draft.groupId, memberId))
    draft.extendSession(memberId)
  }
  draft.because(`leader ${request.memberId} assigned generation ${draft.generationId}`)
  // The record carries the time at which the generation began; the state changes when it is in the log.
  draft.persist()
  draft.enter('Stable')
  if (draft.pendingSync.size === 0) draft.cancel(pendingSyncKey(draft.groupId))
}

function refuse(error: ErrorName): GroupDecision {
  return { records: [], effects: [{ do: 'answer', answer: syncFailed(error) }] }
}
