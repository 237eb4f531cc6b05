import { BrokerHeartbeat } from '../../protocol/messages/broker-heartbeat.ts'
import { askControllerAsNode } from '../ask-controller.ts'
import { handler, type Peer } from '../handler.ts'

/** Connections over which brokers say that they live. */
const watched = new WeakSet<Peer>()

/** A broker lives, wants to serve, or wants to stop (KIP-631). When the connection ends, its process may have ended with it. */
export default handler(BrokerHeartbeat, (request, context) => {
  const { node, peer } = context
  if (peer.node && !watched.has(peer)) {
    watched.add(peer)
    peer.onClose(() => node.suspect(request.brokerId))
  }
  return askControllerAsNode(context, 'brokerHeartbeat', request)
})
