import { api, array, int16, int32, string, uint16, uuid } from '../schema.ts'

/** Raft: the new leader introduces itself (KIP-595). */
export const BeginQuorumEpoch = api(
  53,
  'BeginQuorumEpoch',
  '0-1',
  { flexible: '1+' },
  {
    clusterId: string.nullable().or(null),
    voterId: int32.in('1+').or(-1).ignorable(),
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        voterDirectoryId: uuid.in('1+').ignorable(),
        leaderId: int32,
        leaderEpoch: int32,
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
