import { api, array, bool, int16, int32, list, string } from '../schema.ts'

/** Begins, or with null replicas cancels, the move of partitions (KIP-455). */
export const AlterPartitionReassignments = api(
  45,
  'AlterPartitionReassignments',
  '0-1',
  { flexible: '0+' },
  {
    timeoutMs: int32.or(60000),
    allowReplicationFactorChange: bool.in('1+').or(true),
    topics: array({
      name: string,
      partitions: array({ partitionIndex: int32, replicas: list(int32).nullable().or(null) }),
    }),
  },
  {
    throttleTimeMs: int32.or(0),
    allowReplicationFactorChange: bool.in('1+').or(true).ignorable(),
    errorCode: int16,
    errorMessage: string.nullable(),
    responses: array({
      name: string,
      partitions: array({ partitionIndex: int32, errorCode: int16, errorMessage: string.nullable() }),
    }),
  },
)
