import type { Services } from '../../broker/services.ts'
import type { Breath } from '../breath.ts'
import { type MetricsPage, prepared } from './page.ts'

/**
 * The metrics of kafka_exporter (danielqsj/kafka_exporter), by its names, so that its dashboards and alerts go on. That program
 * stands beside a cluster and sees all of it; here every node is scraped. A partition is shown by the node that leads it,
 * a topic by the one that leads its first partition, so that sums over all nodes are those of one exporter. What has no
 * leader is shown by the node that decides about metadata.
 */
export async function exportTopics(
  page: MetricsPage,
  { cluster, nodeId, leader, replicas }: ExportedServices,
  shown: ReadonlySet<string>,
  breath: Breath,
): Promise<void> {
  const brokers = [...cluster.brokers.values()].filter(({ fenced }) => !fenced)
  page.gauge('kafka_brokers', 'Number of brokers in the cluster').add(brokers.length)
  const own = cluster.brokers.get(nodeId)?.endPoints[0]
  const info = page.gauge('kafka_broker_info', 'This broker and its address')
  if (own !== undefined) info.add(1, { id: nodeId, address: `${own.host}:${own.port}` })

  const partitions = page.gauge('kafka_topic_partitions', 'Number of partitions of the topic')
  const current = page.gauge('kafka_topic_partition_current_offset', 'Offset after the last committed record')
  const oldest = page.gauge('kafka_topic_partition_oldest_offset', 'Offset of the oldest record')
  const leaders = page.gauge('kafka_topic_partition_leader', 'Id of the broker that leads the partition; -1: none')
  const preferred = page.gauge('kafka_topic_partition_leader_is_preferred', '1 when the first replica leads')
  const copies = page.gauge('kafka_topic_partition_replicas', 'Number of replicas')
  const inSync = page.gauge('kafka_topic_partition_in_sync_replica', 'Number of in-sync replicas')
  const under = page.gauge('kafka_topic_partition_under_replicated_partition', '1 when a replica is not in sync')
  const decides = leader() === nodeId
  const isOurs = (id: number | undefined) => id === nodeId || (id === -1 && decides)
  // What comes and goes between two breaths must not be there twice.
  for (const topic of [...cluster.topics.values()]) {
    if (!shown.has(topic.name)) continue
    if (isOurs(topic.partitions[0]?.leader)) partitions.add(topic.partitions.length, { topic: topic.name })
    for (const [index, state] of topic.partitions.entries()) {
      await breath.after(1)
      if (!isOurs(state.leader)) continue
      const labels = prepared({ topic: topic.name, partition: index })
      const partition = state.leader === nodeId ? replicas.findById(topic.id, index) : undefined
      if (partition !== undefined) {
        current.add(partition.highWatermark, labels)
        oldest.add(partition.log.logStartOffset, labels)
      }
      leaders.add(state.leader, labels)
      preferred.add(Number(state.leader === state.replicas[0]), labels)
      copies.add(state.replicas.length, labels)
      inSync.add(state.leader < 0 ? 0 : state.isr.length, labels)
      under.add(Number(state.leader < 0 || state.isr.length < state.replicas.length), labels)
    }
  }
}

export type ExportedServices = Pick<Services, 'cluster' | 'nodeId' | 'leader' | 'replicas'>
