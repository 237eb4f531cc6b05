import { api, array, int16, int32, int64, list, string } from '../schema.ts'

/** Lists transactions, filtered by state, producer, duration and id (KIP-664, KIP-994, KIP-1152). */
export const ListTransactions = api(
  66,
  'ListTransactions',
  '0-2',
  { flexible: '0+' },
  {
    stateFilters: list(string),
    producerIdFilters: list(int64),
    durationFilter: int64.in('1+').or(-1),
    transactionalIdPattern: string.in('2+').nullable().or(null),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    unknownStateFilters: list(string),
    transactionStates: array({ transactionalId: string, producerId: int64, transactionState: string }),
  },
)
