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

const taskOffset = {
  subtopologyId: string,
  partition: int32,
  offset: int64,
}

const taskIds = {
  subtopologyId: string,
  partitions: list(int32),
}

const assignment = {
  activeTasks: array(taskIds),
  standbyTasks: array(taskIds),
  warmupTasks: array(taskIds),
}

const topologyDescriptionNode = {
  name: string.in('1+'),
  nodeType: int8.in('1+'),
  sourceTopics: list(string).in('1+'),
  sinkTopic: string.in('1+').nullable().or(null),
  stores: list(string).in('1+'),
  successors: list(string).in('1+'),
}

/** Describes streams groups (KIP-1071). */
export const StreamsGroupDescribe = api(
  89,
  'StreamsGroupDescribe',
  '0-1',
  { flexible: '0+' },
  {
    groupIds: list(string),
    includeAuthorizedOperations: bool,
    includeTopologyDescription: bool.in('1+'),
  },
  {
    throttleTimeMs: int32.or(0),
    groups: array({
      errorCode: int16,
      errorMessage: string.nullable().or(null),
      groupId: string,
      groupState: string,
      groupEpoch: int32,
      assignmentEpoch: int32,
      topology: struct({
        epoch: int32,
        subtopologies: array({
          subtopologyId: string,
          sourceTopics: list(string),
          repartitionSinkTopics: list(string),
          stateChangelogTopics: array(topicInfo),
          repartitionSourceTopics: array(topicInfo),
        })
          .nullable()
          .or(null),
      })
        .nullable()
        .or(null),
      members: array({
        memberId: string,
        memberEpoch: int32,
        instanceId: string.nullable().or(null),
        rackId: string.nullable().or(null),
        clientId: string,
        clientHost: string,
        topologyEpoch: int32,
        processId: string,
        userEndpoint: struct({ host: string, port: uint16 }).nullable().or(null),
        clientTags: array(keyValue),
        taskOffsets: array(taskOffset),
        taskEndOffsets: array(taskOffset),
        assignment: struct(assignment),
        targetAssignment: struct(assignment),
        isClassic: bool,
      }),
      authorizedOperations: int32.or(-2147483648),
      topologyDescription: struct({
        subtopologies: array({ subtopologyId: string, nodes: array(topologyDescriptionNode) }),
        globalStores: array({
          source: struct(topologyDescriptionNode),
          processor: struct(topologyDescriptionNode),
        }),
      })
        .in('1+')
        .nullable()
        .or(null),
      topologyDescriptionStatus: int8.in('1+'),
      assignorName: string.in('1+').nullable().or(null).ignorable(),
    }),
  },
)
