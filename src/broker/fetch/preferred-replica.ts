import type { BrokerState } from '../../cluster/state.ts'
import type { Partition } from '../../replication/partition.ts'

/** Kafka's class of this name, and any other that ends so. */
const rackAware = 'RackAwareReplicaSelector'

/**
 * The copy that a consumer in `rack` should read from `fetchOffset` on: the most complete one in its rack that has the
 * offset; −1: this one (KIP-392). Asked of leaders only.
 */
export function preferredReplica(
  partition: Partition,
  fetchOffset: number,
  rack: string,
  brokers: ReadonlyMap<number, BrokerState>,
): number {
  const { leadership } = partition
  if (leadership === null || brokers.get(partition.node)?.rack === rack) return -1
  if (fetchOffset < partition.log.logStartOffset) return -1
  let best = -1
  let bestEnd = -1
  for (const { id, endOffset } of leadership.followers) {
    const broker = brokers.get(id)
    if (broker === undefined || broker.fenced || broker.rack !== rack || !partition.role.isr.includes(id)) continue
    if (endOffset < fetchOffset || endOffset < bestEnd || (endOffset === bestEnd && id > best)) continue
    best = id
    bestEnd = endOffset
  }
  return best
}

export function selectsByRack(selector: string | null): boolean {
  return selector?.endsWith(rackAware) ?? false
}
