import { api, int16, int32, string } from '../schema.ts'

/** Keeps a member of a classic group alive. */
export const Heartbeat = api(
  12,
  'Heartbeat',
  '0-4',
  { flexible: '4+' },
  {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: string.in('3+').nullable().or(null),
  },
  {
    throttleTimeMs: int32.in('1+').ignorable(),
    errorCode: int16,
  },
)
