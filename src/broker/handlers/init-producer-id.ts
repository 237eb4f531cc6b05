import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { InitProducerId } from '../../protocol/messages/init-producer-id.ts'
import { handler } from '../handler.ts'
import { noTransactions } from '../no-transactions.ts'

/** A producer id for an idempotent producer (KIP-98, 360). */
export default handler(InitProducerId, async ({ transactionalId }, { node }) => {
  try {
    if (transactionalId !== null) throw noTransactions()
    const producerId = await node.producerIds.next()
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerId, producerEpoch: 0 }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { throttleTimeMs: 0, errorCode: error.code, producerId: -1, producerEpoch: -1 }
  }
})
