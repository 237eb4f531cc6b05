import { api, array, int16, int32, int64, string } from '../schema.ts'

/** The end offset of a leader epoch, by which followers and clients detect truncation (KIP-101, KIP-320). */
export const OffsetForLeaderEpoch = api(
  23,
  'OffsetForLeaderEpoch',
  '0-4',
  { flexible: '4+' },
  {
    replicaId: int32.in('3+').or(-2).ignorable(),
    topics: array({
      topic: string,
      partitions: array({
        partition: int32,
        currentLeaderEpoch: int32.in('2+').or(-1).ignorable(),
        leaderEpoch: int32,
      }),
    }),
  },
  {
    throttleTimeMs: int32.in('2+').ignorable(),
    topics: array({
      topic: string,
      partitions: array({
        errorCode: int16,
        partition: int32,
        leaderEpoch: int32.in('1+').or(-1).ignorable(),
        endOffset: int64.or(-1),
      }),
    }),
  },
)
