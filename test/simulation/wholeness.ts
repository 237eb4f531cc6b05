import type { Server } from './server.ts'

/**
 * Why a cluster is not yet as it should be some time after all is mended; null: it is. Everybody serves and knows the same;
 * every replica is in sync and has all that there is (I8, and the ends of I4 and I5).
 */
export function notYetWhole(servers: readonly Server[]): string | null {
  for (const { machine, node } of servers) if (node === null) return `${machine.name} does not serve`
  return unequalMetadata(servers) ?? unevenReplicas(servers)
}

/**
 * Whether a partition has to wait for a server that is down: only that one has all that is committed, or without it the
 * servers have no majority that could decide anything.
 */
export function needs(servers: readonly Server[], dead: Server, topic: string, partition: number): boolean {
  const isDead = (id: number) => id === dead.lastNodeId
  return servers.some(({ inside }) => {
    if (inside === null) return false
    const { voters } = inside.orderer.describe()
    if (dead.ownsMetadata && voters.filter(({ id }) => !isDead(id)).length <= voters.length / 2) return true
    const known = inside.metadata.state.topics.get(topic)?.partitions[partition]
    return known?.isr.every(isDead) === true && known.eligibleLeaderReplicas.every(isDead)
  })
}

function unequalMetadata(servers: readonly Server[]): string | null {
  let first: string[] | null = null
  for (const { inside, machine } of servers) {
    if (inside === null) return `${machine.name} does not serve`
    // A snapshot may have them in another order.
    const records = [...inside.metadata.state.records()].map(textOf).sort()
    first ??= records
    const other = records.findIndex((record, i) => record !== (first as string[])[i])
    if (other >= 0 || records.length !== first.length)
      return `${machine.name} knows other metadata than ${servers[0]?.machine.name}: ${records[other]} and ${first[other]}`
  }
  return null
}

/** Fields in the order of their names: one that was read has another order than one that was made. */
function textOf(record: object): string {
  return JSON.stringify(Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))))
}

function unevenReplicas(servers: readonly Server[]): string | null {
  const serverOf = (id: number) => servers.find(({ lastNodeId }) => lastNodeId === id)
  const topics = servers[0]?.inside?.metadata.state.topics.values() ?? []
  for (const { name, partitions } of topics) {
    for (const [index, partition] of partitions.entries()) {
      const what = `${name}-${index}`
      const { replicas, isr, leader, addingReplicas, removingReplicas } = partition
      if (addingReplicas.length + removingReplicas.length > 0) return `${what} is still moving`
      if (leader < 0 || isr.length < replicas.length)
        return `${what}: leader ${leader}, in sync [${isr}] of [${replicas}]`
      const end = serverOf(leader)?.inside?.replicas.find(name, index)?.log.logEndOffset
      for (const id of replicas) {
        const replica = serverOf(id)?.inside?.replicas.find(name, index)
        if (replica === undefined) return `${what}: ${id} has no replica`
        if (replica.log.logEndOffset !== end || replica.highWatermark !== end)
          return `${what}: the leader's log ends at ${end}, that of ${id} at ${replica.log.logEndOffset}, committed ${replica.highWatermark}` // biome-ignore format: a line
      }
    }
  }
  return null
}
