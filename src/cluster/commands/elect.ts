import type { MetadataRecord, RecordOf } from '../records/records.ts'
import type { ClusterState, PartitionState } from '../state.ts'

/**
 * A new leader epoch for a partition, led by the first usable replica of the ISR, or when that is empty of the ELR
 * (KIP-966), or by nobody. Every choice ends what a former process of the same broker may believe to lead
 * (a restarted process never resumes a leadership in its old epoch).
 */
export function electLeader(
  topicId: string,
  partitionId: number,
  partition: PartitionState,
  usable: (id: number) => boolean,
): MetadataRecord {
  const change: RecordOf<'PartitionChangeRecord'> = { type: 'PartitionChangeRecord', partitionId, topicId }
  const inSync = partition.replicas.find(id => partition.isr.includes(id) && usable(id))
  if (inSync !== undefined) return { ...change, leader: inSync }
  const eligible = partition.eligibleLeaderReplicas.find(usable)
  if (eligible !== undefined) {
    const rest = partition.eligibleLeaderReplicas.filter(id => id !== eligible)
    return { ...change, leader: eligible, isr: [eligible], eligibleLeaderReplicas: rest, lastKnownElr: [] }
  }
  // Nobody: the last one of the ISR stays known as the place where everything is.
  return { ...change, leader: -1 }
}

/** New leader epochs for all partitions that `broker` leads, or could lead while nobody does. */
export function* reelect(
  state: ClusterState,
  broker: number,
  usable: (id: number) => boolean,
): Iterable<MetadataRecord> {
  for (const topic of state.topics.values()) {
    for (const [partitionId, partition] of topic.partitions.entries()) {
      const leads = partition.leader === broker
      const orphaned = partition.leader === -1 && partition.replicas.includes(broker)
      if (!leads && !orphaned) continue
      const change = electLeader(topic.id, partitionId, partition, usable)
      if (leads || (change as RecordOf<'PartitionChangeRecord'>).leader !== -1) yield change
    }
  }
}
