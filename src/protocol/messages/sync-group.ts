import { api, array, bytes, int16, int32, string } from '../schema.ts'

/** Carries the assignment: from the leader of a classic group to its coordinator, and from there to every member. */
export const SyncGroup = api(
  14,
  'SyncGroup',
  '0-5',
  { flexible: '4+' },
  {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: string.in('3+').nullable().or(null),
    protocolType: string.in('5+').nullable().or(null).ignorable(),
    protocolName: string.in('5+').nullable().or(null).ignorable(),
    assignments: array({ memberId: string, assignment: bytes }),
  },
  {
    throttleTimeMs: int32.in('1+').ignorable(),
    errorCode: int16,
    protocolType: string.in('5+').nullable().or(null).ignorable(),
    protocolName: string.in('5+').nullable().or(null).ignorable(),
    assignment: bytes,
  },
)
