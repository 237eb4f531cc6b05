import { api, array, bool, int8, int16, int32, string } from '../schema.ts'

/** Raises or lowers finalized features such as metadata.version (KIP-584). */
export const UpdateFeatures = api(
  57,
  'UpdateFeatures',
  '0-2',
  { flexible: '0+' },
  {
    timeoutMs: int32.or(60000),
    featureUpdates: array({
      feature: string,
      maxVersionLevel: int16,
      allowDowngrade: bool.in('0'),
      upgradeType: int8.in('1+').or(1),
    }),
    validateOnly: bool.in('1+'),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable(),
    results: array({ feature: string, errorCode: int16, errorMessage: string.nullable() }).in('0-1').ignorable(),
  },
)
