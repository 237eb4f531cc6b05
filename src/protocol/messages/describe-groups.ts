import { api, array, bool, bytes, int16, int32, list, string } from '../schema.ts'

/** Describes classic groups and their members. */
export const DescribeGroups = api(
  15,
  'DescribeGroups',
  '0-6',
  { flexible: '5+' },
  {
    groups: list(string),
    includeAuthorizedOperations: bool.in('3+'),
  },
  {
    throttleTimeMs: int32.in('1+').ignorable(),
    groups: array({
      errorCode: int16,
      errorMessage: string.in('6+').nullable().or(null),
      groupId: string,
      groupState: string,
      protocolType: string,
      protocolData: string,
      members: array({
        memberId: string,
        groupInstanceId: string.in('4+').nullable().or(null).ignorable(),
        clientId: string,
        clientHost: string,
        memberMetadata: bytes,
        memberAssignment: bytes,
      }),
      authorizedOperations: int32.in('3+').or(-2147483648),
    }),
  },
)
