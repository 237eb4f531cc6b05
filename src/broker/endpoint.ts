import type { Address } from '../world/world.ts'
import type { RequestContext } from './handler.ts'

/**
 * The address that this client is told to use. Unless something is configured for the port, it is the one at which the
 * client reached us: the only one that it surely can reach.
 */
export function endpointOf({ node, peer }: Pick<RequestContext, 'node' | 'peer'>): Address {
  const { advertised } = node
  const configured = advertised.get(peer.local.port)
  return configured ?? peer.local
}
