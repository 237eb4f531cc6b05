import { api, array, bool, float64, int8, int16, int32, string } from '../schema.ts'

/** Lists the quotas that match a filter (KIP-546). */
export const DescribeClientQuotas = api(
  48,
  'DescribeClientQuotas',
  '0-1',
  { flexible: '1+' },
  {
    components: array({ entityType: string, matchType: int8, match: string.nullable() }),
    strict: bool,
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable(),
    entries: array({
      entity: array({ entityType: string, entityName: string.nullable() }),
      values: array({ key: string, value: float64 }),
    }).nullable(),
  },
)
