import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { DeleteRecords } from '../../protocol/messages/delete-records.ts'
import type { Partition } from '../../replication/partition.ts'
import type { Broker } from '../broker.ts'
import { handler } from '../handler.ts'

/** Lets the head of partitions go (KIP-107). −1 means up to the high watermark. */
export default handler(DeleteRecords, async (request, { node, broker }) => ({
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
            const target = await partition.deleteRecords(offset)
            const everywhere = await letGo(partition, target, request.timeoutMs, broker)
            if (!everywhere)
              throw new KafkaError('REQUEST_TIMED_OUT', 'not all in-sync replicas have let go the records')
            partition.checkLeader()
            return { partitionIndex, lowWatermark: partition.lowWatermark, errorCode: ErrorCode.NONE }
          } catch (error) {
            if (!(error instanceof KafkaError)) throw error
            return { partitionIndex, lowWatermark: -1, errorCode: error.code }
          }
        }),
      ),
    })),
  ),
}))

/** Whether all in-sync replicas start at `target` within the time: else a new leader would show again what is gone. */
function letGo(partition: Partition, target: number, timeoutMs: number, broker: Broker): Promise<boolean> | boolean {
  if (partition.lowWatermark >= target) return true
  return new Promise(resolve => {
    const finish = (done: boolean) => {
      unwatch()
      broker.delayed.cancel(deadline)
      resolve(done)
    }
    const unwatch = partition.watch(() => {
      if (partition.lowWatermark >= target) finish(true)
    })
    const deadline = broker.delayed.after(timeoutMs, () => finish(false))
  })
}
