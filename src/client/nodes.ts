import { balanceStates } from './balance.ts'
import type { Cluster } from './cluster.ts'
import type { ClusterView } from './cluster-view.ts'
import { sizesOn } from './moves.ts'

/** A node and what is on it. */
export interface NodeDescription {
  readonly node: number
  readonly address: string
  readonly rack: string | null
  /** serving, joining, draining, gone, or down. */
  readonly state: string
  /** controller, voter, or observer, and how far behind. */
  readonly quorum: string
  readonly leads: number
  readonly holds: number
  /** −1: not known. */
  readonly bytes: number
}

/** All nodes of a view, in its order. */
export async function describeNodes(cluster: Cluster, view: ClusterView): Promise<NodeDescription[]> {
  const { topics } = await cluster.metadata(null)
  const balance = await balanceStates(
    cluster,
    view.nodes.filter(({ fenced }) => !fenced).map(({ id }) => id),
  )
  const rows: NodeDescription[] = []
  for (const { id, address, rack, fenced } of view.nodes) {
    const partitions = topics.flatMap(topic => topic.partitions)
    const sizes = fenced ? null : await sizesOn(cluster, id)
    const state = balance.get(id) ?? 'settled'
    rows.push({
      node: id,
      address,
      rack,
      state: fenced ? 'down' : state === 'settled' ? 'serving' : state,
      quorum: quorumRole(id, view),
      leads: partitions.filter(({ leaderId }) => leaderId === id).length,
      holds: partitions.filter(({ replicas }) => replicas.includes(id)).length,
      bytes: sizes === null ? -1 : [...sizes.values()].reduce((bytes, each) => bytes + each, 0),
    })
  }
  return rows
}

function quorumRole(id: number, { controller, quorum }: ClusterView): string {
  const member = quorum.find(each => each.id === id)
  const behind = member !== undefined && member.lag > 0 ? `, ${member.lag} behind` : ''
  if (id === controller) return 'controller'
  return `${member?.voter === true ? 'voter' : 'observer'}${behind}`
}
