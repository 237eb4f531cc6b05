import { api, array, int8, int16, int32, string } from '../schema.ts'

/** Deletes the access rules that match filters. */
export const DeleteAcls = api(
  31,
  'DeleteAcls',
  '0-3',
  { flexible: '2+' },
  {
    filters: array({
      resourceTypeFilter: int8,
      resourceNameFilter: string.nullable(),
      patternTypeFilter: int8.in('1+').or(3),
      principalFilter: string.nullable(),
      hostFilter: string.nullable(),
      operation: int8,
      permissionType: int8,
    }),
  },
  {
    throttleTimeMs: int32.or(0),
    filterResults: array({
      errorCode: int16,
      errorMessage: string.nullable(),
      matchingAcls: array({
        errorCode: int16,
        errorMessage: string.nullable(),
        resourceType: int8,
        resourceName: string,
        patternType: int8.in('1+').or(3),
        principal: string,
        host: string,
        operation: int8,
        permissionType: int8,
      }),
    }),
  },
)
