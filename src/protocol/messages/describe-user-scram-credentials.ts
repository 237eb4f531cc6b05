import { api, array, int8, int16, int32, string } from '../schema.ts'

/** Which SCRAM mechanisms users have credentials for; never the credentials (KIP-554). */
export const DescribeUserScramCredentials = api(
  50,
  'DescribeUserScramCredentials',
  '0',
  { flexible: '0+' },
  {
    users: array({ name: string }).nullable(),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable(),
    results: array({
      user: string,
      errorCode: int16,
      errorMessage: string.nullable(),
      credentialInfos: array({ mechanism: int8, iterations: int32 }),
    }),
  },
)
