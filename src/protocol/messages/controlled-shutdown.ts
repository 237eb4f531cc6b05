import { api, array, int16, int32, int64, string } from '../schema.ts'

/** From a broker of Kafka 3 to its ZooKeeper-based controller: move my leaders away. Gone in Kafka 4. */
export const ControlledShutdown = api(
  7,
  'ControlledShutdown',
  '0-3',
  { flexible: '3+' },
  {
    brokerId: int32,
    brokerEpoch: int64.in('2+').or(-1).ignorable(),
  },
  {
    errorCode: int16,
    remainingPartitions: array({ topicName: string, partitionIndex: int32 }),
  },
)
