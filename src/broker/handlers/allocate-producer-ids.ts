import { AllocateProducerIds } from '../../protocol/messages/allocate-producer-ids.ts'
import { handler } from '../handler.ts'
import { nodesOnly } from '../nodes-only.ts'

/** A block of producer ids for a broker (KIP-730). */
export default handler(AllocateProducerIds, (request, context) => {
  const refused = nodesOnly(context)
  if (refused !== null) return { errorCode: refused.code, producerIdStart: -1, producerIdLen: 0 }
  return context.node.controller.ask('allocateProducerIds', request)
})
