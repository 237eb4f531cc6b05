import type { PartitionRole } from './role.ts'

/** What one replica has, as another one passes it on: everything below `logEndOffset`, as safe as the topic wants it. */
export interface ReplicaReport {
  readonly replicaId: number
  readonly replicaEpoch: number
  readonly logEndOffset: number
}

/**
 * What the replicas behind us in a chain have told us in this term (van Renesse & Schneider, OSDI 2004): it goes on to the
 * one before us with our next Fetch, until the head knows what everybody has. Whoever reports was checked: its log is a
 * prefix of ours, and ours of all before us, as long as the term lasts.
 */
export class Relay {
  readonly leaderEpoch: number
  #reports: readonly ReplicaReport[] = []

  constructor(leaderEpoch: number) {
    this.leaderEpoch = leaderEpoch
  }

  get reports(): readonly ReplicaReport[] {
    return this.#reports
  }

  /** True when that is news. Reports of a replica's former life are passed over. */
  take(report: ReplicaReport): boolean {
    const known = this.#reports.find(({ replicaId }) => replicaId === report.replicaId)
    if (known !== undefined) {
      if (report.replicaEpoch < known.replicaEpoch) return false
      if (report.replicaEpoch === known.replicaEpoch && report.logEndOffset === known.logEndOffset) return false
    }
    this.#reports = [...this.#reports.filter(each => each !== known), report]
    return true
  }
}

/**
 * From whom a follower copies: from the leader, or in a chain from the one before it in the ISR, whose head is the leader;
 * who is not in sync yet joins at the tail. −1: from nobody.
 */
export function sourceOf({ leader, isr }: PartitionRole, node: number, chain: boolean): number {
  if (leader === node) return -1
  if (!chain || leader < 0) return leader
  const line = [leader, ...isr.filter(id => id !== leader)]
  const place = line.indexOf(node)
  return line[place === -1 ? line.length - 1 : place - 1] as number
}
