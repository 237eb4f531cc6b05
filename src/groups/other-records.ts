import type { OtherRecord } from './facts.ts'
import { groupIdOf, kindOf } from './records.ts'

interface Kept {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Last of its group to go, although its number is not the lowest among the share groups'. */
const shareGroupMetadata = 11
const shareGroupMemberMetadata = 10

/**
 * Records of kinds that this machine does not understand: what Apache Kafka keeps of groups of newer protocols. They stay
 * as they are until their group becomes one of ours, or is deleted.
 */
export class OtherRecords {
  readonly #groups = new Map<string, Map<string, Kept>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  has(groupId: string): boolean {
    return this.#groups.has(groupId)
  }

  apply({ key, value }: OtherRecord): void {
    const groupId = groupIdOf(key)
    const name = Buffer.from(key).toString('latin1')
    const group = this.#groups.get(groupId) ?? new Map<string, Kept>()
    this.#size -= group.size
    if (value === null) group.delete(name)
    else group.set(name, { key, value })
    this.#size += group.size
    if (group.size > 0) this.#groups.set(groupId, group)
    else this.#groups.delete(groupId)
  }

  /** In the order in which Kafka can lose them: what members are assigned first, the group itself last. */
  tombstonesOf(groupId: string): OtherRecord[] {
    const rank = ({ key }: Kept): number =>
      kindOf(key) === shareGroupMetadata ? shareGroupMemberMetadata - 0.5 : kindOf(key)
    const kept = [...(this.#groups.get(groupId)?.values() ?? [])].sort((one, other) => rank(other) - rank(one))
    return kept.map(({ key }) => ({ kind: 'Other', key, value: null }))
  }

  *snapshot(): Iterable<OtherRecord> {
    for (const group of this.#groups.values())
      for (const { key, value } of group.values()) yield { kind: 'Other', key, value }
  }
}
