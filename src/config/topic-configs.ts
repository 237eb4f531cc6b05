import { compaction, deletedAtOnce, noNeed, shares, tiered, unfolds } from './broker/reasons.ts'
import {
  atLeast,
  between,
  bool,
  double,
  int,
  list,
  listOf,
  long,
  MAX_LONG,
  oneOf,
  orValue,
  string,
  type Valid,
} from './definition.ts'

const throttled = 'Replicas that are being moved are throttled without being listed, others never.'

/** KIP-73: `partition:broker,…`, or `*` for all. */
const throttledReplicas: Valid = {
  describe: 'partition:broker,…, or *',
  check(value) {
    const items = value as readonly string[]
    const fine = items.join() === '*' || items.every(item => /^\d+:\d+$/.test(item))
    return fine ? null : 'Value must be * or a list of partition:broker'
  },
}

/** What a topic can be given. What is not given falls back to the broker (`TOPIC_FALLBACKS`). */
export const topicSettings = {
  'cleanup.policy': list('delete', listOf(['compact', 'delete'], { empty: true })).honoured(
    'What happens to old segments: `delete`, `compact`, or both.',
  ),
  'compression.gzip.level': int(-1, orValue(-1, between(1, 9))).honoured(
    "Level when the broker recompresses with gzip; −1: the codec's own.",
  ),
  'compression.lz4.level': int(9, between(1, 17)).honoured('Level when the broker recompresses with lz4.'),
  'compression.type': string('producer', oneOf('uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer')).honoured(
    'How batches are stored: as the producer sent them (`producer`), or recompressed.',
  ),
  'compression.zstd.level': int(3, between(-131_072, 22)).honoured('Level when the broker recompresses with zstd.'),
  'delete.retention.ms': long(86_400_000, atLeast(0)).ignored(compaction),
  'errors.deadletterqueue.group.enable': bool(false).ignored(shares),
  'file.delete.delay.ms': long(60_000, atLeast(0)).ignored(deletedAtOnce),
  'flush.messages': long(MAX_LONG, atLeast(1)).honoured(
    'Records after which the partition is forced to stable storage.',
  ),
  'flush.ms': long(MAX_LONG, atLeast(0)).honoured('ms after which appended records are forced to stable storage.'),
  'follower.replication.throttled.replicas': list('', throttledReplicas).ignored(throttled),
  'index.interval.bytes': int(4096, atLeast(0)).honoured('Bytes of a segment between two entries of its offset index.'),
  'internal.segment.bytes': int(null).hidden().honoured('As `segment.bytes`, without its lower bound: for tests.'),
  'leader.replication.throttled.replicas': list('', throttledReplicas).ignored(throttled),
  'local.retention.bytes': long(-2, atLeast(-2)).ignored(tiered),
  'local.retention.ms': long(-2, atLeast(-2)).ignored(tiered),
  'max.compaction.lag.ms': long(MAX_LONG, atLeast(1)).ignored(compaction),
  'max.decompressed.message.bytes': int(2_147_483_639, between(1, 2_147_483_639)).ignored(unfolds),
  'max.message.bytes': int(1_048_588, atLeast(0)).honoured(
    'Largest record batch (bytes, as sent) that the topic takes.',
  ),
  'message.timestamp.after.max.ms': long(3_600_000, atLeast(0)).honoured(
    "How far in the future (ms) a record's own timestamp may lie.",
  ),
  'message.timestamp.before.max.ms': long(MAX_LONG, atLeast(0)).honoured(
    "How far in the past (ms) a record's own timestamp may lie.",
  ),
  'message.timestamp.type': string('CreateTime', oneOf('CreateTime', 'LogAppendTime')).honoured(
    "Whose clock stamps records: the producer's (`CreateTime`) or the broker's (`LogAppendTime`).",
  ),
  'min.cleanable.dirty.ratio': double('0.5', between(0, 1)).ignored(compaction),
  'min.compaction.lag.ms': long(0, atLeast(0)).ignored(compaction),
  'min.insync.replicas': int(1, atLeast(1)).honoured('Copies that must have a record before `acks=all` is answered.'),
  preallocate: bool(false).ignored(noNeed),
  'remote.copy.lag.bytes': long(-1, atLeast(-1)).ignored(tiered),
  'remote.copy.lag.ms': long(0, atLeast(-1)).ignored(tiered),
  'remote.log.copy.disable': bool(false).ignored(tiered),
  'remote.log.delete.on.disable': bool(false).ignored(tiered),
  'remote.storage.enable': bool(false).only(tiered),
  'replication.topology': string('isr', oneOf('isr', 'chain')).honoured(
    'How copies reach the replicas: each fetches from the leader (`isr`), or from the one before it (`chain`).',
  ),
  'retention.bytes': long(-1).honoured('Bytes kept per partition; −1: no limit.'),
  'retention.ms': long(604_800_000, atLeast(-1)).honoured('ms that records are kept; −1: for ever.'),
  'segment.bytes': int(1_073_741_824, atLeast(1_048_576)).honoured('Bytes after which a new segment begins.'),
  'segment.index.bytes': int(10_485_760, atLeast(4)).honoured(
    "Largest size of a segment's index; a full one begins a new segment.",
  ),
  'segment.jitter.ms': long(0, atLeast(0)).honoured(
    'Random part of `segment.ms`, so that partitions do not roll all at once.',
  ),
  'segment.ms': long(604_800_000, atLeast(1)).honoured('ms after which a new segment begins even when it is not full.'),
  'unclean.leader.election.enable': bool(false).honoured(
    'Whether a copy that lacks acknowledged records may lead when no other can.',
  ),
}

/** The broker settings that stand in for a topic setting, the first that is set wins. `scale`: ms in one of its unit. */
export const TOPIC_FALLBACKS = {
  'cleanup.policy': [{ name: 'log.cleanup.policy' }],
  'compression.gzip.level': [{ name: 'compression.gzip.level' }],
  'compression.lz4.level': [{ name: 'compression.lz4.level' }],
  'compression.type': [{ name: 'compression.type' }],
  'compression.zstd.level': [{ name: 'compression.zstd.level' }],
  'delete.retention.ms': [{ name: 'log.cleaner.delete.retention.ms' }],
  'file.delete.delay.ms': [{ name: 'log.segment.delete.delay.ms' }],
  'flush.messages': [{ name: 'log.flush.interval.messages' }],
  'flush.ms': [{ name: 'log.flush.interval.ms' }, { name: 'log.flush.scheduler.interval.ms' }],
  'index.interval.bytes': [{ name: 'log.index.interval.bytes' }],
  'local.retention.bytes': [{ name: 'log.local.retention.bytes' }],
  'local.retention.ms': [{ name: 'log.local.retention.ms' }],
  'max.compaction.lag.ms': [{ name: 'log.cleaner.max.compaction.lag.ms' }],
  'max.decompressed.message.bytes': [{ name: 'max.decompressed.message.bytes' }],
  'max.message.bytes': [{ name: 'message.max.bytes' }],
  'message.timestamp.after.max.ms': [{ name: 'log.message.timestamp.after.max.ms' }],
  'message.timestamp.before.max.ms': [{ name: 'log.message.timestamp.before.max.ms' }],
  'message.timestamp.type': [{ name: 'log.message.timestamp.type' }],
  'min.cleanable.dirty.ratio': [{ name: 'log.cleaner.min.cleanable.ratio' }],
  'min.compaction.lag.ms': [{ name: 'log.cleaner.min.compaction.lag.ms' }],
  'min.insync.replicas': [{ name: 'min.insync.replicas' }],
  preallocate: [{ name: 'log.preallocate' }],
  'remote.copy.lag.bytes': [{ name: 'log.remote.copy.lag.bytes' }],
  'remote.copy.lag.ms': [{ name: 'log.remote.copy.lag.ms' }],
  'replication.topology': [{ name: 'replication.topology' }],
  'retention.bytes': [{ name: 'log.retention.bytes' }],
  'retention.ms': [
    { name: 'log.retention.ms' },
    { name: 'log.retention.minutes', scale: 60_000 },
    { name: 'log.retention.hours', scale: 3_600_000 },
  ],
  'segment.bytes': [{ name: 'log.segment.bytes' }],
  'segment.index.bytes': [{ name: 'log.index.size.max.bytes' }],
  'segment.jitter.ms': [{ name: 'log.roll.jitter.ms' }, { name: 'log.roll.jitter.hours', scale: 3_600_000 }],
  'segment.ms': [{ name: 'log.roll.ms' }, { name: 'log.roll.hours', scale: 3_600_000 }],
  'unclean.leader.election.enable': [{ name: 'unclean.leader.election.enable' }],
} as const
