import { api, bytes, int16, int64, string } from '../schema.ts'

/** Carries SASL tokens (KIP-152); version 1 says how long the session lasts (KIP-368). */
export const SaslAuthenticate = api(
  36,
  'SaslAuthenticate',
  '0-2',
  { flexible: '2+' },
  {
    authBytes: bytes,
  },
  {
    errorCode: int16,
    errorMessage: string.nullable(),
    authBytes: bytes,
    sessionLifetimeMs: int64.in('1+').ignorable(),
  },
)
