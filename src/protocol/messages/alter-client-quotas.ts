import { api, array, bool, float64, int16, int32, string } from '../schema.ts'

/** Sets and deletes quotas (KIP-546). */
export const AlterClientQuotas = api(
  49,
  'AlterClientQuotas',
  '0-1',
  { flexible: '1+' },
  {
    entries: array({
      entity: array({ entityType: string, entityName: string.nullable() }),
      ops: array({ key: string, value: float64, remove: bool }),
    }),
    validateOnly: bool,
  },
  {
    throttleTimeMs: int32.or(0),
    entries: array({
      errorCode: int16,
      errorMessage: string.nullable(),
      entity: array({ entityType: string, entityName: string.nullable() }),
    }),
  },
)
