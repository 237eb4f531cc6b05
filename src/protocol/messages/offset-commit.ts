import { api, array, int16, int32, int64, string, uuid } from '../schema.ts'

/** Stores offsets of a group. Version 9 serves both group protocols (KIP-848), 10 names topics by id. */
export const OffsetCommit = api(
  8,
  'OffsetCommit',
  '0-10',
  { flexible: '8+' },
  {
    groupId: string,
    generationIdOrMemberEpoch: int32.in('1+').or(-1).ignorable(),
    memberId: string.in('1+').ignorable(),
    groupInstanceId: string.in('7+').nullable().or(null),
    // versions 2 to 4 let the client choose; −1: the broker's default
    retentionTimeMs: int64.in('2-4').or(-1).ignorable(),
    topics: array({
      name: string.in('0-9').ignorable(),
      topicId: uuid.in('10+').ignorable(),
      partitions: array({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: int32.in('6+').or(-1).ignorable(),
        commitTimestamp: int64.in('1').or(-1),
        committedMetadata: string.nullable(),
      }),
    }),
  },
  {
    throttleTimeMs: int32.in('3+').ignorable(),
    topics: array({
      name: string.in('0-9').ignorable(),
      topicId: uuid.in('10+').ignorable(),
      partitions: array({ partitionIndex: int32, errorCode: int16 }),
    }),
  },
)
