import { api, array, bytes, int16, int32, int64, string } from '../schema.ts'

/** Creates a delegation token (KIP-48). */
export const CreateDelegationToken = api(
  38,
  'CreateDelegationToken',
  '0-3',
  { flexible: '2+' },
  {
    ownerPrincipalType: string.in('3+').nullable(),
    ownerPrincipalName: string.in('3+').nullable(),
    renewers: array({ principalType: string, principalName: string }),
    maxLifetimeMs: int64,
  },
  {
    errorCode: int16,
    principalType: string,
    principalName: string,
    tokenRequesterPrincipalType: string.in('3+'),
    tokenRequesterPrincipalName: string.in('3+'),
    issueTimestampMs: int64,
    expiryTimestampMs: int64,
    maxTimestampMs: int64,
    tokenId: string,
    hmac: bytes,
    throttleTimeMs: int32.or(0),
  },
)
