import { api, array, bool, int8, int16, int32, string } from '../schema.ts'

/** Replaces whole configurations; IncrementalAlterConfigs is the safer one (KIP-133). */
export const AlterConfigs = api(
  33,
  'AlterConfigs',
  '0-2',
  { flexible: '2+' },
  {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configs: array({ name: string, value: string.nullable() }),
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
