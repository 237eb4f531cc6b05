import { api, int16, list, string } from '../schema.ts'

/** Chooses a SASL mechanism. Version 0 is followed by raw tokens, 1 by SaslAuthenticate (KIP-152). Never flexible. */
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
