import { api, int16, int32, string } from '../schema.ts'

/** Makes the cluster forget a broker (KIP-631). */
export const UnregisterBroker = api(
  64,
  'UnregisterBroker',
  '0',
  { flexible: '0+' },
  {
    brokerId: int32,
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable(),
  },
)
