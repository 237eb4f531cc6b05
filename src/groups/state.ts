import { CommittedOffsets } from './committed-offsets.ts'
import type { GroupMetadata, GroupMetadataRecord, GroupRecord, LiveGroupRecord, OffsetCommitRecord } from './facts.ts'
import { type Group, type Member, nobody, simpleGroup } from './group.ts'
import { OtherRecords } from './other-records.ts'

/** One group: what the log says of it, and what its coordinator knows. On a replay the second follows from the first. */
interface Entry {
  readonly persisted: GroupMetadata | null
  readonly group: Group
}

/** A group went from one state to another; for the log and for metrics, on the leader only. */
export interface Transition {
  readonly before: Group | undefined
  readonly after: Group
  readonly reason: string
}

/** Everything that one partition of `__consumer_offsets` remembers. Only `apply` changes it. */
export class GroupsState {
  readonly offsets = new CommittedOffsets()
  readonly #groups = new Map<string, Entry>()
  readonly #others = new OtherRecords()
  readonly #watch: (transition: Transition) => void

  constructor(watch: (transition: Transition) => void = () => {}) {
    this.#watch = watch
  }

  get groupCount(): number {
    return this.#groups.size
  }

  get others(): Pick<OtherRecords, 'size' | 'has' | 'tombstonesOf'> {
    return this.#others
  }

  group(groupId: string): Group | undefined {
    return this.#groups.get(groupId)?.group
  }

  *groups(): Iterable<Group> {
    for (const { group } of this.#groups.values()) yield group
  }

  /** `timestamp` (ms) and `offset` are the record's. */
  apply(record: GroupRecord, timestamp: number, offset: number): void {
    switch (record.kind) {
      case 'GroupMetadata':
        this.#applyMetadata(record)
        break
      case 'OffsetCommit':
        this.#applyCommit(record, timestamp, offset)
        break
      case 'EndTransaction':
        this.offsets.endTransaction(record.producerId, record.committed)
        break
      case 'Other':
        this.#others.apply(record)
        break
      case 'LiveGroup':
        this.#applyLive(record)
        break
    }
  }

  #applyMetadata({ groupId, value }: GroupMetadataRecord): void {
    if (value !== null) {
      this.#groups.set(groupId, { persisted: value, group: groupOf(groupId, value) })
    } else if (this.offsets.stable.has(groupId) || this.offsets.hasPending(groupId)) {
      this.#groups.set(groupId, { persisted: null, group: simpleGroup(groupId, -1) })
    } else this.#groups.delete(groupId)
  }

  #applyCommit(
    { groupId, topic, partition, value, producerId }: OffsetCommitRecord,
    timestamp: number,
    at: number,
  ): void {
    if (value === null) {
      // The group stays, also without offsets, until it expires.
      this.offsets.delete(groupId, topic, partition)
      return
    }
    if (!this.#groups.has(groupId))
      this.#groups.set(groupId, { persisted: null, group: simpleGroup(groupId, timestamp) })
    if (producerId === -1) this.offsets.commit(groupId, topic, partition, value)
    else this.offsets.commitLater(producerId, groupId, topic, partition, { value, at })
  }

  #applyLive({ group, reason }: LiveGroupRecord): void {
    const entry = this.#groups.get(group.groupId)
    this.#groups.set(group.groupId, { persisted: entry?.persisted ?? null, group })
    if (entry?.group.state !== group.state) this.#watch({ before: entry?.group, after: group, reason })
  }

  /**
   * Everything that counts; offsets of open transactions are not in it (whoever lets the log's head go must keep it from
   * the first of them on). May be read while the state changes: each record shows its group or offset as it is when read.
   */
  *snapshot(): Iterable<GroupRecord> {
    for (const [groupId, { persisted, group }] of this.#groups) {
      if (persisted !== null) yield { kind: 'GroupMetadata', groupId, value: persisted }
      // Nothing else would tell of a group that lost all its offsets and never had a member.
      else if (!this.offsets.stable.has(groupId) && !this.#others.has(groupId))
        yield { kind: 'GroupMetadata', groupId, value: nobody(group) }
    }
    yield* this.#others.snapshot()
    for (const [groupId, topic, partition, value] of this.offsets.stable.entries()) {
      yield { kind: 'OffsetCommit', groupId, topic, partition, value, producerId: -1 }
    }
  }
}

/** The group after a load: whoever is in the log is a member, with nothing but the protocol that had been chosen. */
function groupOf(groupId: string, value: GroupMetadata): Group {
  const members = new Map(value.members.map(member => [member.memberId, memberOf(member, value.protocol)]))
  const staticMembers = new Map<string, string>()
  for (const { groupInstanceId, memberId } of members.values()) {
    if (groupInstanceId !== null) staticMembers.set(groupInstanceId, memberId)
  }
  return {
    ...simpleGroup(groupId, value.currentStateTimestamp),
    state: members.size === 0 ? 'Empty' : 'Stable',
    generationId: value.generation,
    protocolType: value.protocolType === '' ? null : value.protocolType,
    protocolName: value.protocol,
    leader: value.leader !== null && members.has(value.leader) ? value.leader : (members.keys().next().value ?? null),
    members,
    staticMembers,
  }
}

function memberOf(member: GroupMetadata['members'][number], protocol: string | null): Member {
  return {
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeoutMs: member.rebalanceTimeout === -1 ? member.sessionTimeout : member.rebalanceTimeout,
    sessionTimeoutMs: member.sessionTimeout,
    protocols: protocol === null ? [] : [{ name: protocol, metadata: member.subscription }],
    assignment: member.assignment,
    isNew: false,
    joining: null,
    syncing: false,
  }
}
