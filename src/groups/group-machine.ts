import type { Machine, Moment } from '../machine/machine.ts'
import { deleteGroups, describeGroups, listGroups } from './administration.ts'
import type { GroupAnswer, GroupCommand, GroupDecision, GroupEffect } from './commands.ts'
import type { GroupConfig } from './config.ts'
import { expireOffsets } from './expiry.ts'
import type { GroupRecord } from './facts.ts'
import { joinGroup } from './join.ts'
import { offsetExpiryKey, sessionKey } from './keys.ts'
import { heartbeat, leaveGroup } from './membership.ts'
import { commitOffsets, deleteOffsets, fetchOffsets, forgetTopics } from './offset-decisions.ts'
import { completeInitialJoin, completeJoinInTime, expireMember, expireSync, shrink } from './rebalance.ts'
import { GroupsState, type Transition } from './state.ts'
import { syncGroup } from './sync.ts'

/**
 * Consumer groups of the classic protocol: one machine for one partition of `__consumer_offsets`. As in Apache Kafka the
 * log knows completed rebalances and committed offsets; who waits for what is soft and ends with the lead.
 */
export class GroupMachine implements Machine<GroupCommand, GroupRecord, GroupAnswer> {
  readonly state: GroupsState
  readonly #config: GroupConfig

  /** `watch` hears of groups that change their state, on the leader only. */
  constructor(config: GroupConfig, watch?: (transition: Transition) => void) {
    this.#config = config
    this.state = new GroupsState(watch)
  }

  decide(command: GroupCommand, at: Moment): GroupDecision {
    return this.#takeOver(this.#decide(command, at))
  }

  /**
   * A group of a newer protocol that becomes a classic one, or is deleted, loses what Apache Kafka kept of it: it could not
   * read a log that says both.
   */
  #takeOver(decision: GroupDecision): GroupDecision {
    const { others } = this.state
    if (others.size === 0 || decision.records.length === 0) return decision
    const tombstones = decision.records.flatMap(record =>
      record.kind === 'GroupMetadata' ? others.tombstonesOf(record.groupId) : [],
    )
    return tombstones.length === 0 ? decision : { ...decision, records: [...tombstones, ...decision.records] }
  }

  #decide(command: GroupCommand, at: Moment): GroupDecision {
    const state = this.state
    const config = this.#config
    switch (command.type) {
      case 'JoinGroup': {
        const crowded = state.groupCount >= config.maxGroupsPerPartition
        return joinGroup(state.group(command.request.groupId), command, config, at, crowded)
      }
      case 'SyncGroup':
        return syncGroup(state.group(command.request.groupId), command, config, at)
      case 'Heartbeat':
        return heartbeat(state.group(command.request.groupId), command)
      case 'LeaveGroup':
        return leaveGroup(state.group(command.request.groupId), command, config, at)
      case 'OffsetCommit':
        return commitOffsets(state, command, config, at)
      case 'OffsetFetch':
        return fetchOffsets(state, command)
      case 'OffsetDelete':
        return deleteOffsets(state, command)
      case 'DescribeGroups':
        return describeGroups(state, command)
      case 'ListGroups':
        return listGroups(state, command)
      case 'DeleteGroups':
        return deleteGroups(state, command)
      case 'ExpireMember':
        return expireMember(state.group(command.groupId), command.memberId, config, at)
      case 'CompleteInitialJoin':
        return completeInitialJoin(state.group(command.groupId), command, config, at)
      case 'CompleteJoin':
        return completeJoinInTime(state.group(command.groupId), config, at)
      case 'ExpireSync':
        return expireSync(state.group(command.groupId), command.generationId, config, at)
      case 'ExpireOffsets':
        return expireOffsets(state, config, at)
      case 'TopicsDeleted':
        return forgetTopics(state, command, config)
    }
  }

  apply(record: GroupRecord, timestamp: number, offset: number): void {
    this.state.apply(record, timestamp, offset)
  }

  /**
   * Every member has a full session from now on: when it was last heard of, another machine's clock knows. A group that
   * `group.max.size` no longer allows rebalances, which lets in as many as there is room for.
   */
  lead(at: Moment): GroupDecision {
    const soft: GroupRecord[] = []
    const effects: GroupEffect[] = []
    for (const group of this.state.groups()) {
      const { groupId } = group
      for (const { memberId, sessionTimeoutMs } of group.members.values()) {
        const then = { type: 'ExpireMember', groupId, memberId } as const
        effects.push({ do: 'timer', key: sessionKey(groupId, memberId), afterMs: sessionTimeoutMs, then })
      }
      if (group.members.size <= this.#config.maxSize) continue
      const decision = shrink(group, this.#config, at)
      soft.push(...(decision.soft ?? []))
      effects.push(...decision.effects)
    }
    const afterMs = this.#config.offsetsRetentionCheckIntervalMs
    effects.push({ do: 'timer', key: offsetExpiryKey, afterMs, then: { type: 'ExpireOffsets' } })
    return { records: [], soft, effects }
  }

  snapshot(): Iterable<GroupRecord> {
    return this.state.snapshot()
  }
}
