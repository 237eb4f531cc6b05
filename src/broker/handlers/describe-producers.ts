import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { DescribeProducers } from '../../protocol/messages/describe-producers.ts'
import { handler } from '../handler.ts'

/** The producers that a partition remembers (KIP-664). */
export default handler(DescribeProducers, (request, { node }) => ({
  throttleTimeMs: 0,
  topics: request.topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map(partitionIndex => {
      try {
        const partition = node.replicas.get(name, partitionIndex)
        partition.checkLeader()
        const activeProducers = partition.log.activeProducers()
        return { partitionIndex, errorCode: ErrorCode.NONE, errorMessage: null, activeProducers }
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        return { partitionIndex, errorCode: error.code, errorMessage: error.message, activeProducers: [] }
      }
    }),
  })),
}))
