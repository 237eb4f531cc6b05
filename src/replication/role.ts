/** What the cluster decided about a partition (KIP-497, KIP-966), as far as its replicas must know it. */
export interface PartitionRole {
  /** −1: none. */
  readonly leader: number
  readonly leaderEpoch: number
  /** Grows with every decision about the partition. */
  readonly partitionEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  /** Replicas that a reassignment brings (KIP-455). */
  readonly addingReplicas?: readonly number[]
}

/** True when there is but one copy, and it is ours: then nobody is replicated to, and nobody is waited for. */
export function isAlone(role: PartitionRole, node: number): boolean {
  return role.replicas.length === 1 && role.replicas[0] === node
}
