import { api, bytes, int16, int32, int64 } from '../schema.ts'

/** Renews a delegation token (KIP-48). */
export const RenewDelegationToken = api(
  39,
  'RenewDelegationToken',
  '0-2',
  { flexible: '2+' },
  {
    hmac: bytes,
    renewPeriodMs: int64,
  },
  {
    errorCode: int16,
    expiryTimestampMs: int64,
    throttleTimeMs: int32.or(0),
  },
)
