import { api, array, bool, int8, int16, int32, list, string, struct, uuid } from '../schema.ts'

const topicPartitions = {
  topicId: uuid,
  topicName: string,
  partitions: list(int32),
}

const assignment = {
  topicPartitions: array(topicPartitions),
}

/** Describes groups of the consumer protocol (KIP-848). */
export const ConsumerGroupDescribe = api(
  69,
  'ConsumerGroupDescribe',
  '0-1',
  { flexible: '0+' },
  {
    groupIds: list(string),
    includeAuthorizedOperations: bool,
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
      assignorName: string,
      members: array({
        memberId: string,
        instanceId: string.nullable().or(null),
        rackId: string.nullable().or(null),
        memberEpoch: int32,
        clientId: string,
        clientHost: string,
        subscribedTopicNames: list(string),
        subscribedTopicRegex: string.nullable().or(null),
        assignment: struct(assignment),
        targetAssignment: struct(assignment),
        memberType: int8.in('1+').or(-1).ignorable(),
      }),
      authorizedOperations: int32.or(-2147483648),
    }),
  },
)
