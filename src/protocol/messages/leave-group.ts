import { api, array, int16, int32, string } from '../schema.ts'

/** Leaves a classic group; several members at once from version 3 on (KIP-345). */
export const LeaveGroup = api(
  13,
  'LeaveGroup',
  '0-5',
  { flexible: '4+' },
  {
    groupId: string,
    memberId: string.in('0-2'),
    members: array({
      memberId: string,
      groupInstanceId: string.nullable().or(null),
      reason: string.in('5+').nullable().or(null).ignorable(),
    }).in('3+'),
  },
  {
    throttleTimeMs: int32.in('1+').ignorable(),
    errorCode: int16,
    members: array({ memberId: string, groupInstanceId: string.nullable(), errorCode: int16 }).in('3+'),
  },
)
