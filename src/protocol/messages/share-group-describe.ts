import { api, array, bool, int16, int32, list, string, struct, uuid } from '../schema.ts'

/** Describes share groups (KIP-932). */
export const ShareGroupDescribe = api(
  77,
  'ShareGroupDescribe',
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
        rackId: string.nullable().or(null),
        memberEpoch: int32,
        clientId: string,
        clientHost: string,
        subscribedTopicNames: list(string),
        assignment: struct({
          topicPartitions: array({ topicId: uuid, topicName: string, partitions: list(int32) }),
        }),
      }),
      authorizedOperations: int32.or(-2147483648),
    }),
  },
)
