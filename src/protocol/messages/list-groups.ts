import { api, array, int16, int32, list, string } from '../schema.ts'

/** Lists groups, filtered by state (KIP-518) and by type (KIP-848). */
export const ListGroups = api(
  16,
  'ListGroups',
  '0-5',
  { flexible: '3+' },
  {
    statesFilter: list(string).in('4+'),
    typesFilter: list(string).in('5+'),
  },
  {
    throttleTimeMs: int32.in('1+').ignorable(),
    errorCode: int16,
    groups: array({
      groupId: string,
      protocolType: string,
      groupState: string.in('4+').ignorable(),
      groupType: string.in('5+').ignorable(),
    }),
  },
)
