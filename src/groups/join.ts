import type { Moment } from '../machine/machine.ts'
import type { ErrorName } from '../protocol/errors.ts'
import type { GroupDecision, JoinCommand, JoinGroupRequest } from './commands.ts'
import type { GroupConfig } from './config.ts'
import { Draft, kept } from './draft.ts'
import {
  type Group,
  joiningCount,
  type Member,
  memberError,
  noBytes,
  type Protocol,
  sameProtocols,
  selectProtocol,
  simpleGroup,
  supportsProtocols,
} from './group.ts'
import { joinKey, sessionKey } from './keys.ts'
import {
  completeJoinWhenAllAreHere,
  joined,
  membersWithMetadata,
  prepareRebalance,
  rebalanceOrCompleteJoin,
} from './rebalance.ts'
import { joinFailed } from './replies.ts'

/**
 * JoinGroup 0–9. Version 0 has no rebalance timeout (the session's counts), 4 asks for a member id first (KIP-394), 5
 * has static members (KIP-345), 8 a reason (KIP-800), 9 lets a static leader skip assigning (KIP-814).
 * `known` undefined: there is no such group; `crowded`: no new one may be made.
 */
export function joinGroup(
  known: Group | undefined,
  command: JoinCommand,
  config: GroupConfig,
  at: Moment,
  crowded: boolean,
): GroupDecision {
  const { request, version } = command
  const invalid = invalidRequest(request, config)
  if (invalid !== null) return refuse(version, request.memberId, invalid)
  if (known === undefined && request.memberId !== '') return refuse(version, request.memberId, 'UNKNOWN_MEMBER_ID')
  if (known === undefined && crowded) return refuse(version, '', 'COORDINATOR_LOAD_IN_PROGRESS')
  const group = known ?? simpleGroup(request.groupId, at.ms)
  if (!hasRoom(group, request, config)) return turnAway(group, command, config, at)
  const names = new Set(request.protocols.map(protocol => protocol.name))
  if (!supportsProtocols(group, request.protocolType, names)) {
    return refuse(version, request.memberId, 'INCONSISTENT_GROUP_PROTOCOL')
  }
  if (request.memberId !== '') return joinAgain(group, command, config, at)
  return joinNew(group, command, config, at, known === undefined)
}

function invalidRequest(request: JoinGroupRequest, config: GroupConfig): ErrorName | null {
  if (request.groupId === '') return 'INVALID_GROUP_ID'
  const { sessionTimeoutMs } = request
  if (sessionTimeoutMs < config.minSessionTimeoutMs || sessionTimeoutMs > config.maxSessionTimeoutMs) {
    return 'INVALID_SESSION_TIMEOUT'
  }
  let size = 0
  for (const { name, metadata } of request.protocols) size += name.length + metadata.length
  // Kafka finds that such a group's record is too large for its log, and says so with the same code.
  return size > config.maxMemberMetadataBytes ? 'UNKNOWN_SERVER_ERROR' : null
}

/**
 * While members rejoin, those who are here count, not those who were: so the last to come are the ones turned away. The
 * place of a static member is held for it, also under a new id, and not given to others (Kafka's group can outgrow its
 * limit that way).
 */
function hasRoom(group: Group, request: JoinGroupRequest, config: GroupConfig): boolean {
  const former = request.groupInstanceId === null ? undefined : group.staticMembers.get(request.groupInstanceId)
  const member = group.members.get(request.memberId || (former ?? ''))
  switch (group.state) {
    case 'Empty':
      return true
    case 'PreparingRebalance':
      if (member !== undefined && member.joining !== null) return true
      if (member !== undefined && member.groupInstanceId !== null) return joiningCount(group) < config.maxSize
      return occupiedCount(group) < config.maxSize
    case 'CompletingRebalance':
    case 'Stable':
      return member !== undefined || group.members.size < config.maxSize
  }
}

function occupiedCount(group: Group): number {
  let count = 0
  for (const member of group.members.values()) if (member.joining !== null || member.groupInstanceId !== null) count++
  return count
}

function turnAway(group: Group, command: JoinCommand, config: GroupConfig, at: Moment): GroupDecision {
  const { memberId } = command.request
  const answer = joinFailed(command.version, '', 'GROUP_MAX_SIZE_REACHED')
  if (!group.members.has(memberId) && !group.pendingMembers.has(memberId)) {
    return { records: [], effects: [{ do: 'answer', answer }] }
  }
  const draft = new Draft(group, config, at)
  draft.answer(answer)
  draft.remove(memberId)
  completeJoinWhenAllAreHere(draft)
  return draft.decision()
}

function joinNew(group: Group, command: JoinCommand, config: GroupConfig, at: Moment, founds: boolean): GroupDecision {
  const { request, version, clientId } = command
  const memberId = newMemberId(request.groupInstanceId ?? clientId, at)
  const former = request.groupInstanceId === null ? undefined : group.staticMembers.get(request.groupInstanceId)
  if (request.groupInstanceId === null && version >= 4 && group.pendingMembers.size >= config.maxPendingMembers) {
    return refuse(version, '', 'COORDINATOR_LOAD_IN_PROGRESS')
  }
  const draft = new Draft(group, config, at)
  if (former !== undefined) replaceStaticMember(draft, command, former, memberId)
  else if (request.groupInstanceId === null && version >= 4) giveMemberId(draft, command, memberId)
  else addMember(draft, command, memberId)
  // The group exists from now on, also if its members never come back.
  if (founds && !draft.hasRecords) draft.persistEmpty()
  return draft.decision()
}

/** Nobody can be a member by asking once and forgetting (KIP-394): here is your id, join with it. */
function giveMemberId(draft: Draft, { request, version }: JoinCommand, memberId: string): void {
  draft.addPending(memberId)
  const { groupId } = draft
  draft.timer(sessionKey(groupId, memberId), request.sessionTimeoutMs, { type: 'ExpireMember', groupId, memberId })
  draft.answer(joinFailed(version, memberId, 'MEMBER_ID_REQUIRED'))
}

/**
 * A new member cannot send heartbeats until it knows its id, and a closed connection is not noticed while its request is
 * parked: so that the dead do not gather, its first JoinGroup has a time limit of its own.
 */
function addMember(draft: Draft, command: JoinCommand, memberId: string): void {
  if (draft.state === 'PreparingRebalance' && draft.previousState === 'Empty') draft.newMemberAdded = true
  if (draft.members.size === 0) draft.protocolType = command.request.protocolType
  draft.put(newMember(command, memberId))
  draft.park(joinKey(draft.groupId, memberId))
  draft.extendSession(memberId, draft.config.newMemberJoinTimeoutMs)
  rebalanceOrCompleteJoin(draft, because(`new member ${memberId}`, command.request))
}

function newMember({ request, version, clientId, clientHost }: JoinCommand, memberId: string): Member {
  return {
    memberId,
    groupInstanceId: request.groupInstanceId,
    clientId,
    clientHost,
    ...ownTerms(request),
    assignment: noBytes,
    isNew: true,
    joining: version,
    syncing: false,
  }
}

function ownTerms(request: JoinGroupRequest): Pick<Member, 'rebalanceTimeoutMs' | 'sessionTimeoutMs' | 'protocols'> {
  const { sessionTimeoutMs, rebalanceTimeoutMs } = request
  return {
    sessionTimeoutMs,
    rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
    protocols: request.protocols.map(({ name, metadata }): Protocol => ({ name, metadata: kept(metadata) })),
  }
}

/** A member id was given: somebody who was told it just now, or a member of the group. */
function joinAgain(group: Group, command: JoinCommand, config: GroupConfig, at: Moment): GroupDecision {
  const { request, version } = command
  const { memberId } = request
  if (group.pendingMembers.has(memberId)) {
    // Ids are only given to those who have no name of their own.
    if (request.groupInstanceId !== null) return refuse(version, memberId, 'UNKNOWN_MEMBER_ID')
    const draft = new Draft(group, config, at)
    addMember(draft, command, memberId)
    return draft.decision()
  }
  const error = memberError(group, memberId, request.groupInstanceId)
  if (error !== null) return refuse(version, memberId, error)
  const member = group.members.get(memberId)!
  switch (group.state) {
    case 'PreparingRebalance':
      return rejoin(group, command, config, at, `member ${memberId} joins the rebalance`)
    case 'CompletingRebalance':
      // The answer to its JoinGroup may have been lost: the generation is the same.
      if (sameProtocols(member.protocols, request.protocols)) return tellGeneration(group, command)
      return rejoin(group, command, config, at, `member ${memberId} changed its metadata`)
    case 'Stable':
      // A leader joins again when something changed that only it can see, such as the topics' partitions.
      if (group.leader === memberId) return rejoin(group, command, config, at, `leader ${memberId} joins again`)
      if (sameProtocols(member.protocols, request.protocols)) return tellGeneration(group, command)
      return rejoin(group, command, config, at, `member ${memberId} changed its metadata`)
    case 'Empty':
      return refuse(version, memberId, 'UNKNOWN_MEMBER_ID')
  }
}

function tellGeneration(group: Group, { request, version }: JoinCommand): GroupDecision {
  return { records: [], effects: [{ do: 'answer', answer: joined(group, request.memberId, version) }] }
}

function rejoin(group: Group, command: JoinCommand, config: GroupConfig, at: Moment, reason: string): GroupDecision {
  const draft = new Draft(group, config, at)
  parkJoin(draft, command, command.request.memberId)
  rebalanceOrCompleteJoin(draft, because(reason, command.request))
  return draft.decision()
}

/** A member waits once: who asked before under its name (and has most likely gone) is told to ask again. */
function parkJoin(draft: Draft, { request, version }: JoinCommand, memberId: string): void {
  const { joining } = draft.member(memberId)
  const key = joinKey(draft.groupId, memberId)
  if (joining !== null) draft.answer(joinFailed(joining, memberId, 'REBALANCE_IN_PROGRESS'), key)
  draft.change(memberId, { ...ownTerms(request), joining: version })
  draft.park(key)
}

/** A restarted static member takes its former place; only a change of the chosen protocol is worth a rebalance. */
function replaceStaticMember(draft: Draft, command: JoinCommand, former: string, memberId: string): void {
  const { request, version } = command
  const formerLeader = draft.leader ?? ''
  draft.replaceStatic(draft.member(former), memberId)
  draft.change(memberId, ownTerms(request))
  draft.extendSession(memberId)
  if (draft.state === 'Stable' && selectProtocol(draft) === draft.protocolName) {
    draft.because(`static member ${request.groupInstanceId} is back as ${memberId}`)
    draft.persist()
    draft.answer(welcomeBack(draft, memberId, version, formerLeader))
    return
  }
  parkJoin(draft, command, memberId)
  const reason = because(`static member ${request.groupInstanceId} joins again as ${memberId}`, request)
  // The leader may be assigning to the old id just now: what it sends would miss the new one.
  if (draft.state === 'CompletingRebalance') prepareRebalance(draft, reason)
  else rebalanceOrCompleteJoin(draft, reason)
}

/** Before version 9 the leader of the old name is told, so that the member does not assign anew (KIP-814). */
function welcomeBack(draft: Draft, memberId: string, version: number, formerLeader: string) {
  const told = joined(draft, memberId, version)
  if (version < 9) return { ...told, leader: formerLeader, members: [] }
  const leads = draft.leader === memberId
  return { ...told, skipAssignment: leads, members: leads ? membersWithMetadata(draft) : [] }
}

function refuse(version: number, memberId: string, error: ErrorName): GroupDecision {
  return { records: [], effects: [{ do: 'answer', answer: joinFailed(version, memberId, error) }] }
}

/** The client's name, shortened so that the whole fits into a string of the protocol, and a random UUID. */
function newMemberId(name: string, at: Moment): string {
  const bytes = at.random.bytes(16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = Buffer.from(bytes).toString('hex')
  const uuid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  return `${name.slice(0, 1_000)}-${uuid}`
}

function because(reason: string, request: JoinGroupRequest): string {
  return request.reason === null || request.reason === '' ? reason : `${reason}: ${request.reason.slice(0, 255)}`
}
