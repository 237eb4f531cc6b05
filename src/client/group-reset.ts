import { KafkaError } from '../protocol/errors.ts'
import type { Cluster } from './cluster.ts'
import { fetchOffsets } from './group-offsets.ts'
import { findOffsets, type TopicPartition } from './offsets.ts'

/** What a reset would do to one partition. */
export interface Move extends TopicPartition {
  /** −1: nothing committed before. */
  readonly from: number
  readonly to: number
}

/** Where to, for one partition. `start` and `end` bound what can be read; `committed` −1: nothing. */
export type ResetTarget =
  | { readonly to: 'offset'; of(partition: TopicPartition, start: number, end: number, committed: number): number }
  | { readonly to: 'time'; readonly ms: number }

/** Targets by name. */
export const resetTargets = {
  earliest: { to: 'offset', of: (_, start) => start },
  latest: { to: 'offset', of: (_, _start, end) => end },
  /** What was never committed has no place of its own: the end, as Kafka's tool has it. */
  current: { to: 'offset', of: (_, _start, end, committed) => (committed < 0 ? end : committed) },
} as const satisfies Record<string, ResetTarget>

export const resetToOffset = (offset: number): ResetTarget => ({ to: 'offset', of: () => offset })

/** Throws INVALID_REQUEST for a partition of which nothing is committed. */
export const resetBy = (by: number): ResetTarget => ({
  to: 'offset',
  of({ topic, partition }, _start, _end, committed) {
    if (committed >= 0) return committed + by
    throw new KafkaError('INVALID_REQUEST', `${topic}-${partition}: nothing to shift from, no offset is committed`)
  },
})

/** From where to where each partition would go; never out of what can be read. `parts` null: all that are committed. */
export async function planReset(
  cluster: Cluster,
  groupId: string,
  parts: readonly TopicPartition[] | null,
  target: ResetTarget,
): Promise<Move[]> {
  const known = await fetchOffsets(cluster, groupId, null)
  const before = new Map(known.map(({ topic, partition, offset }) => [`${topic} ${partition}`, offset]))
  const inOrder = (one: TopicPartition, other: TopicPartition) =>
    one.topic === other.topic ? one.partition - other.partition : one.topic < other.topic ? -1 : 1
  const moved = parts ?? [...known].sort(inOrder)
  const ask = (start: 'earliest' | 'latest' | { timestamp: number }) =>
    findOffsets(
      cluster,
      moved.map(({ topic, partition }) => ({ topic, partition, start })),
    )
  const [starts, ends] = await Promise.all([ask('earliest'), ask('latest')])
  const timed = target.to === 'time' ? await ask({ timestamp: target.ms }) : []
  return moved.map(({ topic, partition }, i) => {
    const [start, end] = [starts[i]!.offset, ends[i]!.offset]
    const from = before.get(`${topic} ${partition}`) ?? -1
    const wanted = target.to === 'time' ? timed[i]!.offset : target.of({ topic, partition }, start, end, from)
    // No message is that late: the end.
    const to = target.to === 'time' && wanted < 0 ? end : wanted
    return { topic, partition, from, to: Math.min(end, Math.max(start, to)) }
  })
}
