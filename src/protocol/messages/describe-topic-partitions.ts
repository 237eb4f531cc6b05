import { api, array, bool, int16, int32, list, string, struct, uuid } from '../schema.ts'

/** Topics and their partitions page by page, with eligible leader replicas (KIP-966). */
export const DescribeTopicPartitions = api(
  75,
  'DescribeTopicPartitions',
  '0',
  { flexible: '0+' },
  {
    topics: array({ name: string }),
    responsePartitionLimit: int32.or(2000),
    cursor: struct({ topicName: string, partitionIndex: int32 }).nullable().or(null),
  },
  {
    throttleTimeMs: int32.or(0),
    topics: array({
      errorCode: int16,
      name: string.nullable(),
      topicId: uuid,
      isInternal: bool.or(false),
      partitions: array({
        errorCode: int16,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32.or(-1),
        replicaNodes: list(int32),
        isrNodes: list(int32),
        eligibleLeaderReplicas: list(int32).nullable().or(null),
        lastKnownElr: list(int32).nullable().or(null),
        offlineReplicas: list(int32),
      }),
      topicAuthorizedOperations: int32.or(-2147483648),
    }),
    nextCursor: struct({ topicName: string, partitionIndex: int32 }).nullable().or(null),
  },
)
