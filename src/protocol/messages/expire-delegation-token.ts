import { api, bytes, int16, int32, int64 } from '../schema.ts'

/** Ends a delegation token, at once or later (KIP-48). */
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
