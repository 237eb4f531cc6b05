import { metadataTopic } from '../cluster/orderer/local.ts'
import type { MetadataRecord } from '../cluster/records/records.ts'
import { type ClusterState, type PartitionState, ResourceType, type TopicState } from '../cluster/state.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { resolveTopicConfigs } from '../config/topic-values.ts'
import { type LogConfig, logConfig } from '../log/log-config.ts'
import type { LogManager } from '../log/log-manager.ts'
import { KafkaError } from '../protocol/errors.ts'
import { Partition, type PartitionRole } from '../replication/partition.ts'
import type { Replicas } from '../replication/replicas.ts'
import type { Logger } from '../world/logger.ts'

export interface ReplicaEvents {
  /** We lead this partition now, in `partition.leaderEpoch`. */
  leads(partition: Partition): void
  /** The topics are gone. */
  deleted(topics: readonly string[]): void
}

/** Makes this node's replicas what the committed metadata says: the only place where partitions come and go. */
export class ReplicaManager {
  readonly #node: number
  readonly #logs: LogManager
  readonly #replicas: Replicas
  readonly #config: BrokerConfig
  readonly #logger: Logger
  readonly #events: ReplicaEvents
  /** What topics have that say nothing themselves: nearly all of them, so it is made once. */
  #defaults: LogConfig

  constructor(
    node: number,
    logs: LogManager,
    replicas: Replicas,
    config: BrokerConfig,
    logger: Logger,
    events: ReplicaEvents,
  ) {
    this.#node = node
    this.#logs = logs
    this.#replicas = replicas
    this.#config = config
    this.#logger = logger
    this.#events = events
    this.#defaults = this.#logConfig(new Map())
  }

  /** All of the metadata, at start. */
  load(cluster: ClusterState): void {
    this.#setStraysAside(cluster)
    this.#configureBroker(cluster)
    for (const topic of cluster.topics.values())
      for (const [index, partition] of topic.partitions.entries()) this.#place(cluster, topic, index, partition)
  }

  /**
   * What no topic owns: a crash came between the record of a deletion and the removal of its folder. It would be in the way
   * of the next topic of that name. Kept under another name, as Kafka does: metadata, too, may have been lost.
   */
  #setStraysAside(cluster: ClusterState): void {
    for (const { topic, partition, topicId } of this.#logs.unopened()) {
      if (topic === metadataTopic.topic) continue
      const owner = topicId === null ? cluster.topics.get(topic) : cluster.topicsById.get(topicId)
      if (owner?.name === topic && owner.partitions[partition]?.replicas.includes(this.#node)) continue
      this.#logger.warn('a folder that belongs to no topic is set aside', { topic, partition, topicId })
      this.#logs.volume
        .setAside({ topic, partition })
        .catch(error => this.#logger.error('a stray folder stays', { topic, partition, error: String(error) }))
    }
  }

  /** Records that were committed just now; `cluster` has them already. */
  commit(cluster: ClusterState, records: readonly MetadataRecord[]): void {
    const reconfigured = new Set<string>()
    const deleted: string[] = []
    for (const record of records) {
      if (record.type === 'PartitionRecord' || record.type === 'PartitionChangeRecord') {
        const topic = cluster.topicsById.get(record.topicId)
        const index = record.partitionId ?? 0
        const partition = topic?.partitions[index]
        if (topic !== undefined && partition !== undefined) this.#place(cluster, topic, index, partition)
      } else if (record.type === 'RemoveTopicRecord') deleted.push(...this.#remove(record.topicId))
      else if (record.type === 'ConfigRecord') {
        if (record.resourceType === ResourceType.TOPIC) reconfigured.add(record.resourceName)
        if (record.resourceType === ResourceType.BROKER) this.#configureBroker(cluster)
      }
    }
    for (const topic of reconfigured) this.#configureTopic(cluster, topic)
    if (deleted.length > 0) this.#events.deleted(deleted)
  }

  #place(cluster: ClusterState, topic: TopicState, index: number, state: PartitionState): void {
    if (!state.replicas.includes(this.#node)) return
    const role: PartitionRole = state
    const known = this.#replicas.findById(topic.id, index)
    if (known !== undefined) {
      const before = known.leaderEpoch
      known.setRole(role)
      if (known.isLeader && known.leaderEpoch !== before) this.#events.leads(known)
      return
    }
    const own = cluster.configs(ResourceType.TOPIC, topic.name)
    const config = own.size === 0 ? this.#defaults : this.#logConfig(own)
    const log = this.#logs.create(topic.name, index, topic.id, config)
    const partition = new Partition(topic.name, topic.id, index, log, this.#node, role)
    this.#replicas.add(partition)
    if (partition.isLeader) this.#events.leads(partition)
  }

  /** Returns the name of the topic, when we had part of it. */
  #remove(topicId: string): string[] {
    const partitions = this.#replicas.removeTopic(topicId)
    for (const partition of partitions) {
      partition.close(new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', 'the topic was deleted'))
      this.#logs.delete(partition.topic, partition.index).catch(error =>
        this.#logger.error('the files of a deleted partition could not be removed', {
          topic: partition.topic,
          partition: partition.index,
          error: String(error),
        }),
      )
    }
    return partitions.slice(0, 1).map(({ topic }) => topic)
  }

  #configureTopic(cluster: ClusterState, name: string): void {
    const topic = cluster.topics.get(name)
    if (topic === undefined) return
    const config = this.#logConfig(cluster.configs(ResourceType.TOPIC, name))
    for (const index of topic.partitions.keys()) this.#replicas.findById(topic.id, index)?.log.setConfig(config)
  }

  #configureBroker(cluster: ClusterState): void {
    this.#config.update(
      cluster.configs(ResourceType.BROKER, ''),
      cluster.configs(ResourceType.BROKER, String(this.#node)),
    )
    this.#defaults = this.#logConfig(new Map())
    for (const topic of cluster.topics.keys()) this.#configureTopic(cluster, topic)
  }

  #logConfig(own: ReadonlyMap<string, string>): LogConfig {
    return logConfig(resolveTopicConfigs(own, this.#config))
  }
}
