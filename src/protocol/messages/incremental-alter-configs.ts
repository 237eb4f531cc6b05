import { api, array, bool, int8, int16, int32, string } from '../schema.ts'

/** Sets, deletes, appends to and subtracts from single configuration entries (KIP-339). */
export const IncrementalAlterConfigs = api(
  44,
  'IncrementalAlterConfigs',
  '0-1',
  { flexible: '1+' },
  {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configs: array({ name: string, configOperation: int8, value: string.nullable() }),
    }),
    validateOnly: bool,
  },
  {
    throttleTimeMs: int32.or(0),
    responses: array({
      errorCode: int16,
      errorMessage: string.nullable(),
      resourceType: int8,
      resourceName: string,
    }),
  },
)
