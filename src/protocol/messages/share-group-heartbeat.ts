import { api, array, int16, int32, list, string, struct, uuid } from '../schema.ts'

/** Joins a share group, keeps alive, leaves (KIP-932). */
export const ShareGroupHeartbeat = api(
  76,
  'ShareGroupHeartbeat',
  '0-1',
  { flexible: '0+' },
  {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    rackId: string.nullable().or(null),
    subscribedTopicNames: list(string).nullable().or(null),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable().or(null),
    memberId: string.nullable().or(null),
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    assignment: struct({ topicPartitions: array({ topicId: uuid, partitions: list(int32) }) })
      .nullable()
      .or(null),
  },
)
