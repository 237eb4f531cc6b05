import { api, array, int8, int16, int32, list, string } from '../schema.ts'

/**
 * Lists resources that have configurations (KIP-1142); version 0, then ListClientMetricsResources, only client
 * metrics (KIP-714).
 */
export const ListConfigResources = api(
  74,
  'ListConfigResources',
  '0-1',
  { flexible: '0+' },
  {
    resourceTypes: list(int8).in('1+'),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    configResources: array({ resourceName: string, resourceType: int8.in('1+').or(16).ignorable() }),
  },
)
