import { api, array, bytes, int8, int16, int32, string } from '../schema.ts'

/** Sets and deletes SCRAM credentials of users (KIP-554). */
export const AlterUserScramCredentials = api(
  51,
  'AlterUserScramCredentials',
  '0',
  { flexible: '0+' },
  {
    deletions: array({ name: string, mechanism: int8 }),
    upsertions: array({
      name: string,
      mechanism: int8,
      iterations: int32,
      salt: bytes,
      saltedPassword: bytes,
    }),
  },
  {
    throttleTimeMs: int32.or(0),
    results: array({ user: string, errorCode: int16, errorMessage: string.nullable() }),
  },
)
