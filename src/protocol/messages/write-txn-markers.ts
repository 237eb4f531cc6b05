import { api, array, bool, int8, int16, int32, int64, list, string } from '../schema.ts'

/** From a transaction coordinator to the leaders of partitions: write commit or abort markers (KIP-98). */
export const WriteTxnMarkers = api(
  27,
  'WriteTxnMarkers',
  '0-2',
  { flexible: '1+' },
  {
    markers: array({
      producerId: int64,
      producerEpoch: int16,
      transactionResult: bool,
      topics: array({ name: string, partitionIndexes: list(int32) }),
      coordinatorEpoch: int32,
      transactionVersion: int8.in('2+').ignorable(),
    }),
  },
  {
    markers: array({
      producerId: int64,
      topics: array({ name: string, partitions: array({ partitionIndex: int32, errorCode: int16 }) }),
    }),
  },
)
