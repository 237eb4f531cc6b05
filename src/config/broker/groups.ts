import { atLeast, bool, int, list, listOf, long, MAX_INT, oneOfAnyCase, short, string } from '../definition.ts'
import { consumerGroups, noNeed, oneLoop } from './reasons.ts'

/** Consumer groups and their offsets. */
export const groupsSettings = {
  'group.consumer.assignment.interval.ms': int(1000, atLeast(0)).clusterWide().ignored(consumerGroups),
  'group.consumer.assignor.offload.enable': bool(true).clusterWide().hidden().ignored(consumerGroups),
  'group.consumer.assignors': list('uniform,range', listOf([], { empty: false })).ignored(consumerGroups),
  'group.consumer.heartbeat.interval.ms': int(5000, atLeast(1)).ignored(consumerGroups),
  'group.consumer.max.assignment.interval.ms': int(15_000, atLeast(0)).ignored(consumerGroups),
  'group.consumer.max.heartbeat.interval.ms': int(15_000, atLeast(1)).ignored(consumerGroups),
  'group.consumer.max.session.timeout.ms': int(60_000, atLeast(1)).ignored(consumerGroups),
  'group.consumer.max.size': int(MAX_INT, atLeast(1)).ignored(consumerGroups),
  'group.consumer.migration.policy': string(
    'bidirectional',
    oneOfAnyCase('DISABLED', 'DOWNGRADE', 'UPGRADE', 'BIDIRECTIONAL'),
  ).ignored(consumerGroups),
  'group.consumer.min.assignment.interval.ms': int(0, atLeast(0)).ignored(consumerGroups),
  'group.consumer.min.heartbeat.interval.ms': int(5000, atLeast(1)).ignored(consumerGroups),
  'group.consumer.min.session.timeout.ms': int(45_000, atLeast(1)).ignored(consumerGroups),
  'group.consumer.regex.refresh.interval.ms': int(600_000, atLeast(10_000)).hidden().ignored(consumerGroups),
  'group.consumer.session.timeout.ms': int(45_000, atLeast(1)).ignored(consumerGroups),
  'group.coordinator.append.linger.ms': int(-1, atLeast(-1)).ignored(noNeed),
  'group.coordinator.background.threads': int(2, atLeast(1)).ignored(oneLoop),
  'group.coordinator.cached.buffer.max.bytes': int(1_048_588, atLeast(524_288)).clusterWide().ignored(noNeed),
  'group.coordinator.rebalance.protocols': list(
    'classic',
    listOf(['consumer', 'classic', 'share', 'streams'], { empty: false }),
  ).readOnly('Only `classic` groups are served yet.'),
  'group.coordinator.threads': int(4, atLeast(1)).ignored(oneLoop),
  'group.initial.rebalance.delay.ms': int(0).honoured(
    'ms that an empty group waits for more members before its first rebalance (Kafka: 3000).',
  ),
  'group.max.session.timeout.ms': int(1_800_000).honoured('Longest session time-out that a member may ask for.'),
  'group.max.size': int(MAX_INT, atLeast(1)).honoured('Members that one group takes at most.'),
  'group.min.session.timeout.ms': int(6000).honoured('Shortest session time-out that a member may ask for.'),
  'offset.metadata.max.bytes': int(4096).honoured('Longest text that may be committed with an offset.'),
  'offsets.commit.timeout.ms': int(5000, atLeast(1)).honoured(
    'ms that a commit, and whatever else a coordinator is asked, waits for the in-sync replicas before it fails.',
  ),
  'offsets.load.buffer.size': int(5_242_880, atLeast(1)).ignored(noNeed),
  'offsets.retention.check.interval.ms': long(600_000, atLeast(1)).honoured(
    'ms between two looks for committed offsets that may go.',
  ),
  'offsets.retention.minutes': int(10_080, atLeast(1)).honoured('Minutes that the offsets of an empty group are kept.'),
  'offsets.topic.compression.codec': int(0).ignored(noNeed),
  'offsets.topic.num.partitions': int(50, atLeast(1)).honoured(
    'Partitions of `__consumer_offsets`; cannot change once it exists.',
  ),
  'offsets.topic.replication.factor': short(3, atLeast(1)).honoured(
    'Copies of `__consumer_offsets` when it is made, at most one a broker; as brokers join it gets up to three by itself.',
  ),
  'offsets.topic.segment.bytes': int(104_857_600, atLeast(1)).honoured('Segment size of `__consumer_offsets`.'),
}
