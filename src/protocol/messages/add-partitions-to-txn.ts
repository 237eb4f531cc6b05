import { api, array, bool, int16, int32, int64, list, string } from '../schema.ts'

const addPartitionsToTxnTopic = {
  name: string,
  partitions: list(int32),
}

const addPartitionsToTxnPartitionResult = {
  partitionIndex: int32,
  partitionErrorCode: int16,
}

const addPartitionsToTxnTopicResult = {
  name: string,
  resultsByPartition: array(addPartitionsToTxnPartitionResult),
}

/**
 * Adds partitions to a transaction: from clients up to version 3; from version 4 on brokers, which can ask for
 * several and only verify (KIP-890).
 */
export const AddPartitionsToTxn = api(
  24,
  'AddPartitionsToTxn',
  '0-5',
  { flexible: '3+' },
  {
    transactions: array({
      transactionalId: string,
      producerId: int64,
      producerEpoch: int16,
      verifyOnly: bool.or(false),
      topics: array(addPartitionsToTxnTopic),
    }).in('4+'),
    v3AndBelowTransactionalId: string.in('0-3'),
    v3AndBelowProducerId: int64.in('0-3'),
    v3AndBelowProducerEpoch: int16.in('0-3'),
    v3AndBelowTopics: array(addPartitionsToTxnTopic).in('0-3'),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16.in('4+').ignorable(),
    resultsByTransaction: array({ transactionalId: string, topicResults: array(addPartitionsToTxnTopicResult) }).in(
      '4+',
    ),
    resultsByTopicV3AndBelow: array(addPartitionsToTxnTopicResult).in('0-3'),
  },
)
