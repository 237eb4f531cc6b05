import { KafkaError } from '../protocol/errors.ts'
import type { Partition } from './partition.ts'

/** All replicas on this node, by topic name and by topic id (KIP-516). */
export class Replicas {
  readonly #byName = new Map<string, Partition[]>()
  readonly #byId = new Map<string, Partition[]>()
  #count = 0
  /** Whether other nodes have a partition that we do not have: by name, or by id where that is not null. */
  elsewhere: (topic: string | null, topicId: string | null, index: number) => boolean = () => false

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

  /** The replica; throws UNKNOWN_TOPIC_OR_PARTITION, or NOT_LEADER_OR_FOLLOWER when others have it. */
  get(topic: string, index: number): Partition {
    const partition = this.find(topic, index)
    if (partition === undefined)
      throw new KafkaError(this.elsewhere(topic, null, index) ? 'NOT_LEADER_OR_FOLLOWER' : 'UNKNOWN_TOPIC_OR_PARTITION')
    return partition
  }

  /** As `get`, by id; throws UNKNOWN_TOPIC_ID. */
  getById(topicId: string, index: number): Partition {
    const partitions = this.#byId.get(topicId)
    const partition = partitions?.[index]
    if (partition !== undefined) return partition
    if (this.elsewhere(null, topicId, index)) throw new KafkaError('NOT_LEADER_OR_FOLLOWER')
    throw new KafkaError(partitions === undefined ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION')
  }

  *all(): Iterable<Partition> {
    for (const partitions of this.#byName.values()) for (const partition of partitions) if (partition) yield partition
  }
}
