import { api, array, int8, int16, int32, list, string } from '../schema.ts'

/** Elects the preferred leaders, or unclean ones where nobody else is left (KIP-460). */
export const ElectLeaders = api(
  43,
  'ElectLeaders',
  '0-2',
  { flexible: '2+' },
  {
    electionType: int8.in('1+'),
    topicPartitions: array({ topic: string, partitions: list(int32) }).nullable(),
    timeoutMs: int32.or(60000),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16.in('1+'),
    replicaElectionResults: array({
      topic: string,
      partitionResult: array({ partitionId: int32, errorCode: int16, errorMessage: string.nullable() }),
    }),
  },
)
