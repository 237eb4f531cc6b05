import type { Moment } from '../machine/machine.ts'
import type { GroupDecision } from './commands.ts'
import type { GroupConfig } from './config.ts'
import type { CommittedOffset, GroupRecord } from './facts.ts'
import { type Group, subscriptionOf } from './group.ts'
import { offsetExpiryKey } from './keys.ts'
import { committed } from './offset-decisions.ts'
import type { GroupsState } from './state.ts'

/** How soon the next part of a long list of tombstones follows, ms. */
const nextPartMs = 10

/**
 * Offsets go `offsets.retention.minutes` after they lost their last user (KIP-211): since the group is empty, or, where
 * nobody ever joined or the members no longer subscribe to the topic, since the last commit. A group that is empty and has
 * no offsets left goes, too.
 */
export function expireOffsets(state: GroupsState, config: GroupConfig, at: Moment): GroupDecision {
  const records: GroupRecord[] = []
  let complete = true
  for (const group of state.groups()) {
    if (records.length >= config.maxTombstonesPerAppend) {
      complete = false
      break
    }
    const kept = expireGroup(state, group, config, at, records)
    if (
      !kept &&
      group.state === 'Empty' &&
      group.pendingMembers.size === 0 &&
      !state.offsets.hasPending(group.groupId)
    ) {
      records.push({ kind: 'GroupMetadata', groupId: group.groupId, value: null })
    }
  }
  const afterMs = complete ? config.offsetsRetentionCheckIntervalMs : nextPartMs
  return { records, effects: [{ do: 'timer', key: offsetExpiryKey, afterMs, then: { type: 'ExpireOffsets' } }] }
}

/** Adds tombstones to `records`; false: no offset is left. */
function expireGroup(
  state: GroupsState,
  group: Group,
  config: GroupConfig,
  at: Moment,
  records: GroupRecord[],
): boolean {
  const { groupId } = group
  const topics = state.offsets.stable.of(groupId)
  if (topics.size === 0) return false
  const since = unusedSince(group)
  if (since === null) return true
  const isSubscribed = subscriptionOf(group)
  let kept = false
  for (const [topic, partitions] of topics) {
    const used = isSubscribed(topic)
    for (const [partition, value] of partitions) {
      const due =
        value.expireTimestamp === -1
          ? at.ms - since(value) >= config.offsetsRetentionMs
          : at.ms >= value.expireTimestamp
      if (used || !due || state.offsets.isPending(groupId, topic, partition)) kept = true
      else records.push(committed(groupId, topic, partition, null))
    }
  }
  return kept
}

/** From when on an offset counts as unused; null: the whole group is in use. */
function unusedSince(group: Group): ((value: CommittedOffset) => number) | null {
  if (group.protocolType === null) return value => value.commitTimestamp
  if (group.state === 'Empty') {
    return value => (group.stateTimestamp === -1 ? value.commitTimestamp : group.stateTimestamp)
  }
  return group.protocolType === 'consumer' && group.state === 'Stable' ? value => value.commitTimestamp : null
}
