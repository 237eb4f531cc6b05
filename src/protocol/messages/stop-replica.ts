import { api, array, bool, int16, int32, int64, list, string } from '../schema.ts'

/** From the ZooKeeper-based controller of Kafka 3 to its brokers: stop, or delete, these replicas. Gone in Kafka 4. */
export const StopReplica = api(
  5,
  'StopReplica',
  '0-4',
  { flexible: '2+' },
  {
    controllerId: int32,
    isKRaftController: bool.in('4+'),
    controllerEpoch: int32,
    brokerEpoch: int64.in('1+').or(-1).ignorable(),
    deletePartitions: bool.in('0-2'),
    ungroupedPartitions: array({ topicName: string, partitionIndex: int32 }).in('0'),
    topics: array({ name: string, partitionIndexes: list(int32) }).in('1-2'),
    topicStates: array({
      topicName: string,
      partitionStates: array({ partitionIndex: int32, leaderEpoch: int32.or(-1), deletePartition: bool }),
    }).in('3+'),
  },
  {
    errorCode: int16,
    partitionErrors: array({ topicName: string, partitionIndex: int32, errorCode: int16 }),
  },
)
