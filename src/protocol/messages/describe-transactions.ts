import { api, array, int16, int32, int64, list, string } from '../schema.ts'

/** State of transactions, by transactional id (KIP-664). */
export const DescribeTransactions = api(
  65,
  'DescribeTransactions',
  '0',
  { flexible: '0+' },
  {
    transactionalIds: list(string),
  },
  {
    throttleTimeMs: int32.or(0),
    transactionStates: array({
      errorCode: int16,
      transactionalId: string,
      transactionState: string,
      transactionTimeoutMs: int32,
      transactionStartTimeMs: int64,
      producerId: int64,
      producerEpoch: int16,
      topics: array({ topic: string, partitions: list(int32) }),
    }),
  },
)
