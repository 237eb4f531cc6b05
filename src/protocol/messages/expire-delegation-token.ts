import { api, bytes, int16, int32, int64 } from '../schema.ts'

export const ExpireDelegationToken = api(
  40,
  'ExpireDelegationToken',
  '0-2',
  { flexible: '2+' },
  {
    hmac: bytes,
    expiryTimePeriodMs: int64,
  },
  {
    errorCode: int16,
    expiryTimestampMs: int64,
    throttleTimeMs: int32.or(0),
  },
)
