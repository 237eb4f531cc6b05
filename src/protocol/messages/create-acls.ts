import { api, array, int8, int16, int32, string } from '../schema.ts'

/** Creates access rules. */
export const CreateAcls = api(
  30,
  'CreateAcls',
  '0-3',
  { flexible: '2+' },
  {
    creations: array({
      resourceType: int8,
      resourceName: string,
      resourcePatternType: int8.in('1+').or(3),
      principal: string,
      host: string,
      operation: int8,
      permissionType: int8,
    }),
  },
  {
    throttleTimeMs: int32.or(0),
    results: array({ errorCode: int16, errorMessage: string.nullable() }),
  },
)
