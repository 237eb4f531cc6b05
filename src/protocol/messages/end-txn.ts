import { api, bool, int16, int32, int64, string } from '../schema.ts'

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
