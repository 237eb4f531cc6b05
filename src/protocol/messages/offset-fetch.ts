import { api, array, bool, int16, int32, int64, list, string, uuid } from '../schema.ts'

/**
 * Reads offsets of groups: of one group up to version 7, of several from 8 on (KIP-709), with topic ids from 10 on.
 */
export const OffsetFetch = api(
  9,
  'OffsetFetch',
  '0-10',
  { flexible: '6+' },
  {
    groupId: string.in('0-7'),
    // null: every topic of the group
    topics: array({ name: string, partitionIndexes: list(int32) })
      .in('0-7')
      .nullable('2-7'),
    groups: array({
      groupId: string,
      memberId: string.in('9+').nullable().or(null).ignorable(),
      memberEpoch: int32.in('9+').or(-1).ignorable(),
      topics: array({
        name: string.in('8-9').ignorable(),
        topicId: uuid.in('10+').ignorable(),
        partitionIndexes: list(int32),
      }).nullable(),
    }).in('8+'),
    requireStable: bool.in('7+'),
  },
  {
    throttleTimeMs: int32.in('3+').ignorable(),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: int32.in('5-7').or(-1).ignorable(),
        metadata: string.nullable(),
        errorCode: int16,
      }),
    }).in('0-7'),
    errorCode: int16.in('2-7').ignorable(),
    groups: array({
      groupId: string,
      topics: array({
        name: string.in('8-9').ignorable(),
        topicId: uuid.in('10+').ignorable(),
        partitions: array({
          partitionIndex: int32,
          committedOffset: int64,
          committedLeaderEpoch: int32.or(-1),
          metadata: string.nullable(),
          errorCode: int16,
        }),
      }),
      errorCode: int16.or(0),
    }).in('8+'),
  },
)
