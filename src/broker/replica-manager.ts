import { metadataTopic } from '../cluster/orderer/metadata-log.ts'
import type { MetadataRecord } from '../cluster/records/records.ts'
import { type ClusterState, type PartitionState, ResourceType, type TopicState } from '../cluster/state.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { resolveTopicConfigs } from '../config/topic-values.ts'
import { type LogConfig, logConfig } from '../log/log-config.ts'
import type { LogManager } from '../log/log-manager.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Fetchers } from '../replication/fetchers.ts'
import type { Surroundings } from '../replication/leadership.ts'
import { Partition } from '../replication/partition.ts'
import { sourceOf } from '../replication/relay.ts'
import type { Replicas } from '../replication/replicas.ts'
import { isAlone } from '../replication/role.ts'
import type { Logger } from '../world/logger.ts'
import type { Timer, Timers } from '../world/world.ts'

/** ms by which a timer may be late before we take it that we stood still. */
const lateMs = 500

export interface ReplicaEvents {
  /** We lead this partition now, in `partition.leaderEpoch`. */
  leads(partition: Partition): void
  /** We do not lead it any more. */
  resigns?(partition: Partition): void
  /** The topics are gone, whether or not this node had copies: groups that have read them may be its own. */
  deleted(topics: readonly string[]): void
}

/** What a node needs besides, as soon as there are copies on other nodes. */
export interface Copying {
  readonly around: Surroundings
  readonly fetchers: Pick<Fetchers, 'follow' | 'close'>
  readonly timers: Timers
}

/** Makes this node's replicas what the committed metadata says: the only place where partitions come and go. */
export class ReplicaManager {
  readonly #node: number
  readonly #logs: LogManager
  readonly #replicas: Replicas
  readonly #config: BrokerConfig
  readonly #logger: Logger
  readonly #events: ReplicaEvents
  readonly #copying: Copying | undefined
  /** Of all topics, by their ids: the record of a deletion names only those. */
  readonly #names = new Map<string, string>()
  #checks: Timer | null = null
  #notes: Timer | null = null
  /** What topics have that say nothing themselves: nearly all of them, so it is made once. */
  #defaults: LogConfig

  constructor(
    node: number,
    logs: LogManager,
    replicas: Replicas,
    config: BrokerConfig,
    logger: Logger,
    events: ReplicaEvents,
    copying?: Copying,
  ) {
    this.#node = node
    this.#logs = logs
    this.#replicas = replicas
    this.#config = config
    this.#logger = logger
    this.#events = events
    this.#copying = copying
    this.#defaults = this.#logConfig(new Map())
  }

  /**
   * All of the metadata: at start, as soon as it is as new as our registration, since what was decided before speaks of our
   * former self (it may have led in an epoch of which its power cut took records); and whenever it was replaced as a whole.
   */
  load(cluster: ClusterState): void {
    this.#replicas.elsewhere = (topic, topicId, index) =>
      (topicId === null ? cluster.topics.get(topic ?? '') : cluster.topicsById.get(topicId))?.partitions[index] !==
      undefined
    this.#setStraysAside(cluster)
    this.#configureBroker(cluster)
    for (const partition of [...this.#replicas.all()]) {
      const { topicId, index } = partition
      if (cluster.topicsById.get(topicId)?.partitions[index]?.replicas.includes(this.#node)) continue
      // No record says that it was deleted.
      this.#drop(partition, 'setAside')
    }
    const deleted = [...this.#names].filter(([id]) => !cluster.topicsById.has(id)).map(([, name]) => name)
    this.#names.clear()
    for (const topic of cluster.topics.values()) {
      this.#names.set(topic.id, topic.name)
      for (const [index, partition] of topic.partitions.entries()) this.#place(cluster, topic, index, partition)
    }
    if (deleted.length > 0) this.#events.deleted(deleted)
  }

  /** Writes down what is known to be committed; copies nothing any more. */
  stop(): void {
    this.#checks?.cancel()
    this.#notes?.cancel()
    this.#copying?.fetchers.close()
    this.#noteHighWatermarks()
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
    for (const record of records)
      if (record.type === 'ConfigRecord' && record.resourceType === ResourceType.TOPIC)
        reconfigured.add(record.resourceName)
    // Before what partitions are to do by it.
    for (const topic of reconfigured) this.#configureTopic(cluster, topic)
    for (const record of records) {
      if (record.type === 'PartitionRecord' || record.type === 'PartitionChangeRecord') {
        const topic = cluster.topicsById.get(record.topicId)
        const index = record.partitionId ?? 0
        const partition = topic?.partitions[index]
        if (topic !== undefined && partition !== undefined) this.#place(cluster, topic, index, partition)
      } else if (record.type === 'TopicRecord') this.#names.set(record.topicId, record.name)
      else if (record.type === 'RemoveTopicRecord') {
        const name = this.#names.get(record.topicId)
        if (name !== undefined) deleted.push(name)
        this.#names.delete(record.topicId)
        this.#remove(record.topicId)
      } else if (record.type === 'ConfigRecord' && record.resourceType === ResourceType.BROKER)
        this.#configureBroker(cluster)
    }
    if (deleted.length > 0) this.#events.deleted(deleted)
  }

  #place(cluster: ClusterState, topic: TopicState, index: number, state: PartitionState): void {
    const known = this.#replicas.findById(topic.id, index)
    if (!state.replicas.includes(this.#node)) {
      if (known !== undefined) this.#drop(known, 'delete')
      return
    }
    const before = known?.role
    const partition = known ?? this.#open(cluster, topic, index, state)
    known?.setRole(state)
    this.#copy(partition)
    const led = before?.leader === this.#node
    const { role } = partition
    if (led && (!partition.isLeader || before?.leaderEpoch !== role.leaderEpoch)) this.#events.resigns?.(partition)
    if (partition.isLeader && !(led && before?.leaderEpoch === role.leaderEpoch)) this.#events.leads(partition)
  }

  #open(cluster: ClusterState, topic: TopicState, index: number, state: PartitionState): Partition {
    const own = cluster.configs(ResourceType.TOPIC, topic.name)
    const config = own.size === 0 ? this.#defaults : this.#logConfig(own)
    const log = this.#logs.create(topic.name, index, topic.id, config)
    const highWatermark = this.#logs.highWatermark(log)
    const options = { around: this.#copying?.around, highWatermark }
    const partition = new Partition(topic.name, topic.id, index, log, this.#node, state, options)
    this.#replicas.add(partition)
    return partition
  }

  /** From whom it is copied, and what goes round as soon as there is another copy. */
  #copy(partition: Partition): void {
    const copying = this.#copying
    if (copying === undefined || isAlone(partition.role, this.#node)) return
    const chain = partition.log.config.replicationTopology === 'chain'
    copying.fetchers.follow(partition, sourceOf(partition.role, this.#node, chain))
    if (this.#checks === null) {
      this.#checkReplicas(copying)
      this.#noteRegularly(copying)
    }
  }

  /** A few times within `replica.lag.time.max.ms`. A tick that comes late means that we stood still: then nobody else did. */
  #checkReplicas(copying: Copying): void {
    const { around, timers } = copying
    const everyMs = Math.max(50, Math.min(1000, around.lagMaxMs / 5))
    const due = around.mono() + everyMs
    this.#checks = timers.after(everyMs, () => {
      if (around.mono() - due < lateMs) for (const partition of this.#replicas.all()) partition.checkReplicas()
      this.#checkReplicas(copying)
    })
  }

  #noteRegularly(copying: Copying): void {
    this.#notes = copying.timers.after(this.#config.get('replica.high.watermark.checkpoint.interval.ms'), () => {
      this.#noteHighWatermarks()
      this.#noteRegularly(copying)
    })
  }

  #noteHighWatermarks(): void {
    for (const { role, log, highWatermark } of this.#replicas.all())
      if (!isAlone(role, this.#node)) this.#logs.noteHighWatermark(log, highWatermark)
  }

  /** This node has no copy of the partition any more: it was moved away, or is unknown now. */
  #drop(partition: Partition, how: 'delete' | 'setAside'): void {
    const { topic, index } = partition
    this.#copying?.fetchers.follow(partition, -1)
    this.#replicas.remove(partition)
    const led = partition.isLeader
    partition.close(new KafkaError('NOT_LEADER_OR_FOLLOWER', 'the replica was moved away'))
    if (led) this.#events.resigns?.(partition)
    this.#logs[how](topic, index).catch(error =>
      this.#logger.error('the files of a replica that was moved away stay', {
        topic,
        partition: index,
        error: String(error),
      }),
    )
  }

  #remove(topicId: string): void {
    const partitions = this.#replicas.removeTopic(topicId)
    for (const partition of partitions) {
      this.#copying?.fetchers.follow(partition, -1)
      // Before its waiters hear of it: a coordinator has nothing to answer from any more, and nothing to write to.
      if (partition.isLeader) this.#events.resigns?.(partition)
      partition.close(new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', 'the topic was deleted'))
      this.#logs.delete(partition.topic, partition.index).catch(error =>
        this.#logger.error('the files of a deleted partition could not be removed', {
          topic: partition.topic,
          partition: partition.index,
          error: String(error),
        }),
      )
    }
  }

  #configureTopic(cluster: ClusterState, name: string): void {
    const topic = cluster.topics.get(name)
    if (topic === undefined) return
    const config = this.#logConfig(cluster.configs(ResourceType.TOPIC, name))
    for (const index of topic.partitions.keys()) {
      const partition = this.#replicas.findById(topic.id, index)
      partition?.log.setConfig(config)
      // Another topology is another source.
      if (partition !== undefined) this.#copy(partition)
    }
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
