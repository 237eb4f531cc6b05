import { api, array, bool, int16, int32, list, string, uuid } from '../schema.ts'

/**
 * Brokers, topics, partitions and their leaders. Null topics asks for all of them, and so does an empty list in
 * version 0. Topic ids from version 10 on (KIP-516).
 */
export const Metadata = api(
  3,
  'Metadata',
  '0-13',
  { flexible: '9+' },
  {
    topics: array({ topicId: uuid.in('10+').ignorable(), name: string.nullable('10+') }).nullable('1+'),
    allowAutoTopicCreation: bool.in('4+').or(true),
    includeClusterAuthorizedOperations: bool.in('8-10'),
    includeTopicAuthorizedOperations: bool.in('8+'),
  },
  {
    throttleTimeMs: int32.in('3+').ignorable(),
    brokers: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.in('1+').nullable().or(null).ignorable(),
    }),
    clusterId: string.in('2+').nullable().or(null).ignorable(),
    controllerId: int32.in('1+').or(-1).ignorable(),
    topics: array({
      errorCode: int16,
      name: string.nullable('12+'),
      topicId: uuid.in('10+').ignorable(),
      isInternal: bool.in('1+').ignorable(),
      partitions: array({
        errorCode: int16,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32.in('7+').or(-1).ignorable(),
        replicaNodes: list(int32),
        isrNodes: list(int32),
        offlineReplicas: list(int32).in('5+').ignorable(),
      }),
      topicAuthorizedOperations: int32.in('8+').or(-2147483648),
    }),
    clusterAuthorizedOperations: int32.in('8-10').or(-2147483648),
    errorCode: int16.in('13+').ignorable(),
  },
)
