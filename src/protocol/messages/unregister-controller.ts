import { api, int16, int32, string } from '../schema.ts'

/** Makes the cluster forget a controller. */
export const UnregisterController = api(
  94,
  'UnregisterController',
  '0',
  { flexible: '0+' },
  {
    controllerId: int32,
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable(),
  },
)
