import { api, array, int16, int32, list, string, uint16, uuid } from '../schema.ts'

/** Raft: the leader resigns and says who should follow (KIP-595). */
export const EndQuorumEpoch = api(
  54,
  'EndQuorumEpoch',
  '0-1',
  { flexible: '1+' },
  {
    clusterId: string.nullable().or(null),
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32,
        preferredSuccessors: list(int32).in('0').ignorable(),
        preferredCandidates: array({ candidateId: int32, candidateDirectoryId: uuid }).in('1+').ignorable(),
      }),
    }),
    leaderEndpoints: array({ name: string, host: string, port: uint16 }).in('1+').ignorable(),
  },
  {
    errorCode: int16,
    topics: array({
      topicName: string,
      partitions: array({ partitionIndex: int32, errorCode: int16, leaderId: int32, leaderEpoch: int32 }),
    }),
    nodeEndpoints: array({ nodeId: int32, host: string, port: uint16 }).tag(0, '1+'),
  },
)
