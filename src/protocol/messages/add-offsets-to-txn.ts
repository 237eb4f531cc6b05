import { api, int16, int32, int64, string } from '../schema.ts'

/** Adds the offsets topic of a group to a transaction (KIP-98). */
export const AddOffsetsToTxn = api(
  25,
  'AddOffsetsToTxn',
  '0-4',
  { flexible: '3+' },
  {
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    groupId: string,
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
  },
)
