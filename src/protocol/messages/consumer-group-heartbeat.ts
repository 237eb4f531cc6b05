import { api, array, int16, int32, list, string, struct, uuid } from '../schema.ts'

/**
 * The one request of the consumer group protocol: joins, keeps alive, reconciles, leaves (KIP-848). Member epoch 0
 * joins, −1 leaves, −2 leaves for a while as a static member.
 */
export const ConsumerGroupHeartbeat = api(
  68,
  'ConsumerGroupHeartbeat',
  '0-1',
  { flexible: '0+' },
  {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    instanceId: string.nullable().or(null),
    rackId: string.nullable().or(null),
    rebalanceTimeoutMs: int32.or(-1),
    subscribedTopicNames: list(string).nullable().or(null),
    subscribedTopicRegex: string.in('1+').nullable().or(null),
    serverAssignor: string.nullable().or(null),
    topicPartitions: array({ topicId: uuid, partitions: list(int32) })
      .nullable()
      .or(null),
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
