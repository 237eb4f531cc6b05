import type { CommittedOffset } from './facts.ts'

function ensure<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

/** Something by group, topic and partition. */
class OffsetTable<Value> {
  readonly #groups = new Map<string, Map<string, Map<number, Value>>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(groupId: string, topic: string, partition: number): Value | undefined {
    return this.#groups.get(groupId)?.get(topic)?.get(partition)
  }

  has(groupId: string): boolean {
    return this.#groups.has(groupId)
  }

  /** Topics of a group with their partitions, in the order of their first commits. */
  of(groupId: string): ReadonlyMap<string, ReadonlyMap<number, Value>> {
    return this.#groups.get(groupId) ?? new Map()
  }

  set(groupId: string, topic: string, partition: number, value: Value): void {
    const topics = ensure(this.#groups, groupId, () => new Map<string, Map<number, Value>>())
    const partitions = ensure(topics, topic, () => new Map<number, Value>())
    if (!partitions.has(partition)) this.#size++
    partitions.set(partition, value)
  }

  delete(groupId: string, topic: string, partition: number): void {
    const topics = this.#groups.get(groupId)
    const partitions = topics?.get(topic)
    if (topics === undefined || partitions === undefined || !partitions.delete(partition)) return
    this.#size--
    if (partitions.size === 0) topics.delete(topic)
    if (topics.size === 0) this.#groups.delete(groupId)
  }

  *entries(): Iterable<readonly [groupId: string, topic: string, partition: number, value: Value]> {
    for (const [groupId, topics] of this.#groups) {
      for (const [topic, partitions] of topics) {
        for (const [partition, value] of partitions) yield [groupId, topic, partition, value]
      }
    }
  }
}

interface Pending {
  readonly value: CommittedOffset
  /** Offset of the record that said it. */
  readonly at: number
}

/**
 * Offsets that count, and those that will count when a producer's transaction commits (KIP-98). The later commit wins: a
 * plain one that follows in the log therefore drops what was pending for the same partition.
 */
export class CommittedOffsets {
  readonly #stable = new OffsetTable<CommittedOffset>()
  readonly #pending = new Map<number, OffsetTable<Pending>>()

  get size(): number {
    return this.#stable.size
  }

  get stable(): Pick<OffsetTable<CommittedOffset>, 'get' | 'of' | 'has' | 'entries'> {
    return this.#stable
  }

  hasPending(groupId: string): boolean {
    for (const table of this.#pending.values()) if (table.has(groupId)) return true
    return false
  }

  isPending(groupId: string, topic: string, partition: number): boolean {
    for (const table of this.#pending.values()) if (table.get(groupId, topic, partition)) return true
    return false
  }

  *pendingOf(groupId: string): Iterable<readonly [topic: string, partition: number, value: CommittedOffset]> {
    for (const table of this.#pending.values()) {
      for (const [topic, partitions] of table.of(groupId))
        for (const [partition, { value }] of partitions) yield [topic, partition, value]
    }
  }

  commit(groupId: string, topic: string, partition: number, value: CommittedOffset): void {
    this.#dropPending(groupId, topic, partition)
    this.#stable.set(groupId, topic, partition, value)
  }

  commitLater(producerId: number, groupId: string, topic: string, partition: number, pending: Pending): void {
    const table = ensure(this.#pending, producerId, () => new OffsetTable<Pending>())
    table.set(groupId, topic, partition, pending)
  }

  delete(groupId: string, topic: string, partition: number): void {
    this.#dropPending(groupId, topic, partition)
    this.#stable.delete(groupId, topic, partition)
  }

  endTransaction(producerId: number, committed: boolean): void {
    const table = this.#pending.get(producerId)
    this.#pending.delete(producerId)
    if (table === undefined || !committed) return
    for (const [groupId, topic, partition, { value, at }] of table.entries()) {
      this.#dropPending(groupId, topic, partition, at)
      this.#stable.set(groupId, topic, partition, value)
    }
  }

  #dropPending(groupId: string, topic: string, partition: number, before: number = Number.POSITIVE_INFINITY): void {
    for (const [producerId, table] of this.#pending) {
      const pending = table.get(groupId, topic, partition)
      if (pending === undefined || pending.at >= before) continue
      table.delete(groupId, topic, partition)
      if (table.size === 0) this.#pending.delete(producerId)
    }
  }
}
