import { atLeast, bool, int, short } from '../definition.ts'
import { transactions } from './reasons.ts'

/** Producers with an id, transactions. */
export const transactionsSettings = {
  'add.partitions.to.txn.retry.backoff.max.ms': int(100, atLeast(0)).readOnly(transactions),
  'add.partitions.to.txn.retry.backoff.ms': int(20, atLeast(1)).readOnly(transactions),
  'producer.id.expiration.check.interval.ms': int(600_000, atLeast(1))
    .hidden()
    .honoured('ms between two looks for producers that may be forgotten.'),
  'producer.id.expiration.ms': int(86_400_000, atLeast(1))
    .clusterWide()
    .honoured("ms after which a silent producer's sequence numbers are forgotten."),
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': int(10_000, atLeast(1)).readOnly(transactions),
  'transaction.max.timeout.ms': int(900_000, atLeast(1)).readOnly(transactions),
  'transaction.partition.verification.enable': bool(true).clusterWide().readOnly(transactions),
  'transaction.remove.expired.transaction.cleanup.interval.ms': int(3_600_000, atLeast(1)).readOnly(transactions),
  'transaction.state.log.load.buffer.size': int(5_242_880, atLeast(1)).readOnly(transactions),
  'transaction.state.log.min.isr': int(2, atLeast(1)).readOnly(transactions),
  'transaction.state.log.num.partitions': int(50, atLeast(1)).readOnly(transactions),
  'transaction.state.log.replication.factor': short(3, atLeast(1)).readOnly(transactions),
  'transaction.state.log.segment.bytes': int(104_857_600, atLeast(1)).readOnly(transactions),
  'transaction.two.phase.commit.enable': bool(false).only(transactions),
  'transactional.id.expiration.ms': int(604_800_000, atLeast(1)).readOnly(transactions),
}
