import { api, array, int16, int32, int64, records, string, struct, uuid } from '../schema.ts'

/**
 * Appends record batches to partitions. Versions before 3 carry message sets of magic 0 and 1, and Kafka 4 refuses
 * them (KIP-896). Version 10 names the new leader beside NOT_LEADER_OR_FOLLOWER (KIP-951); 12 adds partitions to a
 * transaction implicitly (KIP-890); 13 names topics by id (KIP-516).
 */
export const Produce = api(
  0,
  'Produce',
  '0-13',
  { flexible: '9+' },
  {
    transactionalId: string.in('3+').nullable().or(null),
    // 0: no answer at all; 1: the leader; −1: every in-sync replica
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
