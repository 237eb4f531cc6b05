import { api, array, int16, int32, string, uuid } from '../schema.ts'

/** Deletes offsets of an empty share group (KIP-932). */
export const DeleteShareGroupOffsets = api(
  92,
  'DeleteShareGroupOffsets',
  '0',
  { flexible: '0+' },
  {
    groupId: string,
    topics: array({ topicName: string }),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable().or(null),
    responses: array({
      topicName: string,
      topicId: uuid,
      errorCode: int16,
      errorMessage: string.nullable().or(null),
    }),
  },
)
