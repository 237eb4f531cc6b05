import { api, array, int16, int32, int64, uuid } from '../schema.ts'

/** A broker tells the controller in which directory replicas lie (KIP-858). */
export const AssignReplicasToDirs = api(
  73,
  'AssignReplicasToDirs',
  '0',
  { flexible: '0+' },
  {
    brokerId: int32,
    brokerEpoch: int64.or(-1),
    directories: array({
      id: uuid,
      topics: array({ topicId: uuid, partitions: array({ partitionIndex: int32 }) }),
    }),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    directories: array({
      id: uuid,
      topics: array({ topicId: uuid, partitions: array({ partitionIndex: int32, errorCode: int16 }) }),
    }),
  },
)
