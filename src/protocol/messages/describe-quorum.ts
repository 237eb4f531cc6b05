import { api, array, int16, int32, int64, string, uint16, uuid } from '../schema.ts'

const replicaState = {
  replicaId: int32,
  replicaDirectoryId: uuid.in('2+'),
  logEndOffset: int64,
  lastFetchTimestamp: int64.in('1+').or(-1).ignorable(),
  lastCaughtUpTimestamp: int64.in('1+').or(-1).ignorable(),
}

/** Raft: the leader, the voters, the observers and how far each has come (KIP-595, KIP-836). */
export const DescribeQuorum = api(
  55,
  'DescribeQuorum',
  '0-2',
  { flexible: '0+' },
  {
    topics: array({ topicName: string, partitions: array({ partitionIndex: int32 }) }),
  },
  {
    errorCode: int16,
    errorMessage: string.in('2+').nullable().ignorable(),
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.in('2+').nullable().ignorable(),
        leaderId: int32,
        leaderEpoch: int32,
        highWatermark: int64,
        currentVoters: array(replicaState),
        observers: array(replicaState),
      }),
    }),
    nodes: array({ nodeId: int32, listeners: array({ name: string, host: string, port: uint16 }) }).in('2+'),
  },
)
