import type { Address } from '../../world/world.ts'
import type { ProxyContext } from './proxy.ts'
import type { Fields } from './split.ts'

/** Nodes as an answer lists them: with a host and a port. Those that are nowhere stay nowhere. */
export function movedTo<Node extends { readonly port: number }>(
  nodes: readonly Node[],
  { host, port }: Address,
): Node[] {
  return nodes.map(node => (node.port < 0 ? node : { ...node, host, port }))
}

/** Where answers name nodes by their addresses. */
const lists = ['nodeEndpoints', 'brokers', 'coordinators'] as const

/** An answer in which every node has the address at which this client reaches the gateway. */
export function rewritten(answer: Fields, address: Address): Fields {
  let changed: Record<string, unknown> | null = null
  for (const name of lists) {
    const nodes = answer[name] as readonly { readonly port: number }[] | undefined
    if (nodes === undefined || nodes.length === 0) continue
    changed ??= { ...answer }
    changed[name] = movedTo(nodes, address)
  }
  // The one coordinator that old versions name; new ones have no place for it.
  if (typeof answer.host === 'string' && answer.host !== '') changed = { ...(changed ?? answer), ...plain(address) }
  // The voters of DescribeQuorum, at their listeners.
  if (Array.isArray(answer.nodes)) {
    const nodes = (answer.nodes as { readonly listeners: readonly { readonly port: number }[] }[]).map(node => ({
      ...node,
      listeners: movedTo(node.listeners, address),
    }))
    changed = { ...(changed ?? answer), nodes }
  }
  return changed ?? answer
}

const plain = ({ host, port }: Address): Address => ({ host, port })

/** As `rewritten`, for the one who asks. */
export function atGateway(answer: Fields, { broker, peer }: Pick<ProxyContext, 'broker' | 'peer'>): Fields {
  return rewritten(answer, broker.addressFor(peer))
}
