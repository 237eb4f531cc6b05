import { api, array, bool, bytes, int16, int32, string } from '../schema.ts'

/**
 * Joins a group of the classic protocol. Version 4 makes new members come twice, with an id (KIP-394); 5 brought
 * static members (KIP-345).
 */
export const JoinGroup = api(
  11,
  'JoinGroup',
  '0-9',
  { flexible: '6+' },
  {
    groupId: string,
    sessionTimeoutMs: int32,
    rebalanceTimeoutMs: int32.in('1+').or(-1).ignorable(),
    memberId: string,
    groupInstanceId: string.in('5+').nullable().or(null),
    protocolType: string,
    protocols: array({ name: string, metadata: bytes }),
    reason: string.in('8+').nullable().or(null).ignorable(),
  },
  {
    throttleTimeMs: int32.in('2+').ignorable(),
    errorCode: int16,
    generationId: int32.or(-1),
    protocolType: string.in('7+').nullable().or(null).ignorable(),
    protocolName: string.nullable('7+'),
    leader: string,
    skipAssignment: bool.in('9+'),
    memberId: string,
    // only for the leader, who assigns
    members: array({
      memberId: string,
      groupInstanceId: string.in('5+').nullable().or(null).ignorable(),
      metadata: bytes,
    }),
  },
)
