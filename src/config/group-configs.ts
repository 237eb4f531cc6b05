import { consumerGroups, shares, streams } from './broker/reasons.ts'
import { atLeast, bool, int, list, listOf, long, matching, oneOf, string } from './definition.ts'

const offsetReset = matching(/^(latest|earliest|by_duration:P.+)$/, 'latest, earliest or by_duration:PnDTnHnMn.nS')

/** What a group can be given (`kafka-configs --entity-type groups`). The broker has a default for each. */
export const groupSettings = {
  'consumer.assignment.interval.ms': int(1000, atLeast(0)).ignored(consumerGroups),
  'consumer.assignor.offload.enable': bool(true).hidden().ignored(consumerGroups),
  'consumer.heartbeat.interval.ms': int(5000, atLeast(1)).ignored(consumerGroups),
  'consumer.session.timeout.ms': int(45_000, atLeast(1)).ignored(consumerGroups),
  'errors.deadletterqueue.copy.record.enable': bool(false).ignored(shares),
  'errors.deadletterqueue.topic.name': string('').ignored(shares),
  'share.assignment.interval.ms': int(1000, atLeast(0)).ignored(shares),
  'share.assignor.offload.enable': bool(true).hidden().ignored(shares),
  'share.auto.offset.reset': string('latest', offsetReset).ignored(shares),
  'share.delivery.count.limit': int(5, atLeast(2)).ignored(shares),
  'share.heartbeat.interval.ms': int(5000, atLeast(1)).ignored(shares),
  'share.isolation.level': string('read_uncommitted', oneOf('read_committed', 'read_uncommitted')).ignored(shares),
  'share.partition.max.record.locks': int(2000, atLeast(100)).ignored(shares),
  'share.record.lock.duration.ms': int(30_000, atLeast(1000)).ignored(shares),
  'share.renew.acknowledge.enable': bool(true).ignored(shares),
  'share.session.timeout.ms': int(45_000, atLeast(1)).ignored(shares),
  'streams.acceptable.recovery.lag': long(10_000, atLeast(0)).hidden().ignored(streams),
  'streams.assignment.interval.ms': int(1000, atLeast(0)).ignored(streams),
  'streams.assignor.name': string(null).ignored(streams),
  'streams.assignor.offload.enable': bool(true).hidden().ignored(streams),
  'streams.heartbeat.interval.ms': int(5000, atLeast(1)).ignored(streams),
  'streams.initial.rebalance.delay.ms': int(3000, atLeast(0)).ignored(streams),
  'streams.num.standby.replicas': int(0, atLeast(0)).ignored(streams),
  'streams.num.warmup.replicas': int(2, atLeast(0)).hidden().ignored(streams),
  'streams.rack.aware.assignment.tags': list('', listOf([], { empty: true })).ignored(streams),
  'streams.session.timeout.ms': int(45_000, atLeast(1)).ignored(streams),
  'streams.task.offset.interval.ms': int(60_000, atLeast(1)).hidden().ignored(streams),
}

/** The broker setting that stands in for a group setting. */
export const GROUP_FALLBACKS = {
  'consumer.assignment.interval.ms': 'group.consumer.assignment.interval.ms',
  'consumer.assignor.offload.enable': 'group.consumer.assignor.offload.enable',
  'consumer.heartbeat.interval.ms': 'group.consumer.heartbeat.interval.ms',
  'consumer.session.timeout.ms': 'group.consumer.session.timeout.ms',
  'share.assignment.interval.ms': 'group.share.assignment.interval.ms',
  'share.assignor.offload.enable': 'group.share.assignor.offload.enable',
  'share.delivery.count.limit': 'group.share.delivery.count.limit',
  'share.heartbeat.interval.ms': 'group.share.heartbeat.interval.ms',
  'share.partition.max.record.locks': 'group.share.partition.max.record.locks',
  'share.record.lock.duration.ms': 'group.share.record.lock.duration.ms',
  'share.session.timeout.ms': 'group.share.session.timeout.ms',
  'streams.acceptable.recovery.lag': 'group.streams.acceptable.recovery.lag',
  'streams.assignment.interval.ms': 'group.streams.assignment.interval.ms',
  'streams.assignor.name': 'group.streams.assignors',
  'streams.assignor.offload.enable': 'group.streams.assignor.offload.enable',
  'streams.heartbeat.interval.ms': 'group.streams.heartbeat.interval.ms',
  'streams.initial.rebalance.delay.ms': 'group.streams.initial.rebalance.delay.ms',
  'streams.num.standby.replicas': 'group.streams.num.standby.replicas',
  'streams.num.warmup.replicas': 'group.streams.num.warmup.replicas',
  'streams.rack.aware.assignment.tags': 'group.streams.rack.aware.assignment.tags',
  'streams.session.timeout.ms': 'group.streams.session.timeout.ms',
  'streams.task.offset.interval.ms': 'group.streams.task.offset.interval.ms',
} as const
