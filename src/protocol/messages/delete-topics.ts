import { api, array, int16, int32, list, string, uuid } from '../schema.ts'

/** Deletes topics, by id or by name from version 6 on (KIP-516). */
export const DeleteTopics = api(
  20,
  'DeleteTopics',
  '0-6',
  { flexible: '4+' },
  {
    topics: array({ name: string.nullable().or(null), topicId: uuid }).in('6+'),
    topicNames: list(string).in('0-5').ignorable(),
    timeoutMs: int32,
  },
  {
    throttleTimeMs: int32.in('1+').ignorable(),
    responses: array({
      name: string.nullable('6+'),
      topicId: uuid.in('6+').ignorable(),
      errorCode: int16,
      errorMessage: string.in('5+').nullable().or(null).ignorable(),
    }),
  },
)
