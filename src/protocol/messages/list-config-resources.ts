import { api, array, int8, int16, int32, list, string } from '../schema.ts'

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
