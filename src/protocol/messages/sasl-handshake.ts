import { api, int16, list, string } from '../schema.ts'

export const SaslHandshake = api(
  17,
  'SaslHandshake',
  '0-1',
  {},
  {
    mechanism: string,
  },
  {
    errorCode: int16,
    mechanisms: list(string),
  },
)
