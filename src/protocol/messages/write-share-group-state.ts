import { api, array, int8, int16, int32, int64, string, uuid } from '../schema.ts'

/** From a partition leader to the share coordinator: write the state of a share partition (KIP-932). */
export const WriteShareGroupState = api(
  85,
  'WriteShareGroupState',
  '0-1',
  { flexible: '0+' },
  {
    groupId: string,
    topics: array({
      topicId: uuid,
      partitions: array({
        partition: int32,
        stateEpoch: int32,
        leaderEpoch: int32,
        startOffset: int64,
        deliveryCompleteCount: int32.in('1+').or(-1).ignorable(),
        stateBatches: array({
          firstOffset: int64,
          lastOffset: int64,
          deliveryState: int8,
          deliveryCount: int16,
        }),
      }),
    }),
  },
  {
    results: array({
      topicId: uuid,
      partitions: array({ partition: int32, errorCode: int16, errorMessage: string.nullable().or(null) }),
    }),
  },
)
