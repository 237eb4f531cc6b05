import { api, array, int16, int32, int64, string, uuid } from '../schema.ts'

/** From a group coordinator to the share coordinator: begin to keep the state of a share partition (KIP-932). */
export const InitializeShareGroupState = api(
  83,
  'InitializeShareGroupState',
  '0',
  { flexible: '0+' },
  {
    groupId: string,
    topics: array({
      topicId: uuid,
      partitions: array({ partition: int32, stateEpoch: int32, startOffset: int64 }),
    }),
  },
  {
    results: array({
      topicId: uuid,
      partitions: array({ partition: int32, errorCode: int16, errorMessage: string.nullable().or(null) }),
    }),
  },
)
