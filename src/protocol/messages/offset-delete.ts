import { api, array, int16, int32, string } from '../schema.ts'

/** Deletes offsets of a group (KIP-496). Never flexible. */
export const OffsetDelete = api(
  47,
  'OffsetDelete',
  '0',
  {},
  {
    groupId: string,
    topics: array({ name: string, partitions: array({ partitionIndex: int32 }) }),
  },
  {
    errorCode: int16,
    throttleTimeMs: int32.or(0),
    topics: array({ name: string, partitions: array({ partitionIndex: int32, errorCode: int16 }) }),
  },
)
