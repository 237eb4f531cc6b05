import { atLeast, between, bool, int, list, listOf, long, MAX_LONG, oneOf, orValue, string } from '../definition.ts'
import { deletedAtOnce, noNeed, oneLoop, unfolds } from './reasons.ts'

/** Logs: segments, retention, flushing, timestamps, sizes. */
export const logSettings = {
  'compression.gzip.level': int(-1, orValue(-1, between(1, 9)))
    .clusterWide()
    .honoured("Level when ottla itself compresses with gzip; −1: the codec's own."),
  'compression.lz4.level': int(9, between(1, 17))
    .clusterWide()
    .honoured('Level when ottla itself compresses with lz4.'),
  'compression.type': string('producer', oneOf('uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'))
    .clusterWide()
    .honoured('How batches are stored: as the producer sent them (`producer`), or recompressed.'),
  'compression.zstd.level': int(3, between(-131_072, 22))
    .clusterWide()
    .honoured('Level when ottla itself compresses with zstd.'),
  'log.cleanup.policy': list('delete', listOf(['compact', 'delete'], { empty: true }))
    .clusterWide()
    .honoured('What happens to old segments of a topic: `delete`, `compact`, or both.'),
  'log.dir': list(null, listOf([], { empty: false })).honoured(
    'The folder that holds all data, when `log.dirs` is not given.',
  ),
  'log.dir.failure.timeout.ms': long(30_000, atLeast(1)).ignored(noNeed),
  'log.dirs': list(null, listOf([], { empty: false })).honoured(
    'The folder that holds all data; ottla uses one (`data` is the short name).',
  ),
  'log.flush.interval.messages': long(MAX_LONG, atLeast(1))
    .clusterWide()
    .honoured('Records after which a partition is forced to stable storage; 1 is the same as `flush=ack`.'),
  'log.flush.interval.ms': long(null)
    .clusterWide()
    .honoured(
      'ms after which appended records are forced to stable storage; falls back to `log.flush.scheduler.interval.ms`.',
    ),
  'log.flush.offset.checkpoint.interval.ms': int(5000, atLeast(0)).honoured(
    'ms between notes of how far each log is safe; recovery after a crash starts there (Kafka: 60000).',
  ),
  'log.flush.scheduler.interval.ms': long(MAX_LONG).honoured('The fallback of `log.flush.interval.ms`.'),
  'log.flush.start.offset.checkpoint.interval.ms': int(60_000, atLeast(0)).ignored(noNeed),
  'log.index.interval.bytes': int(4096, atLeast(0))
    .clusterWide()
    .honoured('Bytes of a segment between two entries of its offset index.'),
  'log.index.size.max.bytes': int(10_485_760, atLeast(4))
    .clusterWide()
    .honoured("Largest size of a segment's index; a full one begins a new segment."),
  'log.initial.task.delay.ms': long(30_000, atLeast(0)).hidden().ignored(noNeed),
  'log.message.timestamp.after.max.ms': long(3_600_000, atLeast(0))
    .clusterWide()
    .honoured("How far in the future (ms) a record's own timestamp may lie."),
  'log.message.timestamp.before.max.ms': long(MAX_LONG, atLeast(0))
    .clusterWide()
    .honoured("How far in the past (ms) a record's own timestamp may lie."),
  'log.message.timestamp.type': string('CreateTime', oneOf('CreateTime', 'LogAppendTime'))
    .clusterWide()
    .honoured("Whose clock stamps records: the producer's (`CreateTime`) or the broker's (`LogAppendTime`)."),
  'log.preallocate': bool(false).clusterWide().ignored(noNeed),
  'log.retention.bytes': long(-1).clusterWide().honoured('Bytes kept per partition; −1: no limit.'),
  'log.retention.check.interval.ms': long(300_000, atLeast(1)).honoured(
    'ms between two looks for segments that may go.',
  ),
  'log.retention.hours': int(168).honoured(
    'Hours that records are kept, unless minutes or ms say otherwise; −1: for ever.',
  ),
  'log.retention.minutes': int(null).honoured(
    'Minutes that records are kept, unless `log.retention.ms` says otherwise.',
  ),
  'log.retention.ms': long(null).clusterWide().honoured('ms that records are kept; −1: for ever.'),
  'log.roll.hours': int(168, atLeast(1)).honoured(
    'Hours after which a new segment begins, unless `log.roll.ms` says otherwise.',
  ),
  'log.roll.jitter.hours': int(0, atLeast(0)).honoured(
    'Random part of `log.roll.hours`, so that partitions do not roll all at once.',
  ),
  'log.roll.jitter.ms': long(null)
    .clusterWide()
    .honoured('Random part of `log.roll.ms`, so that partitions do not roll all at once.'),
  'log.roll.ms': long(null).clusterWide().honoured('ms after which a new segment begins even when it is not full.'),
  'log.segment.bytes': int(1_073_741_824, atLeast(1_048_576))
    .clusterWide()
    .honoured('Bytes after which a new segment begins.'),
  'log.segment.delete.delay.ms': long(60_000, atLeast(0)).clusterWide().ignored(deletedAtOnce),
  'max.decompressed.message.bytes': int(2_147_483_639, between(1, 2_147_483_639)).clusterWide().ignored(unfolds),
  'message.max.bytes': int(1_048_588, atLeast(0))
    .clusterWide()
    .honoured('Largest record batch (bytes, as sent) that a topic takes.'),
  'num.recovery.threads.per.data.dir': int(2, atLeast(1)).clusterWide().ignored(oneLoop),
  'num.replica.alter.log.dirs.threads': int(null).ignored(oneLoop),
}
