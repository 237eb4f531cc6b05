import { atLeast, className, int, list, listOf, long, MAX_LONG, string } from '../definition.ts'
import { javaPolicy, metrics, quotas } from './reasons.ts'

/** Quotas, metrics, client telemetry. */
export const quotasAndMetricsSettings = {
  'alter.log.dirs.replication.quota.window.num': int(11, atLeast(1)).ignored(quotas),
  'alter.log.dirs.replication.quota.window.size.seconds': int(1, atLeast(1)).ignored(quotas),
  'client.quota.callback.class': className(null).only(javaPolicy),
  'controller.quota.window.num': int(11, atLeast(1)).ignored(quotas),
  'controller.quota.window.size.seconds': int(1, atLeast(1)).ignored(quotas),
  'follower.replication.throttled.rate': long(MAX_LONG, atLeast(0))
    .clusterWide()
    .ignored('What a moving replica may take is measured where it comes from: `leader.replication.throttled.rate`.'),
  'kafka.metrics.polling.interval.secs': int(10, atLeast(1)).ignored(metrics),
  'kafka.metrics.reporters': list('', listOf([], { empty: true })).ignored(metrics),
  'leader.replication.throttled.rate': long(MAX_LONG, atLeast(0))
    .clusterWide()
    .honoured('Bytes a second that a broker gives to replicas which are being moved; unset: `replication.move.rate`.'),
  'metric.reporters': list('org.apache.kafka.common.metrics.JmxReporter', listOf([], { empty: true }))
    .clusterWide()
    .ignored(metrics),
  'metrics.max.groups': int(1_000, atLeast(0)).honoured(
    'Consumer groups with a label of their own at `/metrics`; those beyond are summed up as `other`.',
  ),
  'metrics.max.topics': int(1_000, atLeast(0)).honoured(
    'Topics with a label of their own at `/metrics`, the oldest first, and ten times as many partitions; those beyond are summed up as `other`.',
  ),
  'metrics.num.samples': int(2, atLeast(1)).ignored(metrics),
  'metrics.recording.level': string('INFO').ignored(metrics),
  'metrics.sample.window.ms': long(30_000, atLeast(1)).ignored(metrics),
  'quota.window.num': int(11, atLeast(1)).ignored(quotas),
  'quota.window.size.seconds': int(1, atLeast(1)).ignored(quotas),
  'replica.alter.log.dirs.io.max.bytes.per.second': long(MAX_LONG, atLeast(0)).clusterWide().ignored(quotas),
  'replication.quota.window.num': int(11, atLeast(1)).ignored(quotas),
  'replication.quota.window.size.seconds': int(1, atLeast(1)).ignored(quotas),
  'telemetry.max.bytes': int(1_048_576, atLeast(1)).ignored('Clients are not asked for telemetry.'),
}
