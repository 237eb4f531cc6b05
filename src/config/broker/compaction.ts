import { atLeast, between, bool, double, int, long, MAX_LONG } from '../definition.ts'
import { compaction } from './reasons.ts'

/** The log cleaner. */
export const compactionSettings = {
  'log.cleaner.backoff.ms': long(15_000, atLeast(0)).clusterWide().ignored(compaction),
  'log.cleaner.dedupe.buffer.size': long(134_217_728).clusterWide().ignored(compaction),
  'log.cleaner.delete.retention.ms': long(86_400_000, atLeast(0)).clusterWide().ignored(compaction),
  'log.cleaner.enable': bool(true).ignored(compaction),
  'log.cleaner.io.buffer.load.factor': double('0.9').clusterWide().ignored(compaction),
  'log.cleaner.io.buffer.size': int(524_288, atLeast(0)).clusterWide().ignored(compaction),
  'log.cleaner.io.max.bytes.per.second': double('1.7976931348623157E308').clusterWide().ignored(compaction),
  'log.cleaner.max.compaction.lag.ms': long(MAX_LONG, atLeast(1)).clusterWide().ignored(compaction),
  'log.cleaner.min.cleanable.ratio': double('0.5', between(0, 1)).clusterWide().ignored(compaction),
  'log.cleaner.min.compaction.lag.ms': long(0, atLeast(0)).clusterWide().ignored(compaction),
  'log.cleaner.threads': int(1, atLeast(0)).clusterWide().ignored(compaction),
}
