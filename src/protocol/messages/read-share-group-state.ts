import { api, array, int8, int16, int32, int64, string, uuid } from '../schema.ts'

/** From a partition leader to the share coordinator: read the state of a share partition (KIP-932). */
export const ReadShareGroupState = api(
  84,
  'ReadShareGroupState',
  '0',
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
        startOffset: int64,
        stateBatches: array({
          firstOffset: int64,
          lastOffset: int64,
          deliveryState: int8,
          deliveryCount: int16,
        }),
      }),
    }),
  },
)
