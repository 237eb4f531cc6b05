import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { DeleteRecords } from '../../protocol/messages/delete-records.ts'
import { handler } from '../handler.ts'

/** Lets the head of partitions go (KIP-107). −1 means up to the high watermark. */
export default handler(DeleteRecords, async (request, { node }) => ({
  throttleTimeMs: 0,
  topics: await Promise.all(
    request.topics.map(async ({ name, partitions }) => ({
      name,
      partitions: await Promise.all(
        partitions.map(async ({ partitionIndex, offset }) => {
          try {
            const partition = node.replicas.get(name, partitionIndex)
            if (partition.internal)
              throw new KafkaError('INVALID_TOPIC_EXCEPTION', 'clients may not delete from an internal topic')
            const lowWatermark = await partition.deleteRecords(offset)
            return { partitionIndex, lowWatermark, errorCode: ErrorCode.NONE }
          } catch (error) {
            if (!(error instanceof KafkaError)) throw error
            return { partitionIndex, lowWatermark: -1, errorCode: error.code }
          }
        }),
      ),
    })),
  ),
}))
