import { api, array, bool, int16, int32, int64, string, uint16, uuid } from '../schema.ts'

/**
 * Raft: asks for a vote; in version 2 also, without consequence, whether one would be given (KIP-595, KIP-853,
 * KIP-996).
 */
export const Vote = api(
  52,
  'Vote',
  '0-2',
  { flexible: '0+' },
  {
    clusterId: string.nullable().or(null),
    voterId: int32.in('1+').or(-1).ignorable(),
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        replicaEpoch: int32,
        replicaId: int32,
        replicaDirectoryId: uuid.in('1+').ignorable(),
        voterDirectoryId: uuid.in('1+').ignorable(),
        lastOffsetEpoch: int32,
        lastOffset: int64,
        preVote: bool.in('2+'),
      }),
    }),
  },
  {
    errorCode: int16,
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        leaderId: int32,
        leaderEpoch: int32,
        voteGranted: bool,
      }),
    }),
    nodeEndpoints: array({ nodeId: int32, host: string, port: uint16 }).tag(0, '1+'),
  },
)
