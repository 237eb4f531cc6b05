import { api, array, bool, int16, int32, list, string } from '../schema.ts'

/** Raises the number of partitions of topics (KIP-195). */
export const CreatePartitions = api(
  37,
  'CreatePartitions',
  '0-3',
  { flexible: '2+' },
  {
    topics: array({
      name: string,
      count: int32,
      assignments: array({ brokerIds: list(int32) }).nullable(),
    }),
    timeoutMs: int32,
    validateOnly: bool,
  },
  {
    throttleTimeMs: int32.or(0),
    results: array({ name: string, errorCode: int16, errorMessage: string.nullable().or(null) }),
  },
)
