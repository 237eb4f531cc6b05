import { subscribedTopicsOf } from './consumer-protocol.ts'
import type { GroupMetadata } from './facts.ts'

/**
 * One classic group as its coordinator sees it. A value: whoever wants it changed makes a new one (see draft.ts).
 * States are Kafka's; a group that does not exist is described as `Dead`.
 */
export interface Group {
  readonly groupId: string
  readonly state: GroupState
  readonly previousState: GroupState | null
  /** When the state was entered, ms since 1970; −1: unknown. */
  readonly stateTimestamp: number
  readonly generationId: number
  /** `consumer`, `connect`, …; null: nobody ever joined, the group only keeps offsets. */
  readonly protocolType: string | null
  /** The protocol that was voted for; null before the first generation and in an empty group. */
  readonly protocolName: string | null
  readonly leader: string | null
  /** By member id, in the order of joining. */
  readonly members: ReadonlyMap<string, Member>
  /** `group.instance.id` → member id (KIP-345). */
  readonly staticMembers: ReadonlyMap<string, string>
  /** Member ids that were given out and did not join yet (KIP-394). */
  readonly pendingMembers: ReadonlySet<string>
  /** Members of this generation whose SyncGroup did not come yet. */
  readonly pendingSync: ReadonlySet<string>
  /** Somebody joined since the initial rebalance was last extended. */
  readonly newMemberAdded: boolean
}

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'

export interface Protocol {
  readonly name: string
  readonly metadata: Uint8Array
}

export interface Member {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  /** In the member's order of preference. After a reload only the one that had been voted for is known. */
  readonly protocols: readonly Protocol[]
  readonly assignment: Uint8Array
  /** Its first JoinGroup was not answered yet, so it cannot send heartbeats. */
  readonly isNew: boolean
  /** Version of the JoinGroup that is parked for it; null: none is. */
  readonly joining: number | null
  /** A SyncGroup is parked for it. */
  readonly syncing: boolean
}

export const noBytes: Uint8Array = new Uint8Array(0)

/** A group of which nothing is known but its name: what a commit without members makes. */
export function simpleGroup(groupId: string, stateTimestamp: number): Group {
  return {
    groupId,
    state: 'Empty',
    previousState: null,
    stateTimestamp,
    generationId: 0,
    protocolType: null,
    protocolName: null,
    leader: null,
    members: new Map(),
    staticMembers: new Map(),
    pendingMembers: new Set(),
    pendingSync: new Set(),
    newMemberAdded: false,
  }
}

/** What the log says of a group that nobody joined yet. */
export function nobody(group: Group): GroupMetadata {
  return {
    protocolType: '',
    generation: 0,
    protocol: null,
    leader: null,
    currentStateTimestamp: group.stateTimestamp,
    members: [],
  }
}

export function metadataOf(member: Member, protocolName: string | null): Uint8Array {
  return member.protocols.find(protocol => protocol.name === protocolName)?.metadata ?? noBytes
}

export function sameProtocols(some: readonly Protocol[], others: readonly Protocol[]): boolean {
  return (
    some.length === others.length &&
    some.every((protocol, i) => {
      const other = others[i]!
      return protocol.name === other.name && Buffer.compare(protocol.metadata, other.metadata) === 0
    })
  )
}

/** May somebody with these protocols join? Anybody may found a group; others need one protocol that all members know. */
export function supportsProtocols(group: Group, type: string, names: ReadonlySet<string>): boolean {
  if (group.state === 'Empty') return type !== '' && names.size > 0
  if (group.protocolType !== type) return false
  const common = commonProtocols(group)
  // All members of a rebalancing group may have left: then there is nothing to agree with.
  return common === null ? names.size > 0 : [...names].some(name => common.has(name))
}

/** Names that every member knows; null: there is no member. */
function commonProtocols(group: Group): Set<string> | null {
  let common: Set<string> | null = null
  for (const { protocols } of group.members.values()) {
    const names: string[] = []
    for (const { name } of protocols) if (common === null || common.has(name)) names.push(name)
    common = new Set(names)
  }
  return common
}

/**
 * Every member votes for the first of its protocols that all know; most votes win. On a tie the one that was voted for
 * first, in the order of joining (Kafka leaves that to its hash map). Null: no members, or nothing in common.
 */
export function selectProtocol(group: Group): string | null {
  const candidates = commonProtocols(group)
  const votes = new Map<string, number>()
  for (const { protocols } of group.members.values()) {
    const vote = protocols.find(({ name }) => candidates?.has(name))?.name
    if (vote !== undefined) votes.set(vote, (votes.get(vote) ?? 0) + 1)
  }
  let winner: string | null = null
  for (const [name, count] of votes) if (winner === null || count > votes.get(winner)!) winner = name
  return winner
}

/** The longest of the members', ms. */
export function rebalanceTimeoutMs(group: Group): number {
  let longest = 0
  for (const member of group.members.values()) longest = Math.max(longest, member.rebalanceTimeoutMs)
  return longest
}

export function joiningCount(group: Group): number {
  let count = 0
  for (const member of group.members.values()) if (member.joining !== null) count++
  return count
}

export function hasAllMembersJoined(group: Group): boolean {
  if (group.pendingMembers.size > 0) return false
  for (const member of group.members.values()) if (member.joining === null) return false
  return true
}

/** `null`: the member may speak. Otherwise the error it gets. */
export function memberError(
  group: Group,
  memberId: string,
  groupInstanceId: string | null,
): 'UNKNOWN_MEMBER_ID' | 'FENCED_INSTANCE_ID' | null {
  if (groupInstanceId !== null) {
    const known = group.staticMembers.get(groupInstanceId)
    if (known === undefined) return 'UNKNOWN_MEMBER_ID'
    if (known !== memberId) return 'FENCED_INSTANCE_ID'
  }
  return group.members.has(memberId) ? null : 'UNKNOWN_MEMBER_ID'
}

/**
 * Is the topic among the members' subscriptions? Groups whose protocol is not `consumer` have no subscriptions that we
 * can read; a consumer group with unreadable ones is taken to subscribe to everything, so that no offset is lost.
 */
export function subscriptionOf(group: Group): (topic: string) => boolean {
  if (group.protocolType !== 'consumer') return () => false
  const topics = new Set<string>()
  for (const member of group.members.values()) {
    const subscribed = group.protocolName === null ? null : subscribedTopicsOf(metadataOf(member, group.protocolName))
    if (subscribed === null) return () => true
    for (const topic of subscribed) topics.add(topic)
  }
  return topic => topics.has(topic)
}
