import { api, array, bool, int8, int16, int32, int64, list, string, struct, uint16 } from '../schema.ts'

const keyValue = {
  key: string,
  value: string,
}

const topicInfo = {
  name: string,
  partitions: int32,
  replicationFactor: int16,
  topicConfigs: array(keyValue),
}

const taskIds = {
  subtopologyId: string,
  partitions: list(int32),
}

const taskOffset = {
  subtopologyId: string,
  partition: int32,
  offset: int64,
}

const topicPartition = {
  topic: string,
  partitions: list(int32),
}

/** The one request of the streams group protocol: topology, tasks, offsets (KIP-1071). */
export const StreamsGroupHeartbeat = api(
  88,
  'StreamsGroupHeartbeat',
  '0-1',
  { flexible: '0+' },
  {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    endpointInformationEpoch: int32,
    instanceId: string.nullable().or(null),
    rackId: string.nullable().or(null),
    rebalanceTimeoutMs: int32.or(-1),
    topology: struct({
      epoch: int32,
      subtopologies: array({
        subtopologyId: string,
        sourceTopics: list(string),
        sourceTopicRegex: list(string),
        stateChangelogTopics: array(topicInfo),
        repartitionSinkTopics: list(string),
        repartitionSourceTopics: array(topicInfo),
        copartitionGroups: array({
          sourceTopics: list(int16),
          sourceTopicRegex: list(int16),
          repartitionSourceTopics: list(int16),
        }),
      }),
    })
      .nullable()
      .or(null),
    activeTasks: array(taskIds).nullable().or(null),
    standbyTasks: array(taskIds).nullable().or(null),
    warmupTasks: array(taskIds).nullable().or(null),
    processId: string.nullable().or(null),
    userEndpoint: struct({ host: string, port: uint16 }).nullable().or(null),
    clientTags: array(keyValue).nullable().or(null),
    taskOffsets: array(taskOffset).nullable().or(null),
    taskEndOffsets: array(taskOffset).nullable().or(null),
    shutdownApplication: bool.or(false),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable().or(null),
    memberId: string,
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    acceptableRecoveryLagLegacy: int32.in('0'),
    taskOffsetIntervalMs: int32,
    acceptableRecoveryLag: int64.in('1+').or(-1).ignorable(),
    status: array({ statusCode: int8, statusDetail: string }).nullable(),
    activeTasks: array(taskIds).nullable().or(null),
    standbyTasks: array(taskIds).nullable().or(null),
    warmupTasks: array(taskIds).nullable().or(null),
    topologyDescriptionRequired: bool.in('1+'),
    endpointInformationEpoch: int32,
    partitionsByUserEndpoint: array({
      userEndpoint: struct({ host: string, port: uint16 }),
      activePartitions: array(topicPartition),
      standbyPartitions: array(topicPartition),
    })
      .nullable()
      .or(null),
  },
)
