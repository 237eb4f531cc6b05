import { api, bool, int16, int32, int64, string } from '../schema.ts'

/** Commits or aborts a transaction. Version 5 answers with the next epoch of the producer (KIP-890). */
export const EndTxn = api(
  26,
  'EndTxn',
  '0-5',
  { flexible: '3+' },
  {
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    committed: bool,
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    producerId: int64.in('5+').or(-1).ignorable(),
    producerEpoch: int16.in('5+').or(-1).ignorable(),
  },
)
