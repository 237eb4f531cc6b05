import { api, array, int16, int32, int64, string, uuid } from '../schema.ts'

/** From a group coordinator to the share coordinator: only the start of a share partition (KIP-932). */
export const ReadShareGroupStateSummary = api(
  87,
  'ReadShareGroupStateSummary',
  '0-1',
  { flexible: '0+' },
  {
    groupId: string,
    topics: array({ topicId: uuid, partitions: array({ partition: int32, leaderEpoch: int32 }) }),
  },
  {
    results: array({
      topicId: uuid,
      partitions: array({
        partition: int32,
        errorCode: int16,
        errorMessage: string.nullable().or(null),
        stateEpoch: int32,
        leaderEpoch: int32,
        startOffset: int64,
        deliveryCompleteCount: int32.in('1+').or(-1).ignorable(),
      }),
    }),
  },
)
