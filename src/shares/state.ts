import type { OtherRecord, SharePartitionRecord, ShareRecord } from './facts.ts'
import { SharePartition } from './share-partition.ts'

/** One lease group. */
export interface ShareGroup {
  readonly groupId: string
  /** By topic id, then by number: partitions that the group has met. */
  readonly topics: Map<string, (SharePartition | undefined)[]>
  partitionCount: number
  /** Greater than every lease number that is still known. */
  nextLease: number
}

/** Hears of every change, in replays, too: it must only take note. `before`: how many records were unfinished. */
export type Watch = (groupId: string, partition: SharePartition, before: number) => void

/** Everything that one partition of `__share_group_state` remembers. Only `apply` changes it. */
export class SharesState {
  readonly groups = new Map<string, ShareGroup>()
  readonly #others = new Map<string, OtherRecord>()
  readonly #watch: Watch
  readonly #remembered: number

  constructor(remembered: number, watch: Watch = () => {}) {
    this.#remembered = remembered
    this.#watch = watch
  }

  /** Records that the shortest log has. */
  get size(): number {
    let size = this.#others.size
    for (const { partitionCount } of this.groups.values()) size += partitionCount
    return size
  }

  find(groupId: string, topicId: string, partition: number): SharePartition | undefined {
    return this.groups.get(groupId)?.topics.get(topicId)?.[partition]
  }

  apply(record: ShareRecord, timestamp: number): void {
    switch (record.kind) {
      case 'SharePartition':
        this.#change(record, timestamp)
        break
      case 'Looked': {
        const partition = this.find(record.groupId, record.topicId, record.partition)
        partition?.looked(record)
        if (partition !== undefined) this.#watch(record.groupId, partition, partition.unfinished.size)
        break
      }
      case 'TookLead':
        for (const group of this.groups.values())
          for (const partition of partitionsOf(group)) partition.renewAll(record.ms)
        break
      case 'Other': {
        const key = Buffer.from(record.key).toString('latin1')
        if (record.value === null) this.#others.delete(key)
        else this.#others.set(key, record)
        break
      }
    }
  }

  #change({ groupId, topicId, partition: index, value }: SharePartitionRecord, timestamp: number): void {
    if (value === null) {
      this.#forget(groupId, topicId, index)
      return
    }
    let group = this.groups.get(groupId)
    if (group === undefined) {
      group = { groupId, topics: new Map(), partitionCount: 0, nextLease: 1 }
      this.groups.set(groupId, group)
    }
    let topic = group.topics.get(topicId)
    if (topic === undefined) {
      topic = []
      group.topics.set(topicId, topic)
    }
    let partition = topic[index]
    if (partition === undefined) {
      partition = new SharePartition(value.topic, topicId, index, this.#remembered)
      topic[index] = partition
      group.partitionCount++
    }
    const before = partition.unfinished.size
    partition.apply(value, timestamp)
    for (const { lease, firstOffset, lastOffset } of value.runs)
      if (lease > 0) group.nextLease = Math.max(group.nextLease, lease + lastOffset - firstOffset + 1)
    this.#watch(groupId, partition, before)
  }

  #forget(groupId: string, topicId: string, index: number): void {
    const group = this.groups.get(groupId)
    const topic = group?.topics.get(topicId)
    if (group === undefined || topic?.[index] === undefined) return
    topic[index] = undefined
    group.partitionCount--
    if (topic.every(partition => partition === undefined)) group.topics.delete(topicId)
    if (group.partitionCount === 0) this.groups.delete(groupId)
  }

  /** May be read while the state changes: each record shows what holds when it is read. */
  *snapshot(): Iterable<ShareRecord> {
    yield* this.#others.values()
    for (const group of this.groups.values())
      for (const partition of partitionsOf(group)) {
        const { topicId, partition: index } = partition
        yield {
          kind: 'SharePartition',
          groupId: group.groupId,
          topicId,
          partition: index,
          value: partition.facts(),
        }
      }
  }
}

export function* partitionsOf({ topics }: ShareGroup): Iterable<SharePartition> {
  for (const partitions of topics.values()) for (const partition of partitions) if (partition) yield partition
}
