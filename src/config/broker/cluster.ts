import { atLeast, bool, int, list, listOf, long, MAX_LONG, string } from '../definition.ts'
import { everyRole, kernelBuffers, metadataLog, noNeed, quorumItself, unstable } from './reasons.ts'

/** The node and its place in a cluster. */
export const clusterSettings = {
  'auto.leader.rebalance.enable': bool(true).honoured(
    'Whether preferred leaders that are back lead again by themselves.',
  ),
  'broker.heartbeat.interval.ms': int(500).honoured(
    "ms between two heartbeats of a broker to the controller (Kafka's default: 2000).",
  ),
  'broker.id': int(-1).honoured('The old name of `node.id`.'),
  'broker.rack': string(null).honoured('The rack that this broker tells clients.'),
  'broker.session.timeout.ms': int(3000).honoured(
    "ms without a heartbeat after which others lead what a broker led (Kafka's default: 9000).",
  ),
  'controlled.shutdown.enable': bool(true).honoured('Whether others take over what this node leads before it stops.'),
  'controller.listener.names': list('CONTROLLER', listOf([], { empty: false })).honoured(
    'Listeners of `listeners` that are not for clients; ottla needs none and does not open them.',
  ),
  'controller.performance.always.log.threshold.ms': long(2000, atLeast(0)).hidden().ignored(noNeed),
  'controller.performance.sample.period.ms': long(60_000, atLeast(100)).hidden().ignored(noNeed),
  'controller.quorum.append.linger.ms': int(25, atLeast(0)).ignored(quorumItself),
  'controller.quorum.auto.join.enable': bool(true).honoured(
    "Whether this node gets a vote about the metadata by itself when one is needed (Kafka's default: false).",
  ),
  'controller.quorum.bootstrap.servers': list('').ignored(
    'Nodes find each other by `join`, and from then on by what they have registered.',
  ),
  'controller.quorum.election.backoff.max.ms': int(1000, atLeast(0)).ignored(quorumItself),
  'controller.quorum.election.timeout.ms': int(500, atLeast(0)).honoured(
    "ms that an election of the controller may take before the next; by dice up to twice as many (Kafka's default: 1000).",
  ),
  'controller.quorum.fetch.max.bytes': int(1_048_576, atLeast(1)).honoured(
    'Bytes of the metadata log, or of a snapshot of it, that one answer holds.',
  ),
  'controller.quorum.fetch.snapshot.max.bytes': int(1_048_576, atLeast(1)).ignored(
    '`controller.quorum.fetch.max.bytes` holds for snapshots, too.',
  ),
  'controller.quorum.fetch.timeout.ms': int(1500, atLeast(0)).honoured(
    "ms without a word after which the controller is doubted by the others (Kafka's default: 2000).",
  ),
  'controller.quorum.request.timeout.ms': int(2000, atLeast(0)).honoured(
    'ms that a node waits for the answer of another one, unless a request says otherwise.',
  ),
  'controller.quorum.retry.backoff.ms': int(20, atLeast(0)).honoured(
    'ms between two attempts to reach another node of the quorum.',
  ),
  'controller.quorum.voters': list('').ignored(
    'Who votes stands in the metadata log itself, and changes by itself as nodes come.',
  ),
  'controller.socket.timeout.ms': int(30_000).ignored('`controller.quorum.request.timeout.ms` says it.'),
  'cordoned.log.dirs': list('', listOf([], { empty: true }))
    .perBroker()
    .ignored('A node has one folder; one that shall get no partitions is drained (`balance.state`).'),
  'initial.broker.registration.timeout.ms': int(60_000).honoured(
    'ms that a starting node waits while another one of its number counts as running.',
  ),
  'internal.metadata.delete.delay.millis': long(60_000).hidden().ignored(metadataLog),
  'internal.metadata.log.segment.bytes': int(null).hidden().ignored(metadataLog),
  'internal.metadata.max.batch.size.in.bytes': int(8_388_608).hidden().ignored(metadataLog),
  'leader.imbalance.check.interval.seconds': long(30, atLeast(1)).honoured(
    "How often preferred leaders that are back lead again (Kafka's default: 300).",
  ),
  'metadata.log.dir': string(null).ignored(metadataLog),
  'metadata.log.max.record.bytes.between.snapshots': long(4_194_304, atLeast(1)).honoured(
    "Bytes of records after which a snapshot takes the place of the metadata log (Kafka's default: 20971520).",
  ),
  'metadata.log.max.snapshot.interval.ms': long(3_600_000, atLeast(0)).ignored(metadataLog),
  'metadata.log.segment.bytes': int(1_073_741_824, atLeast(8_388_608)).ignored(metadataLog),
  'metadata.log.segment.ms': long(604_800_000).ignored(metadataLog),
  'metadata.max.idle.interval.ms': int(500, atLeast(0)).ignored(metadataLog),
  'metadata.max.retention.bytes': long(104_857_600).ignored(metadataLog),
  'metadata.max.retention.ms': long(604_800_000).ignored(metadataLog),
  'node.id': int(1, atLeast(0)).honoured("This node's number in the cluster (Kafka has no default)."),
  'num.replica.fetchers': int(1, atLeast(1))
    .clusterWide()
    .ignored('There is one event loop, and one fetcher for each other node.'),
  'process.roles': list('broker,controller', listOf(['broker', 'controller'], { empty: false })).readOnly(everyRole),
  'replica.fetch.backoff.ms': int(1000, atLeast(0)).honoured(
    'The longest pause (ms) of a follower whose fetches fail; the first ones are much shorter.',
  ),
  'replica.fetch.max.bytes': int(1_048_576, atLeast(0)).honoured(
    'Bytes of one partition that a follower fetches at a time.',
  ),
  'replica.fetch.min.bytes': int(1).honoured('Bytes for which the fetch of a follower waits.'),
  'replica.fetch.response.max.bytes': int(10_485_760, atLeast(0)).honoured(
    'Bytes of all partitions that a follower fetches at a time.',
  ),
  'replica.fetch.wait.max.ms': int(500).honoured('ms that the fetch of a follower waits when there is nothing new.'),
  'replica.high.watermark.checkpoint.interval.ms': long(5000).honoured(
    'ms between two notes of what is known to be committed.',
  ),
  'replica.lag.time.max.ms': long(5000).honoured(
    "ms after which a follower that has not caught up leaves the in-sync replicas (Kafka's default: 30000).",
  ),
  'replica.selector.class': string(null).honoured(
    'Which copy consumers are sent to: with `org.apache.kafka.common.replica.RackAwareReplicaSelector` one in their own rack; unset: the leader.',
  ),
  'replica.socket.receive.buffer.bytes': int(65_536).ignored(kernelBuffers),
  'replica.socket.timeout.ms': int(3000).honoured(
    "ms by which the answer to a follower's fetch may be late (Kafka's default: 30000).",
  ),
  'server.max.startup.time.ms': long(MAX_LONG, atLeast(0)).hidden().ignored(noNeed),
  'unstable.api.versions.enable': bool(false).hidden().only(unstable),
  'unstable.feature.versions.enable': bool(false).hidden().only(unstable),
}
