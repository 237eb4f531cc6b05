import { api, array, bool, int8, int16, int32, int64, list, string, uuid } from '../schema.ts'

const leaderAndIsrPartitionState = {
  topicName: string.in('0-1').ignorable(),
  partitionIndex: int32,
  controllerEpoch: int32,
  leader: int32,
  leaderEpoch: int32,
  isr: list(int32),
  partitionEpoch: int32,
  replicas: list(int32),
  addingReplicas: list(int32).in('3+').ignorable(),
  removingReplicas: list(int32).in('3+').ignorable(),
  isNew: bool.in('1+').ignorable(),
  leaderRecoveryState: int8.in('6+'),
}

const leaderAndIsrPartitionError = {
  topicName: string.in('0-4').ignorable(),
  partitionIndex: int32,
  errorCode: int16,
}

/** From the ZooKeeper-based controller of Kafka 3 to its brokers: lead or follow these partitions. Gone in Kafka 4. */
export const LeaderAndIsr = api(
  4,
  'LeaderAndIsr',
  '0-7',
  { flexible: '4+' },
  {
    controllerId: int32,
    isKRaftController: bool.in('7+'),
    controllerEpoch: int32,
    brokerEpoch: int64.in('2+').or(-1).ignorable(),
    type: int8.in('5+'),
    ungroupedPartitionStates: array(leaderAndIsrPartitionState).in('0-1'),
    topicStates: array({
      topicName: string,
      topicId: uuid.in('5+').ignorable(),
      partitionStates: array(leaderAndIsrPartitionState),
    }).in('2+'),
    liveLeaders: array({ brokerId: int32, hostName: string, port: int32 }),
  },
  {
    errorCode: int16,
    partitionErrors: array(leaderAndIsrPartitionError).in('0-4'),
    topics: array({ topicId: uuid, partitionErrors: array(leaderAndIsrPartitionError) }).in('5+'),
  },
)
