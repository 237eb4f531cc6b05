import { api, array, bool, int16, int32, int64, string } from '../schema.ts'

/**
 * Which versions a broker speaks. The response has the oldest header in every version (KIP-511), and features ride in
 * tags (KIP-584).
 */
export const ApiVersions = api(
  18,
  'ApiVersions',
  '0-5',
  { flexible: '3+' },
  {
    clientSoftwareName: string.in('3+').ignorable(),
    clientSoftwareVersion: string.in('3+').ignorable(),
    clusterId: string.in('5+').nullable().or(null).ignorable(),
    nodeId: int32.in('5+').or(-1).ignorable(),
  },
  {
    errorCode: int16,
    apiKeys: array({ apiKey: int16, minVersion: int16, maxVersion: int16 }),
    throttleTimeMs: int32.in('1+').ignorable(),
    supportedFeatures: array({ name: string, minVersion: int16, maxVersion: int16 }).tag(0, '3+').ignorable(),
    finalizedFeaturesEpoch: int64.tag(1, '3+').or(-1).ignorable(),
    finalizedFeatures: array({ name: string, maxVersionLevel: int16, minVersionLevel: int16 }).tag(2, '3+').ignorable(),
    zkMigrationReady: bool.tag(3, '3+').ignorable(),
  },
)
