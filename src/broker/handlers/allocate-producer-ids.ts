import { AllocateProducerIds } from '../../protocol/messages/allocate-producer-ids.ts'
import { askControllerAsNode } from '../ask-controller.ts'
import { handler } from '../handler.ts'

/** A block of producer ids for a broker (KIP-730). */
export default handler(AllocateProducerIds, (request, context) =>
  askControllerAsNode(context, 'allocateProducerIds', request),
)
