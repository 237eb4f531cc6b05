import type { Moment } from '../machine/machine.ts'
import { ErrorCode } from '../protocol/errors.ts'
import type { GroupDecision, JoinGroupResponse, SyncGroupResponse } from './commands.ts'
import type { GroupConfig } from './config.ts'
import { Draft } from './draft.ts'
import {
  type Group,
  hasAllMembersJoined,
  type Member,
  metadataOf,
  noBytes,
  rebalanceTimeoutMs,
  selectProtocol,
} from './group.ts'
import { joinKey, pendingSyncKey, rebalanceKey, syncKey } from './keys.ts'
import { syncFailed } from './replies.ts'

/**
 * The classic rebalance: everybody joins (JoinGroup), one generation begins, its leader assigns (SyncGroup). The steps
 * here are what join, sync, leave and the clock have in common.
 */

const nothing: GroupDecision = { records: [], effects: [] }

/** Begins a rebalance, unless one is being prepared: then it may be complete now. */
export function rebalanceOrCompleteJoin(draft: Draft, reason: string): void {
  if (draft.state === 'PreparingRebalance') completeJoinWhenAllAreHere(draft)
  else prepareRebalance(draft, reason)
}

export function prepareRebalance(draft: Draft, reason: string): void {
  draft.because(reason)
  if (draft.state === 'CompletingRebalance') sendBackToJoin(draft)
  if (draft.pendingSync.size > 0) {
    draft.expectSync([])
    draft.cancel(pendingSyncKey(draft.groupId))
  }
  const initial = draft.state === 'Empty'
  draft.enter('PreparingRebalance')
  if (initial) waitForMore(draft)
  else if (hasAllMembersJoined(draft)) completeJoin(draft)
  else draft.completeJoinIn(rebalanceTimeoutMs(draft))
}

/** Members that wait for an assignment of a generation that will have none. */
function sendBackToJoin(draft: Draft): void {
  for (const member of draft.members.values()) {
    draft.change(member.memberId, { assignment: noBytes, syncing: false })
    if (!member.syncing) continue
    draft.answer(syncFailed('REBALANCE_IN_PROGRESS'), syncKey(draft.groupId, member.memberId))
    draft.extendSession(member.memberId)
  }
}

/** A new group's members seldom come all at once: wait a little, and longer while they come (KIP-134). */
function waitForMore(draft: Draft): void {
  const delayMs = draft.config.initialRebalanceDelayMs
  draft.newMemberAdded = false
  scheduleInitialJoin(draft, delayMs, Math.max(rebalanceTimeoutMs(draft) - delayMs, 0))
}

function scheduleInitialJoin(draft: Draft, delayMs: number, remainingMs: number): void {
  const { groupId } = draft
  draft.timer(rebalanceKey(groupId), delayMs, { type: 'CompleteInitialJoin', groupId, delayMs, remainingMs })
}

/** The initial delay is over: again, when somebody came meanwhile and the rebalance timeout leaves time for it. */
export function completeInitialJoin(
  group: Group | undefined,
  { delayMs, remainingMs }: { readonly delayMs: number; readonly remainingMs: number },
  config: GroupConfig,
  at: Moment,
): GroupDecision {
  if (group?.state !== 'PreparingRebalance') return nothing
  const draft = new Draft(group, config, at)
  if (draft.newMemberAdded && remainingMs !== 0) {
    draft.newMemberAdded = false
    scheduleInitialJoin(
      draft,
      Math.min(config.initialRebalanceDelayMs, remainingMs),
      Math.max(remainingMs - delayMs, 0),
    )
  } else completeJoin(draft)
  return draft.decision()
}

/** The rebalance timeout is over. */
export function completeJoinInTime(group: Group | undefined, config: GroupConfig, at: Moment): GroupDecision {
  if (group?.state !== 'PreparingRebalance') return nothing
  const draft = new Draft(group, config, at)
  completeJoin(draft)
  return draft.decision()
}

/** An initial rebalance is not completed early: its delay is there for those who have not been heard of yet. */
export function completeJoinWhenAllAreHere(draft: Draft): void {
  if (draft.state !== 'PreparingRebalance' || draft.previousState === 'Empty') return
  if (hasAllMembersJoined(draft)) completeJoin(draft)
}

/**
 * Ends the joining: dynamic members that did not come are out (static ones keep their place, KIP-345), the rest is the
 * next generation. When nobody came at all, it waits on: session timeouts will sort it out.
 */
export function completeJoin(draft: Draft): void {
  draft.cancel(rebalanceKey(draft.groupId))
  for (const member of draft.members.values()) {
    if (member.joining === null && member.groupInstanceId === null) draft.remove(member.memberId)
  }
  if (draft.members.size === 0) becomeEmpty(draft)
  else if (electJoinedLeader(draft)) beginGeneration(draft)
  else draft.completeJoinIn(rebalanceTimeoutMs(draft))
}

/** The leader stays, if it has joined; otherwise the first that has. */
function electJoinedLeader(draft: Draft): boolean {
  if (draft.leader !== null && draft.member(draft.leader).joining !== null) return true
  for (const member of draft.members.values()) {
    if (member.joining === null) continue
    draft.leader = member.memberId
    return true
  }
  return false
}

function becomeEmpty(draft: Draft): void {
  draft.generationId++
  draft.protocolName = null
  draft.enter('Empty')
  draft.persist()
}

function beginGeneration(draft: Draft): void {
  draft.generationId++
  draft.protocolName = selectProtocol(draft)
  draft.enter('CompletingRebalance')
  draft.expectSync(draft.members.keys())
  const everyone = [...draft.members.values()]
  for (const member of everyone) {
    if (member.joining !== null) {
      draft.answer(joined(draft, member.memberId, member.joining), joinKey(draft.groupId, member.memberId))
    }
    draft.change(member.memberId, { joining: null, isNew: false })
    draft.extendSession(member.memberId)
  }
  const { groupId, generationId } = draft
  draft.timer(pendingSyncKey(groupId), rebalanceTimeoutMs(draft), { type: 'ExpireSync', groupId, generationId })
}

/** What a member is told of the current generation; only its leader hears of the others. */
export function joined(group: Group, memberId: string, version: number): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    generationId: group.generationId,
    protocolType: version >= 7 ? group.protocolType : null,
    protocolName: group.protocolName ?? (version >= 7 ? null : ''),
    leader: group.leader ?? '',
    skipAssignment: false,
    memberId,
    members: group.leader === memberId ? membersWithMetadata(group) : [],
  }
}

export function membersWithMetadata(group: Group): JoinGroupResponse['members'] {
  return [...group.members.values()].map(member => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: metadataOf(member, group.protocolName),
  }))
}

export function assigned(group: Group, member: Member): SyncGroupResponse {
  const { protocolType, protocolName } = group
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, protocolType, protocolName, assignment: member.assignment }
}

/** A session is over: a member that may be heard of in no other way than by what it waits for stays. */
export function expireMember(
  group: Group | undefined,
  memberId: string,
  config: GroupConfig,
  at: Moment,
): GroupDecision {
  if (group === undefined) return nothing
  const member = group.members.get(memberId)
  const pending = group.pendingMembers.has(memberId)
  if (member === undefined && !pending) return nothing
  if (member !== undefined && !member.isNew && (member.joining !== null || member.syncing)) return nothing
  const draft = new Draft(group, config, at)
  draft.remove(memberId)
  const reason = `session of ${memberId} expired`
  // Somebody who was only told an id is no part of the generation.
  if (member !== undefined && draft.state !== 'PreparingRebalance') prepareRebalance(draft, reason)
  else completeJoinWhenAllAreHere(draft)
  return draft.decision()
}

/** Members that got a generation and never asked for their part of it are out. */
export function expireSync(
  group: Group | undefined,
  generationId: number,
  config: GroupConfig,
  at: Moment,
): GroupDecision {
  if (group === undefined || group.generationId !== generationId || group.pendingSync.size === 0) return nothing
  if (group.state !== 'CompletingRebalance' && group.state !== 'Stable') return nothing
  const draft = new Draft(group, config, at)
  const late = [...group.pendingSync]
  for (const memberId of late) draft.remove(memberId)
  prepareRebalance(draft, `${late.join(', ')} did not sync in time`)
  return draft.decision()
}

/** A group that was loaded with more members than it may have. */
export function shrink(group: Group, config: GroupConfig, at: Moment): GroupDecision {
  const draft = new Draft(group, config, at)
  prepareRebalance(draft, `${group.members.size} members, ${config.maxSize} are allowed`)
  return draft.decision()
}
