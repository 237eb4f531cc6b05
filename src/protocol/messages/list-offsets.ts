import { api, array, int8, int16, int32, int64, list, string } from '../schema.ts'

/**
 * Finds offsets by timestamp; negative timestamps are questions: −1 latest, −2 earliest, −3 of the largest timestamp
 * (KIP-734), −4 earliest local, −5 latest tiered (KIP-405, KIP-1005), −6 earliest not yet tiered (KIP-1023). Version
 * 0 answers with a list of segment starts.
 */
export const ListOffsets = api(
  2,
  'ListOffsets',
  '0-11',
  { flexible: '6+' },
  {
    replicaId: int32,
    isolationLevel: int8.in('2+'),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        currentLeaderEpoch: int32.in('4+').or(-1).ignorable(),
        timestamp: int64,
        maxNumOffsets: int32.in('0').or(1),
      }),
    }),
    timeoutMs: int32.in('10+').ignorable(),
  },
  {
    throttleTimeMs: int32.in('2+').ignorable(),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        oldStyleOffsets: list(int64).in('0'),
        timestamp: int64.in('1+').or(-1),
        offset: int64.in('1+').or(-1),
        leaderEpoch: int32.in('4+').or(-1),
      }),
    }),
  },
)
