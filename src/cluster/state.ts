import { Kept } from './kept.ts'
import type { MetadataRecord, RecordOf } from './records/records.ts'

export interface EndPoint {
  readonly name: string
  readonly host: string
  readonly port: number
  /** 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL. */
  readonly securityProtocol: number
}

export interface FeatureRange {
  readonly name: string
  readonly minSupportedVersion: number
  readonly maxSupportedVersion: number
}

/** A registered broker (KIP-631). Objects of this file never change: a change makes a new one. */
export interface BrokerState {
  readonly id: number
  readonly epoch: number
  readonly incarnationId: string
  readonly endPoints: readonly EndPoint[]
  readonly features: readonly FeatureRange[]
  readonly rack: string | null
  readonly fenced: boolean
  readonly inControlledShutdown: boolean
  /** Ids of its directories. */
  readonly logDirs: readonly string[]
  readonly cordonedLogDirs: readonly string[] | null
}

export interface PartitionState {
  /** The preferred leader first. */
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly eligibleLeaderReplicas: readonly number[]
  readonly lastKnownElr: readonly number[]
  readonly addingReplicas: readonly number[]
  readonly removingReplicas: readonly number[]
  /** One directory id for each replica. */
  readonly directories: readonly string[]
  /** −1: none. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  /** 1: recovering from an unclean election. */
  readonly leaderRecoveryState: number
}

export interface TopicState {
  readonly name: string
  readonly id: string
  /** By partition id. */
  readonly partitions: readonly PartitionState[]
}

type MutableTopic = TopicState & { readonly partitions: PartitionState[] }

/** Resource types of configurations (`ConfigResource.Type`). */
export const ResourceType = { TOPIC: 2, BROKER: 4, BROKER_LOGGER: 8, CLIENT_METRICS: 16, GROUP: 32 } as const

const NO_CONFIGS: ReadonlyMap<string, string> = new Map()

/**
 * The cluster's metadata as records have made it: Kafka's image (KIP-631). Look-ups cost a map access; `changedAt` lets
 * readers keep what they computed until the part of it that they used has changed.
 */
export class ClusterState {
  /** Offset after the last record that was applied. */
  offset = 0
  /** `offset` as it was after the last change of each part. */
  readonly changedAt = { brokers: 0, topics: 0, configs: 0, features: 0 }
  /** The first producer id that no block holds. */
  nextProducerId = 0
  partitionCount = 0
  readonly #brokers = new Map<number, BrokerState>()
  readonly #topics = new Map<string, MutableTopic>()
  readonly #topicsById = new Map<string, MutableTopic>()
  readonly #configs = new Map<string, Map<string, string>>()
  readonly #features = new Map<string, number>()
  readonly #kept = new Kept()
  #producerIds: RecordOf<'ProducerIdsRecord'> | null = null

  get brokers(): ReadonlyMap<number, BrokerState> {
    return this.#brokers
  }

  /** By name, in the order in which they were made. */
  get topics(): ReadonlyMap<string, TopicState> {
    return this.#topics
  }

  get topicsById(): ReadonlyMap<string, TopicState> {
    return this.#topicsById
  }

  /** Finalized levels (KIP-584); a feature that is off is missing. */
  get features(): ReadonlyMap<string, number> {
    return this.#features
  }

  /** 0 before the first record. */
  get metadataVersion(): number {
    return this.#features.get('metadata.version') ?? 0
  }

  /** What was set for a resource; brokers' common settings have the name ''. */
  configs(resourceType: number, resourceName: string): ReadonlyMap<string, string> {
    return this.#configs.get(configKey(resourceType, resourceName)) ?? NO_CONFIGS
  }

  /** Names of the resources of a type for which something is set. */
  *configured(resourceType: number): Iterable<string> {
    const prefix = configKey(resourceType, '')
    for (const key of this.#configs.keys()) if (key.startsWith(prefix)) yield key.slice(prefix.length)
  }

  /** Forgets everything; who holds this object keeps it. */
  clear(): void {
    for (const map of [this.#brokers, this.#topics, this.#topicsById, this.#configs, this.#features]) map.clear()
    this.#kept.clear()
    this.#producerIds = null
    this.nextProducerId = 0
    this.partitionCount = 0
  }

  /** `offset`: of the record. Throws when the record speaks of something that is not there: then the log is not whole. */
  apply(record: MetadataRecord, offset: number): void {
    this.offset = offset + 1
    switch (record.type) {
      case 'RegisterBrokerRecord':
        this.#registerBroker(record)
        break
      case 'UnregisterBrokerRecord':
        this.#brokers.delete(record.brokerId)
        this.changedAt.brokers = this.offset
        break
      case 'FenceBrokerRecord':
        this.#changeBroker(record.id, { fenced: true })
        break
      case 'UnfenceBrokerRecord':
        this.#changeBroker(record.id, { fenced: false })
        break
      case 'BrokerRegistrationChangeRecord':
        this.#changeRegistration(record)
        break
      case 'TopicRecord':
        this.#addTopic(record)
        break
      case 'RemoveTopicRecord':
        this.#removeTopic(record)
        break
      case 'PartitionRecord':
        this.#setPartition(record)
        break
      case 'PartitionChangeRecord':
        this.#changePartition(record)
        break
      case 'ClearElrRecord':
        this.#clearElr(record.topicName)
        break
      case 'ConfigRecord':
        this.#setConfig(record)
        break
      case 'FeatureLevelRecord':
        this.#setFeature(record)
        break
      case 'ProducerIdsRecord':
        this.nextProducerId = record.nextProducerId
        this.#producerIds = record
        break
      default:
        this.#kept.apply(record)
    }
  }

  /** The shortest log that leads here, in the order of Kafka's snapshots: levels first, since they say how to read the rest. */
  *records(): Iterable<MetadataRecord> {
    for (const [name, featureLevel] of this.#orderedFeatures()) yield { type: 'FeatureLevelRecord', name, featureLevel }
    for (const broker of this.#brokers.values()) yield registrationOf(broker)
    for (const topic of this.#topics.values()) {
      yield { type: 'TopicRecord', name: topic.name, topicId: topic.id }
      for (const [partitionId, partition] of topic.partitions.entries()) {
        yield partitionRecord(topic.id, partitionId, partition)
      }
    }
    for (const [key, values] of this.#configs) {
      const { resourceType, resourceName } = configResource(key)
      for (const [name, value] of values) yield { type: 'ConfigRecord', resourceType, resourceName, name, value }
    }
    if (this.#producerIds !== null) yield this.#producerIds
    yield* this.#kept.records()
  }

  *#orderedFeatures(): Iterable<[string, number]> {
    if (this.metadataVersion > 0) yield ['metadata.version', this.metadataVersion]
    for (const feature of this.#features) if (feature[0] !== 'metadata.version') yield feature
  }

  #registerBroker(record: RecordOf<'RegisterBrokerRecord'>): void {
    this.#brokers.set(record.brokerId, {
      id: record.brokerId,
      epoch: record.brokerEpoch,
      incarnationId: record.incarnationId,
      endPoints: record.endPoints,
      features: record.features,
      rack: record.rack,
      fenced: record.fenced ?? true,
      inControlledShutdown: record.inControlledShutdown ?? false,
      logDirs: record.logDirs ?? [],
      cordonedLogDirs: record.cordonedLogDirs ?? null,
    })
    this.changedAt.brokers = this.offset
  }

  #changeBroker(id: number, change: Partial<BrokerState>): void {
    const broker = this.#brokers.get(id)
    if (broker === undefined) throw missing(`broker ${id}`, this.offset)
    this.#brokers.set(id, { ...broker, ...change })
    this.changedAt.brokers = this.offset
  }

  #changeRegistration(record: RecordOf<'BrokerRegistrationChangeRecord'>): void {
    this.#changeBroker(record.brokerId, {
      ...(record.fenced ? { fenced: record.fenced > 0 } : {}),
      ...(record.inControlledShutdown ? { inControlledShutdown: true } : {}),
      ...(record.logDirs && record.logDirs.length > 0 ? { logDirs: record.logDirs } : {}),
      ...(record.cordonedLogDirs ? { cordonedLogDirs: record.cordonedLogDirs } : {}),
    })
  }

  #addTopic({ name, topicId }: RecordOf<'TopicRecord'>): void {
    const topic = { name, id: topicId, partitions: [] }
    this.#topics.set(name, topic)
    this.#topicsById.set(topicId, topic)
    this.changedAt.topics = this.offset
  }

  /** With its settings, as in Kafka. */
  #removeTopic({ topicId }: RecordOf<'RemoveTopicRecord'>): void {
    const topic = this.#topic(topicId)
    this.#topicsById.delete(topicId)
    this.#topics.delete(topic.name)
    this.partitionCount -= topic.partitions.length
    this.changedAt.topics = this.offset
    if (this.#configs.delete(configKey(ResourceType.TOPIC, topic.name))) this.changedAt.configs = this.offset
  }

  #setPartition(record: RecordOf<'PartitionRecord'>): void {
    const { partitions } = this.#topic(record.topicId)
    const index = record.partitionId ?? -1
    if (partitions[index] === undefined) this.partitionCount++
    partitions[index] = {
      replicas: record.replicas,
      isr: record.isr,
      eligibleLeaderReplicas: record.eligibleLeaderReplicas ?? [],
      lastKnownElr: record.lastKnownElr ?? [],
      addingReplicas: record.addingReplicas,
      removingReplicas: record.removingReplicas,
      directories: record.directories ?? [],
      leader: record.leader ?? -1,
      leaderEpoch: record.leaderEpoch ?? -1,
      partitionEpoch: record.partitionEpoch ?? -1,
      leaderRecoveryState: record.leaderRecoveryState ?? 0,
    }
    this.changedAt.topics = this.offset
  }

  /** A leader that is named, also the same one again, begins a new leader epoch. */
  #changePartition(record: RecordOf<'PartitionChangeRecord'>): void {
    const { partitions } = this.#topic(record.topicId)
    const index = record.partitionId ?? -1
    const before = partitions[index]
    if (before === undefined) throw missing(`partition ${index} of topic ${record.topicId}`, this.offset)
    const leader = record.leader ?? -2
    const recovery = record.leaderRecoveryState ?? -1
    partitions[index] = {
      replicas: record.replicas ?? before.replicas,
      isr: record.isr ?? before.isr,
      eligibleLeaderReplicas: record.eligibleLeaderReplicas ?? before.eligibleLeaderReplicas,
      lastKnownElr: record.lastKnownElr ?? before.lastKnownElr,
      addingReplicas: record.addingReplicas ?? before.addingReplicas,
      removingReplicas: record.removingReplicas ?? before.removingReplicas,
      directories: record.directories ?? before.directories,
      leader: leader === -2 ? before.leader : leader,
      leaderEpoch: leader === -2 ? before.leaderEpoch : before.leaderEpoch + 1,
      partitionEpoch: before.partitionEpoch + 1,
      leaderRecoveryState: recovery === -1 ? before.leaderRecoveryState : recovery,
    }
    this.changedAt.topics = this.offset
  }

  #clearElr(topicName: string): void {
    const topics = topicName === '' ? [...this.#topics.values()] : [this.#topics.get(topicName)]
    for (const topic of topics) {
      if (topic === undefined) throw missing(`topic ${topicName}`, this.offset)
      for (const [index, partition] of topic.partitions.entries()) {
        topic.partitions[index] = { ...partition, eligibleLeaderReplicas: [], lastKnownElr: [] }
      }
    }
    this.changedAt.topics = this.offset
  }

  #setConfig({ resourceType, resourceName, name, value }: RecordOf<'ConfigRecord'>): void {
    const key = configKey(resourceType, resourceName)
    const values = this.#configs.get(key) ?? new Map<string, string>()
    if (value === null) values.delete(name)
    else values.set(name, value)
    if (values.size === 0) this.#configs.delete(key)
    else this.#configs.set(key, values)
    this.changedAt.configs = this.offset
  }

  #setFeature({ name, featureLevel }: RecordOf<'FeatureLevelRecord'>): void {
    if (featureLevel === 0) this.#features.delete(name)
    else this.#features.set(name, featureLevel)
    this.changedAt.features = this.offset
  }

  #topic(id: string): MutableTopic {
    const topic = this.#topicsById.get(id)
    if (topic === undefined) throw missing(`topic ${id}`, this.offset)
    return topic
  }
}

function configKey(resourceType: number, resourceName: string): string {
  return `${resourceType}:${resourceName}`
}

function configResource(key: string): { resourceType: number; resourceName: string } {
  const colon = key.indexOf(':')
  return { resourceType: Number(key.slice(0, colon)), resourceName: key.slice(colon + 1) }
}

export function partitionRecord(topicId: string, partitionId: number, partition: PartitionState): MetadataRecord {
  const { eligibleLeaderReplicas, lastKnownElr } = partition
  return {
    type: 'PartitionRecord',
    partitionId,
    topicId,
    ...partition,
    eligibleLeaderReplicas: eligibleLeaderReplicas.length > 0 ? eligibleLeaderReplicas : null,
    lastKnownElr: lastKnownElr.length > 0 ? lastKnownElr : null,
  }
}

function registrationOf(broker: BrokerState): MetadataRecord {
  return {
    type: 'RegisterBrokerRecord',
    brokerId: broker.id,
    incarnationId: broker.incarnationId,
    brokerEpoch: broker.epoch,
    endPoints: broker.endPoints,
    features: broker.features,
    rack: broker.rack,
    fenced: broker.fenced,
    inControlledShutdown: broker.inControlledShutdown,
    logDirs: broker.logDirs,
    cordonedLogDirs: broker.cordonedLogDirs,
  }
}

function missing(what: string, offset: number): Error {
  return new Error(`the metadata log is not whole: record ${offset - 1} changes ${what}, which is not there`)
}
