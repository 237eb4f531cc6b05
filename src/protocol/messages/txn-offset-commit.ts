import { api, array, int16, int32, int64, string, uuid } from '../schema.ts'

/** Stores offsets of a group as part of a transaction (KIP-98). */
export const TxnOffsetCommit = api(
  28,
  'TxnOffsetCommit',
  '0-6',
  { flexible: '3+' },
  {
    transactionalId: string,
    groupId: string,
    producerId: int64,
    producerEpoch: int16,
    generationIdOrMemberEpoch: int32.in('3+').or(-1),
    memberId: string.in('3+'),
    groupInstanceId: string.in('3+').nullable().or(null),
    topics: array({
      name: string.in('0-5').ignorable(),
      topicId: uuid.in('6+').ignorable(),
      partitions: array({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: int32.in('2+').or(-1).ignorable(),
        committedMetadata: string.nullable(),
      }),
    }),
  },
  {
    throttleTimeMs: int32.or(0),
    topics: array({
      name: string.in('0-5').ignorable(),
      topicId: uuid.in('6+').ignorable(),
      partitions: array({ partitionIndex: int32, errorCode: int16 }),
    }),
  },
)
