import type { Broker } from '../../broker/broker.ts'
import { enoughInSync } from '../../replication/role.ts'
import type { Breath } from '../breath.ts'
import { apiName } from './api-name.ts'
import { Sums } from './limits.ts'
import { type MetricsPage, prepared } from './page.ts'

/**
 * Apache Kafka's own metrics by the names that the usual rules of the JMX exporter give them (those of Strimzi's examples),
 * as far as ottla has what they measure. Counters by topic have a sum without a topic beside them, as in Kafka.
 */
export async function exportJmx(
  page: MetricsPage,
  broker: Broker,
  shown: ReadonlySet<string>,
  idle: number,
  breath: Breath,
): Promise<void> {
  topics(page, broker, shown)
  replicas(page, broker)
  controller(page, broker)
  requests(page, broker)
  await logs(page, broker, shown, breath)
  const { groups } = broker.services
  const { groups: count, offsets } = groups.stats()
  const kept = 'kafka_coordinator_group_groupmetadatamanager'
  page.gauge(`${kept}_numgroups`, 'Consumer groups of this coordinator').add(count)
  page.gauge(`${kept}_numoffsets`, 'Committed offsets of this coordinator').add(offsets)
  const handlers = 'kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent'
  page.gauge(handlers, 'Part of the time in which the event loop is idle, 0 to 1').add(idle)
  const network = 'kafka_network_socketserver_networkprocessoravgidle_percent'
  page.gauge(network, 'Part of the time in which the event loop is idle, 0 to 1').add(idle)
}

function topics(page: MetricsPage, { metrics }: Broker, shown: ReadonlySet<string>): void {
  const byTopic = (name: string, help: string, of: (topic: TopicCounters) => number) => {
    const family = page.counter(`kafka_server_brokertopicmetrics_${name}_total`, help)
    const sums = new Sums(shown)
    let all = 0
    for (const [topic, counters] of metrics.topics) {
      sums.add(topic, of(counters))
      all += of(counters)
    }
    family.add(all)
    for (const [topic, value] of sums.entries()) family.add(value, { topic })
  }
  byTopic('messagesin', 'Records that were produced', topic => topic.messagesIn)
  byTopic('bytesin', 'Bytes of batches that were produced', topic => topic.bytesIn)
  byTopic('bytesout', 'Bytes of batches that were given to consumers', topic => topic.bytesOut)
  byTopic('replicationbytesout', 'Bytes of batches that were given to replicas', topic => topic.replicationBytesOut)
  byTopic('totalproducerequests', 'Partitions in produce requests', topic => topic.produceRequests)
  byTopic('totalfetchrequests', 'Partitions in fetches that gave records', topic => topic.fetchRequests)
  const failed = (name: string, help: string, value: number) =>
    page.counter(`kafka_server_brokertopicmetrics_${name}_total`, help).add(value)
  failed(
    'failedproducerequests',
    'Partitions in produce requests that were answered with an error',
    metrics.produceErrors,
  )
  failed('failedfetchrequests', 'Partitions in fetches that were answered with an error', metrics.fetchErrors)
}

type TopicCounters = Broker['metrics']['topics'] extends ReadonlyMap<string, infer Counters> ? Counters : never

function replicas(page: MetricsPage, { services }: Broker): void {
  let [count, leads, under, underMin, atMin] = [0, 0, 0, 0, 0]
  for (const { isLeader, role, log } of services.replicas.all()) {
    count++
    if (!isLeader) continue
    leads++
    const minIsr = enoughInSync(log.config.minInsyncReplicas, role)
    if (role.isr.length < role.replicas.length) under++
    if (role.isr.length < minIsr) underMin++
    if (role.isr.length === minIsr) atMin++
  }
  const gauge = (name: string, help: string, value: number) =>
    page.gauge(`kafka_server_replicamanager_${name}`, help).add(value)
  gauge('leadercount', 'Partitions that this broker leads', leads)
  gauge('partitioncount', 'Replicas on this broker', count)
  gauge('underreplicatedpartitions', 'Partitions led here with a replica that is not in sync', under)
  gauge('underminisrpartitioncount', 'Partitions led here with less than min.insync.replicas in sync', underMin)
  gauge('atminisrpartitioncount', 'Partitions led here with just min.insync.replicas in sync', atMin)
}

/** Sums over all nodes are right where only the node that decides counts the cluster. */
function controller(page: MetricsPage, { services }: Broker): void {
  const { cluster, nodeId, leader } = services
  const active = leader() === nodeId
  let [offline, imbalanced] = [0, 0]
  if (active)
    for (const { partitions } of cluster.topics.values())
      for (const partition of partitions) {
        if (partition.leader < 0) offline++
        else if (partition.leader !== partition.replicas[0]) imbalanced++
      }
  const fenced = [...cluster.brokers.values()].filter(broker => broker.fenced).length
  const gauge = (name: string, help: string, value: number) =>
    page.gauge(`kafka_controller_kafkacontroller_${name}`, help).add(active ? value : 0)
  gauge('activecontrollercount', '1 on the node that decides about metadata', 1)
  gauge('offlinepartitionscount', 'Partitions without a leader', offline)
  gauge('preferredreplicaimbalancecount', 'Partitions that are not led by their first replica', imbalanced)
  gauge('globaltopiccount', 'Topics of the cluster', cluster.topics.size)
  gauge('globalpartitioncount', 'Partitions of the cluster', cluster.partitionCount)
  gauge('activebrokercount', 'Brokers that serve', cluster.brokers.size - fenced)
  gauge('fencedbrokercount', 'Brokers that are registered and do not serve', fenced)
}

function requests(page: MetricsPage, broker: Broker): void {
  const { metrics, delayed, connections } = broker
  const counter = page.counter('kafka_network_requestmetrics_requests_total', 'Requests that were answered')
  for (const [key, { requests }] of metrics.apis) counter.add(requests, { request: apiName(key) })
  page.gauge('kafka_server_socket_server_metrics_connection_count', 'Open connections').add(connections)
  const purgatory = 'kafka_server_delayedoperationpurgatory_purgatorysize'
  page.gauge(purgatory, 'Requests that wait for something').add(delayed.waiting)
  page.gauge('kafka_server_kafkaserver_brokerstate', '3: it serves').add(broker.stopping ? 6 : broker.open ? 3 : 2)
}

async function logs(
  page: MetricsPage,
  { services }: Broker,
  shown: ReadonlySet<string>,
  breath: Breath,
): Promise<void> {
  const size = page.gauge('kafka_log_log_size', 'Bytes of the replica on this broker')
  const end = page.gauge('kafka_log_log_logendoffset', 'Offset after the last record of the replica')
  const start = page.gauge('kafka_log_log_logstartoffset', 'Offset of the first record of the replica')
  for (const { topic, index, log } of [...services.replicas.all()]) {
    await breath.after(1)
    if (!shown.has(topic)) continue
    const labels = prepared({ topic, partition: index })
    size.add(log.sizeInBytes, labels)
    end.add(log.logEndOffset, labels)
    start.add(log.logStartOffset, labels)
  }
  const offline = 'kafka_log_logmanager_offlinelogdirectorycount'
  page.gauge(offline, 'Data folders that failed: with one, the node stops').add(0)
}
