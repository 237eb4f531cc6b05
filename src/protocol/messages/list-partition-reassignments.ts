import { api, array, int16, int32, list, string } from '../schema.ts'

/** Lists partitions that are on the move (KIP-455). */
export const ListPartitionReassignments = api(
  46,
  'ListPartitionReassignments',
  '0',
  { flexible: '0+' },
  {
    timeoutMs: int32.or(60000),
    topics: array({ name: string, partitionIndexes: list(int32) })
      .nullable()
      .or(null),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable(),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        replicas: list(int32),
        addingReplicas: list(int32),
        removingReplicas: list(int32),
      }),
    }),
  },
)
