import type { Orderer } from '../cluster/orderer/orderer.ts'
import type { ClusterState } from '../cluster/state.ts'
import type { Address } from '../world/world.ts'
import { isDoorListener } from './doors.ts'

/** Where other nodes may be: what they registered, what the voters' set says, what we were told while joining or since. */
export function addressBook(
  cluster: ClusterState,
  orderer: () => Pick<Orderer, 'describe' | 'heardOf'>,
  known: ReadonlyMap<number, readonly Address[]>,
): (node: number) => readonly Address[] {
  return node => {
    const found: Address[] = []
    const add = ({ host, port }: Address) => {
      if (!found.some(other => other.host === host && other.port === port)) found.push({ host, port })
    }
    for (const endPoint of cluster.brokers.get(node)?.endPoints ?? []) if (!isDoorListener(endPoint.name)) add(endPoint)
    const { voters } = orderer().describe()
    for (const voter of voters) if (voter.id === node) voter.endpoints.forEach(add)
    known.get(node)?.forEach(add)
    const heard = orderer().heardOf?.(node) ?? null
    if (heard !== null) add(heard)
    return found
  }
}
