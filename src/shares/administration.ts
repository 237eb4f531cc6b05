import type {
  DeleteCommand,
  DescribeCommand,
  DescribedGroup,
  DescribedPartition,
  ResetCommand,
  ShareDecision,
  TopicsDeletedCommand,
} from './commands.ts'
import type { ShareRecord } from './facts.ts'
import type { SharePartition } from './share-partition.ts'
import { partitionsOf, type SharesState } from './state.ts'

export function describe(state: SharesState, { groups }: DescribeCommand): ShareDecision {
  const asked = groups ?? [...state.groups.keys()]
  const answer = asked.map((groupId): DescribedGroup => {
    const group = state.groups.get(groupId)
    if (group === undefined) return { groupId, error: 'GROUP_ID_NOT_FOUND', partitions: [] }
    return { groupId, error: 'NONE', partitions: [...partitionsOf(group)].map(described) }
  })
  return { records: [], effects: [{ do: 'answer', answer }] }
}

function described(share: SharePartition): DescribedPartition {
  let oldestLeaseEnds = -1
  for (const { state, until } of share.unfinished.values()) {
    if (state !== 'acquired') continue
    oldestLeaseEnds = until
    break
  }
  const { topic, topicId, partition, start, end, acquired, ready, resting, dying } = share
  return {
    topic,
    topicId,
    partition,
    startOffset: start,
    endOffset: end,
    acquired,
    ready: ready.size,
    resting: resting.size,
    dying,
    oldestLeaseEnds,
  }
}

/** A group that somebody works for stays, as with consumer groups. */
export function deleteGroup(state: SharesState, { groupId }: DeleteCommand): ShareDecision {
  const group = state.groups.get(groupId)
  if (group === undefined) return { records: [], effects: [{ do: 'answer', answer: { error: 'GROUP_ID_NOT_FOUND' } }] }
  const shares = [...partitionsOf(group)]
  if (shares.some(({ acquired }) => acquired > 0))
    return { records: [], effects: [{ do: 'answer', answer: { error: 'NON_EMPTY_GROUP' } }] }
  return {
    records: shares.map(share => forgotten(groupId, share)),
    effects: [{ do: 'answer', answer: { error: 'NONE' } }],
  }
}

/** As Kafka's AlterShareGroupOffsets (KIP-932): not while somebody works for the group. */
export function reset(state: SharesState, command: ResetCommand): ShareDecision {
  const { groupId, topic, topicId, offsets } = command
  const group = state.groups.get(groupId)
  if (group !== undefined && [...partitionsOf(group)].some(({ acquired }) => acquired > 0))
    return { records: [], effects: [{ do: 'answer', answer: { error: 'NON_EMPTY_GROUP' } }] }
  const records = offsets.map(
    ({ partition, offset }): ShareRecord => ({
      kind: 'SharePartition',
      groupId,
      topicId,
      partition,
      value: { topic, startOffset: offset, runs: [] },
    }),
  )
  return { records, effects: [{ do: 'answer', answer: { error: 'NONE' } }] }
}

/** Nothing is left to be handed out. A topic that was made anew under the name has another id, and stays. */
export function forgetTopics(state: SharesState, { topics, exists }: TopicsDeletedCommand): ShareDecision {
  const named = topics && new Set(topics)
  const records: ShareRecord[] = []
  for (const group of state.groups.values())
    for (const share of partitionsOf(group))
      if (named?.has(share.topic) !== false && !exists(share.topicId)) records.push(forgotten(group.groupId, share))
  return { records, effects: [{ do: 'answer', answer: null }] }
}

function forgotten(groupId: string, { topicId, partition }: SharePartition): ShareRecord {
  return { kind: 'SharePartition', groupId, topicId, partition, value: null }
}
