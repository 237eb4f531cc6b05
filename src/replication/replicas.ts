import { KafkaError } from '../protocol/errors.ts'
import type { Partition } from './partition.ts'

/** All replicas on this node, by topic name and by topic id (KIP-516). */
export class Replicas {
  readonly #byName = new Map<string, Partition[]>()
  readonly #byId = new Map<string, Partition[]>()
  #count = 0

  get count(): number {
    return this.#count
  }

  add(partition: Partition): void {
    let partitions = this.#byName.get(partition.topic)
    if (partitions === undefined) {
      partitions = []
      this.#byName.set(partition.topic, partitions)
      this.#byId.set(partition.topicId, partitions)
    }
    if (partitions[partition.index] === undefined) this.#count++
    partitions[partition.index] = partition
  }

  /** Forgets a topic's replicas and gives them back. */
  removeTopic(topicId: string): Partition[] {
    const partitions = (this.#byId.get(topicId) ?? []).filter(partition => partition !== undefined)
    this.#byId.delete(topicId)
    const name = partitions[0]?.topic
    if (name !== undefined) this.#byName.delete(name)
    this.#count -= partitions.length
    return partitions
  }

  /** Forgets one replica; its topic's others stay. */
  remove({ topic, topicId, index }: Partition): void {
    const partitions = this.#byId.get(topicId)
    if (partitions?.[index] === undefined) return
    delete partitions[index]
    this.#count--
    if (partitions.some(partition => partition !== undefined)) return
    this.#byId.delete(topicId)
    if (this.#byName.get(topic) === partitions) this.#byName.delete(topic)
  }

  find(topic: string, index: number): Partition | undefined {
    return this.#byName.get(topic)?.[index]
  }

  findById(topicId: string, index: number): Partition | undefined {
    return this.#byId.get(topicId)?.[index]
  }

  /** The replica; throws UNKNOWN_TOPIC_OR_PARTITION when this node has none. */
  get(topic: string, index: number): Partition {
    const partition = this.find(topic, index)
    if (partition === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
    return partition
  }

  /** As `get`, by id; throws UNKNOWN_TOPIC_ID. */
  getById(topicId: string, index: number): Partition {
    const partitions = this.#byId.get(topicId)
    if (partitions === undefined) throw new KafkaError('UNKNOWN_TOPIC_ID')
    const partition = partitions[index]
    if (partition === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
    return partition
  }

  *all(): Iterable<Partition> {
    for (const partitions of this.#byName.values()) for (const partition of partitions) if (partition) yield partition
  }
}
