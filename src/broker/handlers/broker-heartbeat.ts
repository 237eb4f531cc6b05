import { BrokerHeartbeat } from '../../protocol/messages/broker-heartbeat.ts'
import { handler, type Peer } from '../handler.ts'
import { nodesOnly } from '../nodes-only.ts'

/** Connections over which brokers say that they live. */
const watched = new WeakSet<Peer>()

/** A broker lives, wants to serve, or wants to stop (KIP-631). When the connection ends, its process may have ended with it. */
export default handler(BrokerHeartbeat, (request, context) => {
  const refused = nodesOnly(context)
  if (refused !== null) return { errorCode: refused.code, shouldShutDown: false }
  const { node, peer } = context
  if (!watched.has(peer)) {
    watched.add(peer)
    peer.onClose(() => node.suspect(request.brokerId))
  }
  return node.controller.ask('brokerHeartbeat', request)
})
