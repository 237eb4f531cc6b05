import { api, bytes, int16 } from '../schema.ts'

/** A request that a broker forwards to the controller, with the principal it came from (KIP-590). */
export const Envelope = api(
  58,
  'Envelope',
  '0',
  { flexible: '0+' },
  {
    requestData: bytes,
    requestPrincipal: bytes.nullable(),
    clientHostAddress: bytes,
  },
  {
    responseData: bytes.nullable().or(null),
    errorCode: int16,
  },
)
