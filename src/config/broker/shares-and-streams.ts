import { atLeast, between, bool, className, int, list, listOf, long, MAX_INT, short, string } from '../definition.ts'
import { shares, streams } from './reasons.ts'

/** Share groups, whose settings hold for lease groups as far as these have such a thing, and streams groups. */
export const sharesAndStreamsSettings = {
  'errors.deadletterqueue.auto.create.topics.enable': bool(false).clusterWide().ignored(shares),
  'errors.deadletterqueue.topic.name.prefix': string('dlq.').clusterWide().ignored(shares),
  'group.share.assignment.interval.ms': int(1000, atLeast(0)).clusterWide().ignored(shares),
  'group.share.assignor.offload.enable': bool(true).clusterWide().hidden().ignored(shares),
  'group.share.assignors': list('simple', listOf([], { empty: false })).ignored(shares),
  'group.share.delivery.count.limit': int(5, between(2, 10)).honoured(
    'How often a record is handed out, at most, before it goes to the dead-letter topic.',
  ),
  'group.share.dlq.manager.class.name': string('org.apache.kafka.server.share.dlq.DefaultShareGroupDLQManager')
    .hidden()
    .ignored(shares),
  'group.share.heartbeat.interval.ms': int(5000, atLeast(1)).ignored(shares),
  'group.share.initialize.retry.interval.ms': int(30_000, atLeast(1)).hidden().ignored(shares),
  'group.share.max.assignment.interval.ms': int(15_000, atLeast(0)).ignored(shares),
  'group.share.max.delivery.count.limit': int(10, between(5, 25)).ignored(shares),
  'group.share.max.heartbeat.interval.ms': int(15_000, atLeast(1)).ignored(shares),
  'group.share.max.partition.max.record.locks': int(4000, between(2000, 10_000)).ignored(shares),
  'group.share.max.record.lock.duration.ms': int(60_000, between(30_000, 3_600_000)).honoured(
    'The longest lease that can be asked for, ms.',
  ),
  'group.share.max.session.timeout.ms': int(60_000, atLeast(1)).ignored(shares),
  'group.share.max.share.sessions': int(2000, atLeast(1)).ignored(shares),
  'group.share.max.size': int(200, between(1, 1000)).ignored(shares),
  'group.share.min.assignment.interval.ms': int(0, atLeast(0)).ignored(shares),
  'group.share.min.delivery.count.limit': int(2, between(2, 5)).ignored(shares),
  'group.share.min.heartbeat.interval.ms': int(5000, atLeast(1)).ignored(shares),
  'group.share.min.partition.max.record.locks': int(100, between(100, 2000)).ignored(shares),
  'group.share.min.record.lock.duration.ms': int(15_000, between(1000, 30_000)).ignored(shares),
  'group.share.min.session.timeout.ms': int(45_000, atLeast(1)).ignored(shares),
  'group.share.partition.max.record.locks': int(2000, between(100, 10_000)).honoured(
    'Records of one partition that a lease group may have in flight.',
  ),
  'group.share.persister.class.name': string('org.apache.kafka.server.share.persister.DefaultStatePersister')
    .hidden()
    .ignored(shares),
  'group.share.record.lock.duration.ms': int(30_000, between(1000, 3_600_000)).honoured(
    'How long a lease is when nobody asks for another length, ms.',
  ),
  'group.share.session.timeout.ms': int(45_000, atLeast(1)).ignored(shares),
  'group.streams.acceptable.recovery.lag': long(10_000, atLeast(0)).hidden().ignored(streams),
  'group.streams.assignment.interval.ms': int(1000, atLeast(0)).clusterWide().ignored(streams),
  'group.streams.assignor.offload.enable': bool(true).clusterWide().hidden().ignored(streams),
  'group.streams.assignors': list('sticky', listOf([], { empty: false })).ignored(streams),
  'group.streams.heartbeat.interval.ms': int(5000, atLeast(1)).ignored(streams),
  'group.streams.initial.rebalance.delay.ms': int(3000, atLeast(0)).ignored(streams),
  'group.streams.max.assignment.interval.ms': int(15_000, atLeast(0)).ignored(streams),
  'group.streams.max.heartbeat.interval.ms': int(15_000, atLeast(1)).ignored(streams),
  'group.streams.max.session.timeout.ms': int(60_000, atLeast(1)).ignored(streams),
  'group.streams.max.size': int(MAX_INT, atLeast(1)).ignored(streams),
  'group.streams.max.standby.replicas': int(2, atLeast(0)).ignored(streams),
  'group.streams.max.warmup.replicas': int(20, atLeast(0)).hidden().ignored(streams),
  'group.streams.min.assignment.interval.ms': int(0, atLeast(0)).ignored(streams),
  'group.streams.min.heartbeat.interval.ms': int(5000, atLeast(1)).ignored(streams),
  'group.streams.min.session.timeout.ms': int(45_000, atLeast(1)).ignored(streams),
  'group.streams.min.task.offset.interval.ms': int(15_000, atLeast(1)).hidden().ignored(streams),
  'group.streams.num.standby.replicas': int(0, atLeast(0)).ignored(streams),
  'group.streams.num.warmup.replicas': int(2, atLeast(0)).hidden().ignored(streams),
  'group.streams.rack.aware.assignment.tags': list('', listOf([], { empty: true })).ignored(streams),
  'group.streams.session.timeout.ms': int(45_000, atLeast(1)).ignored(streams),
  'group.streams.task.offset.interval.ms': int(60_000, atLeast(1)).hidden().ignored(streams),
  'group.streams.topology.description.plugin.class': className(null).ignored(streams),
  'share.coordinator.append.linger.ms': int(-1, atLeast(-1)).ignored(shares),
  'share.coordinator.cached.buffer.max.bytes': int(1_048_588, atLeast(524_288)).clusterWide().ignored(shares),
  'share.coordinator.cold.partition.snapshot.interval.ms': int(300_000, atLeast(1)).hidden().ignored(shares),
  'share.coordinator.load.buffer.size': int(5_242_880, atLeast(1)).ignored(shares),
  'share.coordinator.snapshot.update.records.per.snapshot': int(500, between(0, 500)).ignored(shares),
  'share.coordinator.state.topic.compression.codec': int(0).ignored(shares),
  'share.coordinator.state.topic.min.isr': short(2, atLeast(1)).ignored(shares),
  'share.coordinator.state.topic.num.partitions': int(50, atLeast(1)).honoured(
    'Partitions of `__share_group_state`; cannot change once it exists.',
  ),
  'share.coordinator.state.topic.prune.interval.ms': int(300_000, atLeast(1)).hidden().ignored(shares),
  'share.coordinator.state.topic.replication.factor': short(3, atLeast(1)).honoured(
    'Copies of `__share_group_state` when it is made, at most one a broker; as brokers join it gets up to three by itself.',
  ),
  'share.coordinator.state.topic.segment.bytes': int(104_857_600, atLeast(1)).honoured(
    'Segment size of `__share_group_state`.',
  ),
  'share.coordinator.threads': int(1, atLeast(1)).ignored(shares),
  'share.coordinator.write.timeout.ms': int(5000, atLeast(1)).ignored(shares),
  'share.fetch.purgatory.purge.interval.requests': int(1000).ignored(shares),
}
