import { api, array, bool, int8, int16, int32, int64, list, records, string, struct, uuid } from '../schema.ts'

/**
 * Acquires records for a member of a share group, and acknowledges earlier ones (KIP-932). Version 0 was an early
 * access.
 */
export const ShareFetch = api(
  78,
  'ShareFetch',
  '0-2',
  { flexible: '0+' },
  {
    groupId: string.nullable().or(null),
    memberId: string.nullable(),
    shareSessionEpoch: int32,
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32.or(0x7fffffff),
    maxRecords: int32.in('1+'),
    batchSize: int32.in('1+'),
    shareAcquireMode: int8.in('2+').ignorable(),
    isRenewAck: bool.in('2+'),
    topics: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        partitionMaxBytes: int32.in('0'),
        acknowledgementBatches: array({ firstOffset: int64, lastOffset: int64, acknowledgeTypes: list(int8) }),
      }),
    }),
    forgottenTopicsData: array({ topicId: uuid, partitions: list(int32) }),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable().or(null),
    acquisitionLockTimeoutMs: int32.in('1+'),
    responses: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.nullable().or(null),
        acknowledgeErrorCode: int16,
        acknowledgeErrorMessage: string.nullable().or(null),
        currentLeader: struct({ leaderId: int32, leaderEpoch: int32 }),
        records: records.nullable('0'),
        acquiredRecords: array({ firstOffset: int64, lastOffset: int64, deliveryCount: int16 }),
      }),
    }),
    nodeEndpoints: array({ nodeId: int32, host: string, port: int32, rack: string.nullable().or(null) }),
  },
)
