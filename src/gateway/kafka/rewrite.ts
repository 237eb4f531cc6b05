import type { Address } from '../../world/world.ts'
import type { ProxyContext } from './proxy.ts'
import type { Fields } from './split.ts'

/**
 * How the cluster looks to a client. `all`: its nodes by their numbers, each at the gateway's address. `one`: a single node, which
 * leads and coordinates everything, as in a cluster of one. What is asked is sent where it belongs in either case.
 */
export type NodesShown = 'all' | 'one'

/** Clients that tell nodes apart by their numbers alone, by the names that they give (KIP-511): Java's, ours, franz-go. */
const soundClients: ReadonlySet<string> = new Set(['apache-kafka-java', 'ottla', 'kgo', 'sarama'])

/**
 * What a client should be shown that is not asked about. Many keep nodes by their addresses, and take two at one address for one:
 * kafkajs drops what it has for the other, librdkafka changes its mind with each answer. `software`: its name and version.
 */
export function usuallyShown(software: string): NodesShown {
  return soundClients.has(software.split(' ')[0] ?? '') ? 'all' : 'one'
}

/** The number of the single node; real ones begin with 1. */
export const soleNode = 0

type Node = { readonly port: number }

/** Nodes as an answer lists them: with a host and a port. Those that are nowhere stay nowhere. */
export function movedTo<N extends Node>(nodes: readonly N[], { host, port }: Address): N[] {
  return nodes.map(node => (node.port < 0 ? node : { ...node, host, port }))
}

/** An answer in which every node has the address at which this client reaches the gateway. */
export function rewritten(answer: Fields, address: Address, shown: NodesShown): Fields {
  const changed: Record<string, unknown> = {}
  const { brokers, coordinators, nodeEndpoints, nodes } = answer as Readonly<
    Record<string, readonly Node[] | undefined>
  >
  if (isFull(brokers)) changed.brokers = shown === 'all' ? movedTo(brokers, address) : [sole(brokers[0]!, address)]
  if (isFull(nodeEndpoints)) changed.nodeEndpoints = shown === 'all' ? movedTo(nodeEndpoints, address) : []
  if (isFull(coordinators)) {
    const moved = movedTo(coordinators, address)
    changed.coordinators =
      shown === 'all' ? moved : moved.map(each => (each.port < 0 ? each : { ...each, nodeId: soleNode }))
  }
  // The one coordinator that old versions name; new ones have no place for it.
  if (typeof answer.host === 'string' && answer.host !== '') {
    Object.assign(changed, plain(address), shown === 'all' ? {} : { nodeId: soleNode })
  }
  // The voters of DescribeQuorum, at their listeners.
  if (isFull(nodes)) {
    const voters = nodes as readonly unknown[] as readonly { readonly listeners: readonly Node[] }[]
    changed.nodes = voters.map(voter => ({ ...voter, listeners: movedTo(voter.listeners, address) }))
  }
  if (shown === 'one' && typeof answer.controllerId === 'number' && answer.controllerId >= 0) {
    changed.controllerId = soleNode
  }
  return Object.keys(changed).length === 0 ? answer : { ...answer, ...changed }
}

const isFull = (list: readonly Node[] | undefined): list is readonly Node[] => list !== undefined && list.length > 0

const plain = ({ host, port }: Address): Address => ({ host, port })

/** By either of the names that APIs have for a node's number. */
function sole(node: Node, address: Address): Node {
  return { ...node, ...plain(address), nodeId: soleNode, brokerId: soleNode, rack: null, isFenced: false } as Node
}

type Topics = readonly { readonly partitions: readonly { readonly leaderId: number }[] }[]

/** Topics that are all led by the single node; where nobody leads, nobody does. */
export function ledByOne(answer: Fields): Fields {
  const topics = (answer.topics as Topics).map(topic => ({
    ...topic,
    partitions: topic.partitions.map(each => (each.leaderId < 0 ? each : { ...each, leaderId: soleNode })),
  }))
  return { ...answer, topics }
}

/** As `rewritten`, for the one who asks. */
export function atGateway(answer: Fields, { broker, peer }: Pick<ProxyContext, 'broker' | 'peer'>): Fields {
  return rewritten(answer, broker.addressFor(peer), broker.shownTo(peer))
}
