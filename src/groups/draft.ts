import type { Moment } from '../machine/machine.ts'
import type { GroupAnswer, GroupDecision, GroupEffect, InternalCommand } from './commands.ts'
import type { GroupConfig } from './config.ts'
import type { GroupRecord } from './facts.ts'
import { type Group, type GroupState, type Member, metadataOf, noBytes, nobody } from './group.ts'
import { joinKey, pendingSyncKey, rebalanceKey, sessionKey, syncKey } from './keys.ts'
import { joinFailed, syncFailed } from './replies.ts'

/**
 * A group's working copy while one decision is made. Steps read and change it; what comes out is data: at most one soft
 * fact with the group's next value, records for the log, and effects. The machine's own state is not touched, so a
 * decision that cannot be appended leaves no trace. Collections are copied when they are first changed.
 */
export class Draft implements Group {
  readonly config: GroupConfig
  readonly at: Moment
  readonly groupId: string
  state: GroupState
  previousState: GroupState | null
  stateTimestamp: number
  generationId: number
  protocolType: string | null
  protocolName: string | null
  leader: string | null
  newMemberAdded: boolean
  #members: ReadonlyMap<string, Member>
  #staticMembers: ReadonlyMap<string, string>
  #pendingMembers: ReadonlySet<string>
  #pendingSync: ReadonlySet<string>
  readonly #records: GroupRecord[] = []
  readonly #effects: GroupEffect[] = []
  #reason = ''
  #owned = new Set<object>()

  constructor(group: Group, config: GroupConfig, at: Moment) {
    this.config = config
    this.at = at
    this.groupId = group.groupId
    this.state = group.state
    this.previousState = group.previousState
    this.stateTimestamp = group.stateTimestamp
    this.generationId = group.generationId
    this.protocolType = group.protocolType
    this.protocolName = group.protocolName
    this.leader = group.leader
    this.newMemberAdded = group.newMemberAdded
    this.#members = group.members
    this.#staticMembers = group.staticMembers
    this.#pendingMembers = group.pendingMembers
    this.#pendingSync = group.pendingSync
  }

  get members(): ReadonlyMap<string, Member> {
    return this.#members
  }

  get staticMembers(): ReadonlyMap<string, string> {
    return this.#staticMembers
  }

  get pendingMembers(): ReadonlySet<string> {
    return this.#pendingMembers
  }

  get pendingSync(): ReadonlySet<string> {
    return this.#pendingSync
  }

  get hasRecords(): boolean {
    return this.#records.length > 0
  }

  /** The last reason given wins: it names what set the rebalance off. */
  because(reason: string): void {
    this.#reason = reason
  }

  enter(state: GroupState): void {
    this.previousState = this.state
    this.state = state
    this.stateTimestamp = this.at.ms
  }

  member(memberId: string): Member {
    const member = this.#members.get(memberId)
    if (member === undefined) throw new Error(`group ${this.groupId} has no member ${memberId}`)
    return member
  }

  put(member: Member): void {
    const members = this.#own(this.#members, members => new Map(members))
    this.#members = members
    members.set(member.memberId, member)
    if (member.groupInstanceId !== null) {
      const staticMembers = this.#own(this.#staticMembers, ids => new Map(ids))
      this.#staticMembers = staticMembers
      staticMembers.set(member.groupInstanceId, member.memberId)
    }
    this.leader ??= member.memberId
    this.forgetPending(member.memberId)
  }

  change(memberId: string, changes: Partial<Member>): Member {
    const member = { ...this.member(memberId), ...changes }
    this.put(member)
    return member
  }

  /** Whoever waits in the member's name is told UNKNOWN_MEMBER_ID; its session ends; the lead goes to the next in line. */
  remove(memberId: string): void {
    const member = this.#members.get(memberId)
    this.forgetPending(memberId)
    this.forgetPendingSync(memberId)
    this.cancel(sessionKey(this.groupId, memberId))
    if (member === undefined) return
    if (member.joining !== null) {
      this.answer(joinFailed(member.joining, '', 'UNKNOWN_MEMBER_ID'), joinKey(this.groupId, memberId))
    }
    if (member.syncing) this.answer(syncFailed('UNKNOWN_MEMBER_ID'), syncKey(this.groupId, memberId))
    this.#drop(member)
    if (this.leader === memberId) this.leader = this.#members.keys().next().value ?? null
  }

  /** The same static member under a new id (KIP-345); whoever waits under the old one is fenced. */
  replaceStatic(old: Member, memberId: string): void {
    if (old.joining !== null) {
      this.answer(joinFailed(old.joining, old.memberId, 'FENCED_INSTANCE_ID'), joinKey(this.groupId, old.memberId))
    }
    if (old.syncing) this.answer(syncFailed('FENCED_INSTANCE_ID'), syncKey(this.groupId, old.memberId))
    this.cancel(sessionKey(this.groupId, old.memberId))
    this.#drop(old)
    const wasLeader = this.leader === old.memberId
    this.put({ ...old, memberId, isNew: false, joining: null, syncing: false })
    if (wasLeader) this.leader = memberId
  }

  #drop(member: Member): void {
    const members = this.#own(this.#members, members => new Map(members))
    this.#members = members
    members.delete(member.memberId)
    if (member.groupInstanceId === null) return
    const staticMembers = this.#own(this.#staticMembers, ids => new Map(ids))
    this.#staticMembers = staticMembers
    staticMembers.delete(member.groupInstanceId)
  }

  addPending(memberId: string): void {
    const pending = this.#own(this.#pendingMembers, ids => new Set(ids))
    this.#pendingMembers = pending
    pending.add(memberId)
  }

  forgetPending(memberId: string): void {
    if (!this.#pendingMembers.has(memberId)) return
    const pending = this.#own(this.#pendingMembers, ids => new Set(ids))
    this.#pendingMembers = pending
    pending.delete(memberId)
  }

  expectSync(memberIds: Iterable<string>): void {
    this.#pendingSync = new Set(memberIds)
  }

  /** When nobody is missing any more the deadline for them goes, too. */
  forgetPendingSync(memberId: string): void {
    if (!this.#pendingSync.has(memberId)) return
    const pending = this.#own(this.#pendingSync, ids => new Set(ids))
    this.#pendingSync = pending
    pending.delete(memberId)
    if (pending.size === 0) this.cancel(pendingSyncKey(this.groupId))
  }

  park(key: string): void {
    this.#effects.push({ do: 'park', key })
  }

  /** To the present asker, or to the one parked under `to`. */
  answer(answer: GroupAnswer, to?: string): void {
    this.#effects.push(to === undefined ? { do: 'answer', answer } : { do: 'answer', answer, to })
  }

  timer(key: string, afterMs: number, then: InternalCommand): void {
    this.#effects.push({ do: 'timer', key, afterMs, then })
  }

  cancel(key: string): void {
    this.#effects.push({ do: 'cancel', key })
  }

  /** The member has `timeoutMs` (by default its session timeout) from now to be heard of. */
  extendSession(memberId: string, timeoutMs: number = this.member(memberId).sessionTimeoutMs): void {
    this.timer(sessionKey(this.groupId, memberId), timeoutMs, { type: 'ExpireMember', groupId: this.groupId, memberId })
  }

  completeJoinIn(afterMs: number): void {
    this.timer(rebalanceKey(this.groupId), afterMs, { type: 'CompleteJoin', groupId: this.groupId })
  }

  /** The group as it is now, for the log. */
  persist(): void {
    const { protocolName } = this
    const members = [...this.#members.values()].map(member => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.sessionTimeoutMs,
      subscription: metadataOf(member, protocolName),
      assignment: member.assignment,
    }))
    const value = {
      protocolType: this.protocolType ?? '',
      generation: this.generationId,
      protocol: protocolName,
      leader: this.leader,
      currentStateTimestamp: this.stateTimestamp,
      members,
    }
    this.#records.push({ kind: 'GroupMetadata', groupId: this.groupId, value })
  }

  /** A group that nobody is a member of yet gets its place in the log, so that it can expire like others. */
  persistEmpty(): void {
    this.#records.push({ kind: 'GroupMetadata', groupId: this.groupId, value: nobody(this) })
  }

  decision(): GroupDecision {
    const soft: GroupRecord[] = [{ kind: 'LiveGroup', group: this.#value(), reason: this.#reason }]
    return { records: this.#records, soft, effects: this.#effects }
  }

  #value(): Group {
    return {
      groupId: this.groupId,
      state: this.state,
      previousState: this.previousState,
      stateTimestamp: this.stateTimestamp,
      generationId: this.generationId,
      protocolType: this.protocolType,
      protocolName: this.protocolName,
      leader: this.leader,
      members: this.#members,
      staticMembers: this.#staticMembers,
      pendingMembers: this.#pendingMembers,
      pendingSync: this.#pendingSync,
      newMemberAdded: this.newMemberAdded,
    }
  }

  #own<Shared extends object, Own extends Shared & object>(shared: Shared, copy: (shared: Shared) => Own): Own {
    if (this.#owned.has(shared)) return shared as unknown as Own
    const own = copy(shared)
    this.#owned.add(own)
    return own
  }
}

/** Bytes that outlive the request: what was decoded is a view of memory that the connection fills again. */
export function kept(bytes: Uint8Array): Uint8Array {
  return bytes.length === 0 ? noBytes : new Uint8Array(bytes)
}
