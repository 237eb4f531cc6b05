import { api, array, int8, int16, int32, string } from '../schema.ts'

/** Lists the access rules that match a filter. */
export const DescribeAcls = api(
  29,
  'DescribeAcls',
  '0-3',
  { flexible: '2+' },
  {
    resourceTypeFilter: int8,
    resourceNameFilter: string.nullable(),
    patternTypeFilter: int8.in('1+').or(3),
    principalFilter: string.nullable(),
    hostFilter: string.nullable(),
    operation: int8,
    permissionType: int8,
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable(),
    resources: array({
      resourceType: int8,
      resourceName: string,
      patternType: int8.in('1+').or(3),
      acls: array({ principal: string, host: string, operation: int8, permissionType: int8 }),
    }),
  },
)
