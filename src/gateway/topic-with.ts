import type { Cluster, TopicMetadata } from '../client/cluster.ts'
import type { RecordToSend } from '../client/producer-options.ts'
import { KafkaError } from '../protocol/errors.ts'

/** Whether the topic has the partition that the record names, if it names one. */
export const isThere = ({ partitions }: TopicMetadata, { partition = -1 }: RecordToSend) =>
  partition < partitions.length

/**
 * A topic, asked for anew where it lacks a partition that these records name: it may have been added. Makes the topic where
 * topics are made by themselves. Throws UNKNOWN_TOPIC_OR_PARTITION for the topic, not for its partitions.
 */
export async function topicWith(
  cluster: Cluster,
  name: string,
  records: readonly RecordToSend[],
): Promise<TopicMetadata> {
  const known = await cluster.findTopic(name, true)
  if (records.every(record => isThere(known, record))) return known
  cluster.forget([name])
  return cluster.findTopic(name, true)
}

export function noPartition({ name, partitions }: TopicMetadata, partition: number | undefined): KafkaError {
  const what = `${name} has no partition ${partition}; it has ${partitions.length}`
  return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', what)
}
