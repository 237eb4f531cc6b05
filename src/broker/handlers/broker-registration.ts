import { BrokerRegistration } from '../../protocol/messages/broker-registration.ts'
import { handler } from '../handler.ts'
import { nodesOnly } from '../nodes-only.ts'

/** A broker introduces itself to the controller (KIP-631). */
export default handler(BrokerRegistration, (request, context) => {
  const refused = nodesOnly(context)
  if (refused !== null) return { errorCode: refused.code }
  return context.node.controller.ask('registerBroker', request)
})
