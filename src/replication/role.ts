/** What the cluster decided about a partition (KIP-497, KIP-966), as far as its replicas must know it. */
export interface PartitionRole {
  /** −1: none. */
  readonly leader: number
  readonly leaderEpoch: number
  /** Grows with every decision about the partition. */
  readonly partitionEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  /** Not in sync, and yet they have all that is committed, as nothing was since they left (KIP-966). */
  readonly eligibleLeaderReplicas?: readonly number[]
  /** Replicas that a reassignment brings (KIP-455). */
  readonly addingReplicas?: readonly number[]
}

/** Somebody may count on this replica's copy: it is in sync, or may be made the leader when nobody is. */
export function isCountedOn({ isr, eligibleLeaderReplicas }: PartitionRole, node: number): boolean {
  return isr.includes(node) || eligibleLeaderReplicas?.includes(node) === true
}

/** True when there is but one copy, and it is ours: then nobody is replicated to, and nobody is waited for. */
export function isAlone(role: PartitionRole, node: number): boolean {
  return role.replicas.length === 1 && role.replicas[0] === node
}

/**
 * How many must be in sync before anything is committed: `min.insync.replicas`, no more than there are replicas. Who is
 * only on the way in is none yet: a topic that gets more copies can be written meanwhile. Leader and controller must mean
 * the same by it (KIP-966).
 */
export function enoughInSync(minIsr: number, role: Pick<PartitionRole, 'replicas' | 'addingReplicas'>): number {
  return Math.min(minIsr, Math.max(1, role.replicas.length - (role.addingReplicas?.length ?? 0)))
}
