import { BrokerRegistration } from '../../protocol/messages/broker-registration.ts'
import { askControllerAsNode } from '../ask-controller.ts'
import { handler } from '../handler.ts'

/** A broker introduces itself to the controller (KIP-631). */
export default handler(BrokerRegistration, (request, context) =>
  askControllerAsNode(context, 'registerBroker', request),
)
