import { api, array, bool, int8, int16, int32, int64, list, string, uuid } from '../schema.ts'

const updateMetadataPartitionState = {
  topicName: string.in('0-4').ignorable(),
  partitionIndex: int32,
  controllerEpoch: int32,
  leader: int32,
  leaderEpoch: int32,
  isr: list(int32),
  zkVersion: int32,
  replicas: list(int32),
  offlineReplicas: list(int32).in('4+').ignorable(),
}

/** From the ZooKeeper-based controller of Kafka 3 to its brokers: the state of the cluster. Gone in Kafka 4. */
export const UpdateMetadata = api(
  6,
  'UpdateMetadata',
  '0-8',
  { flexible: '6+' },
  {
    controllerId: int32,
    isKRaftController: bool.in('8+'),
    type: int8.tag(0, '8+'),
    controllerEpoch: int32,
    brokerEpoch: int64.in('5+').or(-1).ignorable(),
    ungroupedPartitionStates: array(updateMetadataPartitionState).in('0-4'),
    topicStates: array({
      topicName: string,
      topicId: uuid.in('7+').ignorable(),
      partitionStates: array(updateMetadataPartitionState),
    }).in('5+'),
    liveBrokers: array({
      id: int32,
      v0Host: string.in('0').ignorable(),
      v0Port: int32.in('0').ignorable(),
      endpoints: array({
        port: int32,
        host: string,
        listener: string.in('3+').ignorable(),
        securityProtocol: int16,
      })
        .in('1+')
        .ignorable(),
      rack: string.in('2+').nullable().ignorable(),
    }),
  },
  {
    errorCode: int16,
  },
)
