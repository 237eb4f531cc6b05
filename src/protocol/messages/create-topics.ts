import { api, array, bool, int8, int16, int32, list, string, uuid } from '../schema.ts'

/** Creates topics. Version 5 answers with what was created (KIP-525), 7 with the topic id (KIP-516). */
export const CreateTopics = api(
  19,
  'CreateTopics',
  '0-7',
  { flexible: '5+' },
  {
    topics: array({
      name: string,
      numPartitions: int32,
      replicationFactor: int16,
      assignments: array({ partitionIndex: int32, brokerIds: list(int32) }),
      configs: array({ name: string, value: string.nullable() }),
    }),
    timeoutMs: int32.or(60000),
    validateOnly: bool.in('1+'),
  },
  {
    throttleTimeMs: int32.in('2+').ignorable(),
    topics: array({
      name: string,
      topicId: uuid.in('7+').ignorable(),
      errorCode: int16,
      errorMessage: string.in('1+').nullable().ignorable(),
      topicConfigErrorCode: int16.tag(0, '5+').ignorable(),
      numPartitions: int32.in('5+').or(-1).ignorable(),
      replicationFactor: int16.in('5+').or(-1).ignorable(),
      configs: array({
        name: string,
        value: string.nullable(),
        readOnly: bool,
        configSource: int8.or(-1),
        isSensitive: bool,
      })
        .in('5+')
        .nullable()
        .ignorable(),
    }),
  },
)
