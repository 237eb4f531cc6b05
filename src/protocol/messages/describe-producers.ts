import { api, array, int16, int32, int64, list, string } from '../schema.ts'

/** Producers that have written to partitions, to find hanging transactions (KIP-664). */
export const DescribeProducers = api(
  61,
  'DescribeProducers',
  '0',
  { flexible: '0+' },
  {
    topics: array({ name: string, partitionIndexes: list(int32) }),
  },
  {
    throttleTimeMs: int32.or(0),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.nullable().or(null),
        activeProducers: array({
          producerId: int64,
          producerEpoch: int32,
          lastSequence: int32.or(-1),
          lastTimestamp: int64.or(-1),
          coordinatorEpoch: int32,
          currentTxnStartOffset: int64.or(-1),
        }),
      }),
    }),
  },
)
