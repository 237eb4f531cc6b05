import { UpdateFeatures } from '../../protocol/messages/update-features.ts'
import { askController } from '../ask-controller.ts'
import { handler } from '../handler.ts'

/** Levels of what the cluster's nodes can do together (KIP-584). */
export default handler(UpdateFeatures, (request, context) => askController(context, 'updateFeatures', request))
