import { api, array, int16, int32, string, uuid } from '../schema.ts'

/** From a group coordinator to the share coordinator: forget the state of a share partition (KIP-932). */
export const DeleteShareGroupState = api(
  86,
  'DeleteShareGroupState',
  '0',
  { flexible: '0+' },
  {
    groupId: string,
    topics: array({ topicId: uuid, partitions: array({ partition: int32 }) }),
  },
  {
    results: array({
      topicId: uuid,
      partitions: array({ partition: int32, errorCode: int16, errorMessage: string.nullable().or(null) }),
    }),
  },
)
