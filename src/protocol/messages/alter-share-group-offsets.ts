import { api, array, int16, int32, int64, string, uuid } from '../schema.ts'

/** Sets start offsets of an empty share group (KIP-932). */
export const AlterShareGroupOffsets = api(
  91,
  'AlterShareGroupOffsets',
  '0',
  { flexible: '0+' },
  {
    groupId: string,
    topics: array({
      topicName: string,
      partitions: array({ partitionIndex: int32, startOffset: int64 }),
    }),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable().or(null),
    responses: array({
      topicName: string,
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.nullable().or(null),
      }),
    }),
  },
)
