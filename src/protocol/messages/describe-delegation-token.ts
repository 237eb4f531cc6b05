import { api, array, bytes, int16, int32, int64, string } from '../schema.ts'

/** Lists delegation tokens (KIP-48). */
export const DescribeDelegationToken = api(
  41,
  'DescribeDelegationToken',
  '0-3',
  { flexible: '2+' },
  {
    owners: array({ principalType: string, principalName: string }).nullable(),
  },
  {
    errorCode: int16,
    tokens: array({
      principalType: string,
      principalName: string,
      tokenRequesterPrincipalType: string.in('3+'),
      tokenRequesterPrincipalName: string.in('3+'),
      issueTimestamp: int64,
      expiryTimestamp: int64,
      maxTimestamp: int64,
      tokenId: string,
      hmac: bytes,
      renewers: array({ principalType: string, principalName: string }),
    }),
    throttleTimeMs: int32.or(0),
  },
)
