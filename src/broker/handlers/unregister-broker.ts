import { UnregisterBroker } from '../../protocol/messages/unregister-broker.ts'
import { askController } from '../ask-controller.ts'
import { handler } from '../handler.ts'

/** A broker that will not come back is taken out of the cluster (KIP-631). */
export default handler(UnregisterBroker, (request, context) => askController(context, 'unregisterBroker', request))
