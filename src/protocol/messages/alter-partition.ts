import { api, array, int8, int16, int32, int64, list, string, uuid } from '../schema.ts'

/** From a leader to the controller: these are the in-sync replicas now (KIP-497). */
export const AlterPartition = api(
  56,
  'AlterPartition',
  '0-3',
  { flexible: '0+' },
  {
    brokerId: int32,
    brokerEpoch: int64.or(-1),
    topics: array({
      topicName: string.in('0-1').ignorable(),
      topicId: uuid.in('2+').ignorable(),
      partitions: array({
        partitionIndex: int32,
        leaderEpoch: int32,
        newIsr: list(int32).in('0-2'),
        newIsrWithEpochs: array({ brokerId: int32, brokerEpoch: int64.or(-1) }).in('3+'),
        leaderRecoveryState: int8.in('1+'),
        partitionEpoch: int32,
        // ottla's own: replicas, not in the new ISR, that lack what is committed
        lackingReplicas: list(int32).tag(10000, '3+').ignorable(),
      }),
    }),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    topics: array({
      topicName: string.in('0-1').ignorable(),
      topicId: uuid.in('2+').ignorable(),
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        leaderId: int32,
        leaderEpoch: int32,
        isr: list(int32),
        leaderRecoveryState: int8.in('1+').ignorable(),
        partitionEpoch: int32,
      }),
    }),
  },
)
