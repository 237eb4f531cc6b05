import { showAddress } from '../../client/address.ts'
import type { Gateway } from '../gateway.ts'
import type { HttpRequest } from './route.ts'

/**
 * Where a node of the cluster serves HTTP, as the beginning of an address; for this node the one at which the client has
 * reached it. Null: it is not known, or not up.
 */
export function httpUrl({ node }: Gateway, nodeId: number, request: Pick<HttpRequest, 'base'>): string | null {
  // Whoever came to a gateway may reach nobody else.
  if (nodeId === node.nodeId || node.broker === null) return request.base
  const address = node.httpAddress(nodeId)
  return address === null ? null : `http://${showAddress(address)}`
}
