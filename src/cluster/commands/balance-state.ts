import type { MetadataRecord } from '../records/records.ts'
import { type ClusterState, ResourceType } from '../state.ts'

/** The broker setting by which an operator, or the controller, says what shall become of a broker's partitions. */
export const balanceSetting = 'balance.state'

/**
 * `settled`: nothing moves on its account. `joining`: it gets its share, then it is settled. `draining`: everything
 * leaves it. `gone`: as draining, but it does not live; when it comes back it joins.
 */
export type BalanceState = 'settled' | 'joining' | 'draining' | 'gone'

export function balanceState(state: ClusterState, broker: number): BalanceState {
  const value = state.configs(ResourceType.BROKER, String(broker)).get(balanceSetting)
  return (value as BalanceState | undefined) ?? 'settled'
}

/** Whether a broker may get replicas. */
export function mayHold(state: ClusterState, broker: number): boolean {
  const balance = balanceState(state, broker)
  return balance === 'settled' || balance === 'joining'
}

export function setBalanceState(broker: number, value: BalanceState): MetadataRecord {
  return {
    type: 'ConfigRecord',
    resourceType: ResourceType.BROKER,
    resourceName: String(broker),
    name: balanceSetting,
    value: value === 'settled' ? null : value,
  }
}
