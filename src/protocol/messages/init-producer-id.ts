import { api, bool, int16, int32, int64, string } from '../schema.ts'

/**
 * Gives a producer its id and epoch (KIP-98). Version 6 belongs to two-phase commit (KIP-939) and is not stable yet.
 */
export const InitProducerId = api(
  22,
  'InitProducerId',
  '0-6',
  { flexible: '2+' },
  {
    transactionalId: string.nullable(),
    transactionTimeoutMs: int32,
    producerId: int64.in('3+').or(-1),
    producerEpoch: int16.in('3+').or(-1),
    enable2Pc: bool.in('6+'),
    keepPreparedTxn: bool.in('6+'),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    producerId: int64.or(-1),
    producerEpoch: int16,
    ongoingTxnProducerId: int64.in('6+').or(-1),
    ongoingTxnProducerEpoch: int16.in('6+').or(-1),
  },
)
