import type { Broker } from '../../broker/broker.ts'
import { durationBounds } from '../../broker/metrics.ts'
import type { Server } from '../../broker/server.ts'
import type { ProcessStats } from '../../world/process.ts'
import { apiName } from './api-name.ts'
import type { MetricsPage } from './page.ts'

const seconds = durationBounds.map(ms => ms / 1000)

/** What ottla itself has to tell, beyond Kafka's names: each queue and cache with its limit. */
export function exportOwn(page: MetricsPage, broker: Broker): void {
  node(page, broker)
  exportServer(page, broker)
  queues(page, broker)
  logs(page, broker)
  groups(page, broker)
}

function node(page: MetricsPage, { services }: Broker): void {
  const { clusterId, nodeId, cluster, leader, volume } = services
  page.gauge('ottla_node_info', 'This node').add(1, { node_id: nodeId, cluster_id: clusterId })
  page.gauge('ottla_metadata_offset', 'Offset after the last metadata record that was applied').add(cluster.offset)
  page.gauge('ottla_metadata_leader_id', 'Id of the node that decides about metadata; -1: none').add(leader() ?? -1)
  const { free, total } = volume.space()
  page.gauge('ottla_disk_free_bytes', 'Bytes free where the data is').add(free)
  page.gauge('ottla_disk_size_bytes', 'Bytes in all where the data is').add(total)
}

/** Connections, and what is asked on them: of nodes and of gateways. */
export function exportServer(page: MetricsPage, server: Server): void {
  const { metrics, connections: open, limits } = server
  page.gauge('ottla_connections', 'Open connections of all kinds').add(open)
  page.gauge('ottla_connections_limit', 'Connections that are taken at one time').add(limits.connections)
  page.counter('ottla_connections_accepted_total', 'Connections taken').add(metrics.connectionsAccepted)
  page.counter('ottla_connections_refused_total', 'Connections above a limit').add(metrics.connectionsRefused)
  page.counter('ottla_connections_expired_total', 'Connections closed in silence').add(metrics.connectionsExpired)
  page.counter('ottla_received_bytes_total', 'Bytes received').add(metrics.bytesIn)
  page.counter('ottla_sent_bytes_total', 'Bytes sent').add(metrics.bytesOut)
  const durations = page.histogram('ottla_request_duration_seconds', 'Time from a Kafka request to its answer')
  for (const [key, { durations: counts, totalMs }] of metrics.apis)
    durations.add({ bounds: seconds, counts, sum: totalMs / 1000 }, { api: apiName(key) })
  const bytesInFlight = page.gauge('ottla_requests_in_flight_bytes', 'Bytes of requests without an answer')
  const mostInFlight = page.gauge('ottla_requests_in_flight_limit_bytes', 'Above it nothing is read')
  for (const [from, { bytes, limit }] of Object.entries({ clients: server.ofClients, nodes: server.ofNodes })) {
    bytesInFlight.add(bytes, { from })
    mostInFlight.add(limit, { from })
  }
}

function queues(page: MetricsPage, broker: Broker): void {
  const { limits, fetchSessions } = broker
  page.gauge('ottla_fetched_unsent_bytes', 'Bytes of records that clients have not taken').add(broker.fetchedUnsent)
  page.gauge('ottla_delayed_requests', 'Requests that wait for something').add(broker.delayed.waiting)
  page.gauge('ottla_fetch_sessions', 'Fetch sessions').add(fetchSessions.count)
  page.gauge('ottla_fetch_sessions_limit', 'Fetch sessions at one time').add(limits.fetchSessions)
  page.counter('ottla_fetch_sessions_evicted_total', 'Fetch sessions pushed out').add(fetchSessions.evictions)
}

function logs(page: MetricsPage, { services }: Broker): void {
  const { tailCache } = services.volume
  if (tailCache !== undefined) {
    page.gauge('ottla_tail_cache_bytes', 'Memory that the newest batches take').add(tailCache.usedBytes)
    page.gauge('ottla_tail_cache_limit_bytes', 'Memory that they may take').add(tailCache.limitBytes)
    page.counter('ottla_tail_cache_hits_total', 'Reads from it').add(tailCache.hits)
    page.counter('ottla_tail_cache_misses_total', 'Reads from the disk').add(tailCache.misses)
    page.counter('ottla_tail_cache_evictions_total', 'Pieces that had to go').add(tailCache.evictions)
  }
  const { logCounters: log } = services
  page.counter('ottla_log_appended_batches_total', 'Batches appended').add(log.batchesAppended)
  page.counter('ottla_log_appended_bytes_total', 'Bytes appended').add(log.bytesAppended)
  page.counter('ottla_log_duplicate_batches_total', 'Batches that were there already').add(log.duplicates)
  page.counter('ottla_log_rejected_appends_total', 'Appends refused because of what they held').add(log.rejected)
  page.counter('ottla_log_dropped_appends_total', 'Appends taken back because the disk was full').add(log.dropped)
  page
    .counter('ottla_log_converted_batches_total', 'Batches written anew: old formats, other codecs')
    .add(log.converted)
  page.counter('ottla_log_removed_segments_total', 'Segments removed by retention').add(log.segmentsRemoved)
  page.counter('ottla_log_removed_bytes_total', 'Bytes removed by retention').add(log.bytesRemoved)
}

function groups(page: MetricsPage, { services }: Broker): void {
  const stats = services.groups.stats()
  page.gauge('ottla_groups', 'Groups of this coordinator').add(stats.groups)
  page.gauge('ottla_group_offsets', 'Committed offsets of this coordinator').add(stats.offsets)
  page.gauge('ottla_group_waiting', 'Members that wait for others').add(stats.parked)
  page.counter('ottla_group_rebalances_total', 'Rebalances that came to an end').add(stats.rebalances)
}

/** The process by the names of Prometheus' own clients. */
export function exportProcess(page: MetricsPage, stats: ProcessStats): void {
  const { cpuUserSeconds, cpuSystemSeconds, loopLag } = stats
  const cpu = cpuUserSeconds + cpuSystemSeconds
  page.counter('process_cpu_user_seconds_total', 'User CPU time').add(cpuUserSeconds)
  page.counter('process_cpu_system_seconds_total', 'System CPU time').add(cpuSystemSeconds)
  page.counter('process_cpu_seconds_total', 'User and system CPU time').add(cpu)
  page.gauge('process_start_time_seconds', 'Start of the process since 1970').add(stats.startTimeSeconds)
  page.gauge('process_resident_memory_bytes', 'Resident memory').add(stats.residentBytes)
  const files = page.gauge('process_open_fds', 'Open file descriptors')
  if (stats.openFiles >= 0) files.add(stats.openFiles)
  page.gauge('nodejs_heap_size_used_bytes', 'Used heap').add(stats.heapUsedBytes)
  page.gauge('nodejs_heap_size_total_bytes', 'Heap').add(stats.heapTotalBytes)
  page.gauge('nodejs_external_memory_bytes', 'Memory outside of the heap').add(stats.externalBytes)
  page
    .gauge('nodejs_eventloop_lag_mean_seconds', 'How late the event loop was, since the last scrape')
    .add(loopLag.mean)
  page.gauge('nodejs_eventloop_lag_p50_seconds', 'As above, half of the time').add(loopLag.p50)
  page.gauge('nodejs_eventloop_lag_p99_seconds', 'As above, one time of a hundred').add(loopLag.p99)
  page.gauge('nodejs_eventloop_lag_max_seconds', 'As above, at worst').add(loopLag.max)
  page.gauge('nodejs_eventloop_utilization_ratio', 'Part of the time in which it was busy').add(stats.loopUtilization)
  page.gauge('nodejs_version_info', 'Version of Node.js').add(1, { version: stats.nodeVersion })
}
