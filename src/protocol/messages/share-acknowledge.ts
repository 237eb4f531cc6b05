import { api, array, bool, int8, int16, int32, int64, list, string, struct, uuid } from '../schema.ts'

/** Acknowledges records of a share group: 1 accept, 2 release, 3 reject (KIP-932). Version 0 was an early access. */
export const ShareAcknowledge = api(
  79,
  'ShareAcknowledge',
  '0-2',
  { flexible: '0+' },
  {
    groupId: string.nullable().or(null),
    memberId: string.nullable(),
    shareSessionEpoch: int32,
    isRenewAck: bool.in('2+'),
    topics: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        acknowledgementBatches: array({ firstOffset: int64, lastOffset: int64, acknowledgeTypes: list(int8) }),
      }),
    }),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable().or(null),
    acquisitionLockTimeoutMs: int32.in('2+').ignorable(),
    responses: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.nullable().or(null),
        currentLeader: struct({ leaderId: int32, leaderEpoch: int32 }),
      }),
    }),
    nodeEndpoints: array({ nodeId: int32, host: string, port: int32, rack: string.nullable().or(null) }),
  },
)
