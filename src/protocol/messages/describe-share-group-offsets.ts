import { api, array, int16, int32, int64, list, string, uuid } from '../schema.ts'

/** Start offsets of share groups (KIP-932). */
export const DescribeShareGroupOffsets = api(
  90,
  'DescribeShareGroupOffsets',
  '0-1',
  { flexible: '0+' },
  {
    groups: array({
      groupId: string,
      topics: array({ topicName: string, partitions: list(int32) }).nullable(),
    }),
  },
  {
    throttleTimeMs: int32.or(0),
    groups: array({
      groupId: string,
      topics: array({
        topicName: string,
        topicId: uuid,
        partitions: array({
          partitionIndex: int32,
          startOffset: int64,
          leaderEpoch: int32,
          lag: int64.in('1+').or(-1).ignorable(),
          errorCode: int16,
          errorMessage: string.nullable().or(null),
        }),
      }),
      errorCode: int16,
      errorMessage: string.nullable().or(null),
    }),
  },
)
