import { api, array, int16, int32, list, string } from '../schema.ts'

/** Deletes empty groups (KIP-229). */
export const DeleteGroups = api(
  42,
  'DeleteGroups',
  '0-3',
  { flexible: '2+' },
  {
    groupsNames: list(string),
  },
  {
    throttleTimeMs: int32.or(0),
    results: array({
      groupId: string,
      errorCode: int16,
      errorMessage: string.in('3+').nullable().or(null).ignorable(),
    }),
  },
)
