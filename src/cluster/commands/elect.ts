import type { MetadataRecord } from '../records/records.ts'
import type { PartitionState, TopicState } from '../state.ts'
import { type Context, isUsable } from './context.ts'
import { changePartition, type PartitionWish, type Rules, rulesOf, without } from './partition-change.ts'

/**
 * What it means for partitions that a broker may not lead nor be in sync any more: the others lead, and where it was the
 * last in sync nobody does until it is back (KIP-966). `unclean`: says of a topic whether the broker, which died without
 * writing everything down, may have lost what it had acknowledged there. `gone`: its disk is, with all that it had.
 */
export function* leave(
  context: Context,
  broker: number,
  unclean: (topic: TopicState) => boolean = () => false,
  gone = false,
): Iterable<MetadataRecord> {
  const usable = (id: number) => id !== broker && isUsable(context.state, id)
  yield* changeAll(context, usable, (partition, topic) => {
    const inSync = partition.isr.includes(broker)
    const eligible = partition.eligibleLeaderReplicas.includes(broker) || partition.lastKnownElr.includes(broker)
    if (!inSync && partition.leader !== broker && !eligible) return null
    const lost = gone || unclean(topic)
    if (!inSync && partition.leader !== broker && !lost) return null
    const isr = without(partition.isr, [broker])
    return { isr, ...(lost ? { lacking: [broker] } : {}), ...(gone ? { gone: [broker] } : {}) }
  })
}

/** What it means for partitions that a broker may lead again: those that had nobody are led. */
export function* arrive(context: Context, broker: number): Iterable<MetadataRecord> {
  const usable = (id: number) => id === broker || isUsable(context.state, id)
  yield* changeAll(context, usable, partition => {
    return partition.leader === -1 && partition.replicas.includes(broker) ? {} : null
  })
}

/** A new life of a broker that is alone: what the former one led it leads in a new epoch, and what nobody did. */
export function* leadAgain(context: Context, broker: number): Iterable<MetadataRecord> {
  const usable = (id: number) => id === broker || isUsable(context.state, id)
  yield* changeAll(context, usable, partition => {
    if (partition.leader === broker) return { newEpoch: true }
    return partition.leader === -1 && partition.replicas.includes(broker) ? {} : null
  })
}

/** Partitions without a leader, looked at again. */
export function* electOrphans(context: Context): Iterable<MetadataRecord> {
  yield* changeAll(context, undefined, partition => (partition.leader === -1 ? {} : null))
}

/** Changes of every partition for which `wishOf` gives a wish. */
export function* changeAll(
  context: Context,
  usable: ((id: number) => boolean) | undefined,
  wishOf: (partition: PartitionState, topic: TopicState, partitionId: number) => PartitionWish | null,
): Iterable<MetadataRecord> {
  for (const topic of context.state.topics.values()) {
    // Most topics are untouched: their settings are looked up when one of their partitions is not.
    let rules: Rules | null = null
    for (const [partitionId, partition] of topic.partitions.entries()) {
      const wish = wishOf(partition, topic, partitionId)
      if (wish === null) continue
      rules ??= rulesOf(topic, context, usable)
      const change = changePartition(topic.id, partitionId, partition, wish, rules)
      if (change !== null) yield change
    }
  }
}
