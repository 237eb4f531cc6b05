import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { OffsetForLeaderEpoch } from '../../protocol/messages/offset-for-leader-epoch.ts'
import { handler } from '../handler.ts'

/** Where an epoch ended, so that a client can tell whether its position was cut off by an election (KIP-101, 320). */
export default handler(OffsetForLeaderEpoch, (request, { node }) => ({
  throttleTimeMs: 0,
  topics: request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
      try {
        const replica = node.replicas.get(topic, partition)
        replica.checkLeader(currentLeaderEpoch)
        const end = replica.endOffsetForEpoch(leaderEpoch)
        return { errorCode: ErrorCode.NONE, partition, leaderEpoch: end.epoch, endOffset: end.endOffset }
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        return { errorCode: error.code, partition, leaderEpoch: -1, endOffset: -1 }
      }
    }),
  })),
}))
