import { api, array, int16, int32, int64, records, string, struct, uuid } from '../schema.ts'

export const Produce = api(
  0,
  'Produce',
  '0-13',
  { flexible: '9+' },
  {
    transactionalId: string.in('3+').nullable().or(null),
    acks: int16,
    timeoutMs: int32,
    topicData: array({
      name: string.in('0-12').ignorable(),
      topicId: uuid.in('13+').ignorable(),
      partitionData: array({ index: int32, records: records.nullable() }),
    }),
  },
  {
    responses: array({
      name: string.in('0-12').ignorable(),
      topicId: uuid.in('13+').ignorable(),
      partitionResponses: array({
        index: int32,
        errorCode: int16,
        baseOffset: int64,
        logAppendTimeMs: int64.in('2+').or(-1).ignorable(),
        logStartOffset: int64.in('5+').or(-1).ignorable(),
        recordErrors: array({ batchIndex: int32, batchIndexErrorMessage: string.nullable().or(null) })
          .in('8+')
          .ignorable(),
        errorMessage: string.in('8+').nullable().or(null).ignorable(),
        currentLeader: struct({ leaderId: int32.or(-1), leaderEpoch: int32.or(-1) }).tag(0, '10+'),
      }),
    }),
    throttleTimeMs: int32.in('1+').ignorable(),
    nodeEndpoints: array({ nodeId: int32, host: string, port: int32, rack: string.nullable().or(null) }).tag(0, '10+'),
  },
)
