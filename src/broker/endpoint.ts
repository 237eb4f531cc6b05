import type { BrokerState } from '../cluster/state.ts'
import type { Address } from '../world/world.ts'
import type { RequestContext } from './handler.ts'

type Asked = Pick<RequestContext, 'node' | 'peer'>

/**
 * The address that this client is told to use. Unless something is configured for the port, it is the one at which the
 * client reached us: the only one that it surely can reach.
 */
export function endpointOf({ node, peer }: Asked): Address {
  return node.advertised.get(peer.local.port) ?? peer.local
}

/** A broker as clients see it. */
export interface Endpoint extends Address {
  readonly nodeId: number
  readonly rack: string | null
}

/** Where this client finds a broker; null when that is not there, or is fenced and so serves nobody. */
export function brokerEndpoint(id: number, asked: Asked): Endpoint | null {
  const broker = asked.node.cluster.brokers.get(id)
  return broker === undefined || broker.fenced ? null : endpointTold(broker, asked)
}

/** The brokers that serve, by their numbers. */
export function servingBrokers(asked: Asked): Endpoint[] {
  const serving: Endpoint[] = []
  for (const broker of asked.node.cluster.brokers.values())
    if (!broker.fenced) serving.push(endpointTold(broker, asked))
  return serving.sort((a, b) => a.nodeId - b.nodeId)
}

/** A node's own address: the one of the listener at which the client came; another's: that of its listener of the same name. */
export function endpointTold(broker: BrokerState, asked: Asked): Endpoint {
  const { id: nodeId, rack } = broker
  if (nodeId === asked.node.nodeId) return { nodeId, rack, ...plain(endpointOf(asked)) }
  const name = asked.node.listenerName(asked.peer.local.port)
  const found = broker.endPoints.find(endPoint => endPoint.name === name) ?? broker.endPoints[0]
  return { nodeId, rack, host: found?.host ?? '', port: found?.port ?? -1 }
}

const plain = ({ host, port }: Address): Address => ({ host, port })

/**
 * Whom to ask for changes, as clients are told: the controller where it serves clients, else this node, or when that is going
 * another one: each asks the controller. Clients look for it among the brokers that they are told of; −1: there are none.
 */
export function controllerOf({ node }: Pick<RequestContext, 'node'>): number {
  const { brokers } = node.cluster
  for (const id of [node.leader() ?? -1, node.nodeId]) if (brokers.get(id)?.fenced === false) return id
  for (const { id, fenced } of brokers.values()) if (!fenced) return id
  return -1
}

/** Tells, for each broker, whether it is there: for answers about many partitions. */
export function offlineReplicas(context: Pick<RequestContext, 'node'>): (replicas: readonly number[]) => number[] {
  const { brokers } = context.node.cluster
  const isOffline = (id: number): boolean => brokers.get(id)?.fenced ?? true
  return replicas => (replicas.some(isOffline) ? replicas.filter(isOffline) : none)
}

const none: number[] = []
