import { Broker, type BrokerLimits } from './broker/broker.ts'
import { ProducerIds } from './broker/producer-ids.ts'
import { ReplicaManager } from './broker/replica-manager.ts'
import { newUuid } from './cluster/commands/context.ts'
import { CommittedMetadata } from './cluster/committed.ts'
import { ControllerClient } from './cluster/controller-client.ts'
import { bootstrapRecords, supportedFeatures } from './cluster/features.ts'
import { type MetaProperties, openMetaProperties } from './cluster/meta-properties.ts'
import { readBootstrap } from './cluster/orderer/bootstrap.ts'
import { LocalOrderer } from './cluster/orderer/local.ts'
import type { Orderer } from './cluster/orderer/orderer.ts'
import { controllerSettings } from './cluster/settings.ts'
import type { Endpoint } from './config/addresses.ts'
import type { BrokerConfig } from './config/broker-config.ts'
import type { ResolvedConfig } from './config/sources.ts'
import { defaultGroupConfig, type GroupConfig } from './groups/config.ts'
import { GroupCoordinator, offsetsTopic } from './groups/coordinator.ts'
import { LogManager } from './log/log-manager.ts'
import { defaultProducerLimits, type ProducerLimits } from './log/producers.ts'
import { ErrorCode, errorName, KafkaError } from './protocol/errors.ts'
import { Replicas } from './replication/replicas.ts'
import { keepJoinToken, newJoinToken, readJoinToken } from './security/join-token.ts'
import type { Volume } from './store/store.ts'
import type { Logger } from './world/logger.ts'
import type { Address, World } from './world/world.ts'

export interface NodeOptions {
  readonly config: ResolvedConfig
  readonly world: World
  readonly logger: Logger
  /** Told the floors below as soon as they stand: the simulator looks at them after every step, and touches nothing. */
  readonly inspect?: (inside: Inside) => void
}

/** What a node is made of, to look at. */
export interface Inside {
  readonly nodeId: number
  readonly metadata: CommittedMetadata
  readonly orderer: Orderer
  readonly replicas: Replicas
  readonly volume: Volume
}

export interface RunningNode {
  /** `host:port`, for each listener, as clients on this machine may use it. */
  readonly bootstrap: string
  readonly addresses: readonly Address[]
  readonly port: number
  readonly nodeId: number
  readonly clusterId: string
  /** Rejects when stable storage can no longer be promised: the node has closed all connections and must not go on. */
  readonly failed: Promise<never>
  /** Answers what is in flight, writes everything down, marks the data as clean. */
  stop(): Promise<void>
}

/** ms that a stopping node gives its connections to take their answers. */
const drainMs = 5000
/** Kafka's number for it (`SecurityProtocol`). */
const plaintext = 0

/** Options in, a running node out: the only place that picks adapters. Rejects with a sentence that says what is wrong. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const node = await Node.open(options)
  try {
    await node.start()
    return node
  } catch (error) {
    await node.stop()
    throw error
  }
}

class Node implements RunningNode {
  readonly nodeId: number
  readonly clusterId: string
  /** This life of the node. */
  readonly incarnationId: string
  addresses: readonly Address[] = []
  readonly #options: NodeOptions
  readonly #volume: Volume
  readonly #config: BrokerConfig
  readonly #logs: LogManager
  readonly #replicas = new Replicas()
  readonly #metadata = new CommittedMetadata()
  readonly #orderer: LocalOrderer
  readonly #controller: ControllerClient
  readonly #groups: GroupCoordinator
  readonly #broker: Broker
  /** What clients of a port are told, where that is not the address at which they came. */
  readonly #advertised = new Map<number, Address>()
  readonly failed: Promise<never>
  readonly #directoryId: string
  readonly #joinToken: string
  #fail: (error: Error) => void = () => {}
  #brokerEpoch = -1
  #offsetsTopic: Promise<void> | null = null
  #stopping: Promise<void> | null = null

  static async open(options: NodeOptions): Promise<Node> {
    const { world, config } = options
    const volume = await openVolume(options)
    try {
      const given = config.config.given('node.id')
      const meta = await openMetaProperties(volume, world.random, {
        clusterId: config.config.get('cluster.id') ?? undefined,
        nodeId: given === null ? undefined : config.config.get('node.id'),
      })
      const token = readJoinToken(volume) ?? newJoinToken(world.random)
      await keepJoinToken(volume, token)
      return new Node(options, volume, meta, token)
    } catch (error) {
      await volume.close()
      throw error
    }
  }

  constructor(options: NodeOptions, volume: Volume, meta: MetaProperties, joinToken: string) {
    const { world, logger, config: resolved } = options
    const { clock, timers, random } = world
    this.failed = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.failed.catch(() => {})
    this.#options = options
    this.#volume = volume
    this.#config = resolved.config
    this.nodeId = meta.nodeId
    this.clusterId = meta.clusterId
    this.incarnationId = newUuid(random)
    this.#directoryId = meta.directoryId
    this.#joinToken = joinToken
    const failed = (error: Error) => this.#fatal(error)
    this.#logs = LogManager.open(volume, world, logger, {
      retentionCheckMs: this.#config.get('log.retention.check.interval.ms'),
      checkpointMs: this.#config.get('log.flush.offset.checkpoint.interval.ms'),
      producerCheckMs: this.#config.get('producer.id.expiration.check.interval.ms'),
      producerLimits: producerLimitsOf(this.#config),
      committed: log => this.#replicas.find(log.topicPartition.topic, log.topicPartition.partition)?.highWatermark ?? 0,
      failed,
    })
    const voter = { id: this.nodeId, directoryId: meta.directoryId, endpoints: [] }
    this.#orderer = new LocalOrderer({ volume, world, logger, voter, failed })
    this.#controller = new ControllerClient({
      orderer: this.#orderer,
      settings: controllerSettings(this.#config, this),
      bootstrap: readBootstrap(volume) ?? bootstrapRecords(),
      observer: this.#metadata,
      clock,
      timers,
      random,
      logger,
    })
    this.#groups = new GroupCoordinator({
      config: groupConfig(this.#config),
      partitionCount: () =>
        this.#metadata.state.topics.get(offsetsTopic)?.partitions.length ??
        this.#config.get('offsets.topic.num.partitions'),
      topics: this.#topicLookup(),
      clock,
      timers,
      random,
      logger,
    })
    this.#broker = this.#newBroker()
    options.inspect?.({
      nodeId: this.nodeId,
      metadata: this.#metadata,
      orderer: this.#orderer,
      replicas: this.#replicas,
      volume,
    })
  }

  #newBroker(): Broker {
    const { world, logger, config: resolved } = this.#options
    const metadata = this.#metadata
    const producerIds = new ProducerIds(async () => {
      const request = { brokerId: this.nodeId, brokerEpoch: this.#brokerEpoch }
      const { errorCode, producerIdStart, producerIdLen } = await this.#controller.ask('allocateProducerIds', request)
      if (errorCode !== ErrorCode.NONE) throw new KafkaError('COORDINATOR_NOT_AVAILABLE')
      return { start: producerIdStart ?? 0, length: producerIdLen ?? 0 }
    })
    return new Broker(world, logger, limitsOf(this.#config), {
      nodeId: this.nodeId,
      clusterId: this.clusterId,
      config: this.#config,
      cluster: metadata.state,
      controller: this.#controller,
      createOffsetsTopic: () => this.#createOffsetsTopic(),
      replicas: this.#replicas,
      groups: this.#groups,
      producerIds,
      volume: this.#volume,
      dataDirectory: resolved.dataDirectory ?? 'memory',
      joinToken: () => this.#joinToken,
      leader: () => this.#orderer.leader()?.id ?? null,
      suspect: () => {},
      listenerName: () => this.#options.config.endpoints[0]?.name ?? 'PLAINTEXT',
      advertised: this.#advertised,
    })
  }

  async start(): Promise<void> {
    await this.#orderer.start()
    const replicaManager = new ReplicaManager(
      this.nodeId,
      this.#logs,
      this.#replicas,
      this.#config,
      this.#options.logger,
      {
        leads: partition => {
          if (partition.topic === offsetsTopic)
            void this.#groups.lead(partition.index, partition, partition.leaderEpoch)
        },
        deleted: topics => {
          void this.#groups.topicsDeleted(topics)
          for (const topic of topics) this.#broker.metrics.forgetTopic(topic)
        },
      },
    )
    replicaManager.load(this.#metadata.state)
    this.#metadata.subscribe(replicaManager)
    await this.#register()
    await Promise.race([this.#allCommitted(), this.failed])
    for (const endpoint of this.#options.config.endpoints) await this.#listen(endpoint)
  }

  /** After a crash, until what it left in the page cache only is safe: nobody shall find a log shorter than it was. */
  async #allCommitted(): Promise<void> {
    const waiting: Promise<unknown>[] = []
    for (const partition of this.#replicas.all()) {
      const { logEndOffset } = partition.log
      if (partition.highWatermark < logEndOffset)
        waiting.push(new Promise(resolve => partition.whenCommitted(logEndOffset, resolve)))
    }
    await Promise.all(waiting)
  }

  async #listen({ name, host, port }: Endpoint): Promise<void> {
    // `localhost` is two addresses, and clients differ in which one they try.
    const [first = '', ...others] = host === 'localhost' ? ['127.0.0.1', '::1'] : [host]
    const bound = await this.#broker.listen({ host: first, port })
    for (const other of others) {
      // A machine without IPv6 is fine.
      await this.#broker.listen({ host: other, port: bound.port }).catch(() => {})
    }
    this.addresses = [
      ...this.addresses,
      { host: /^(0\.0\.0\.0|::|)$/.test(host) ? 'localhost' : host, port: bound.port },
    ]
    const told = this.#options.config.advertised.get(name)
    // Without a port of its own it is the listener's, which may only be known now.
    if (told !== undefined)
      this.#advertised.set(bound.port, { ...told, port: told.port === 0 ? bound.port : told.port })
  }

  async #register(): Promise<void> {
    const { errorCode, brokerEpoch } = await this.#controller.ask('registerBroker', {
      brokerId: this.nodeId,
      clusterId: this.clusterId,
      incarnationId: this.incarnationId,
      listeners: this.#options.config.endpoints.map(({ name, host, port }) => ({
        name,
        host: host === '' ? 'localhost' : host,
        port,
        securityProtocol: plaintext,
      })),
      features: [...supportedFeatures].map(([name, { min, max }]) => ({
        name,
        minSupportedVersion: min,
        maxSupportedVersion: max,
      })),
      rack: this.#config.get('broker.rack'),
      logDirs: [this.#directoryId],
      previousBrokerEpoch: this.#volume.previousBrokerEpoch,
    })
    if (errorCode !== ErrorCode.NONE) throw new Error(`the node could not register itself: ${errorName(errorCode)}`)
    this.#brokerEpoch = brokerEpoch ?? -1
  }

  get port(): number {
    return this.addresses[0]?.port ?? 0
  }

  get bootstrap(): string {
    return this.addresses.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',')
  }

  #topicLookup() {
    const info = (topic: { name: string; id: string; partitions: readonly unknown[] } | undefined) =>
      topic && { name: topic.name, topicId: topic.id, partitions: topic.partitions.length }
    return {
      byName: (name: string) => info(this.#metadata.state.topics.get(name)),
      byId: (id: string) => info(this.#metadata.state.topicsById.get(id)),
    }
  }

  #createOffsetsTopic(): Promise<void> {
    this.#offsetsTopic ??= this.#askForOffsetsTopic().finally(() => {
      this.#offsetsTopic = null
    })
    return this.#offsetsTopic
  }

  async #askForOffsetsTopic(): Promise<void> {
    if (this.#metadata.state.topics.has(offsetsTopic)) return
    const configs = {
      'cleanup.policy': 'compact',
      'compression.type': 'producer',
      'segment.bytes': String(this.#config.get('offsets.topic.segment.bytes')),
    }
    const { topics } = await this.#controller.ask('createTopics', {
      topics: [
        {
          name: offsetsTopic,
          numPartitions: this.#config.get('offsets.topic.num.partitions'),
          replicationFactor: 1,
          assignments: [],
          configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
        },
      ],
    })
    const { errorCode = 0 } = topics[0] ?? {}
    if (errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.TOPIC_ALREADY_EXISTS)
      throw new KafkaError('COORDINATOR_NOT_AVAILABLE', errorName(errorCode))
  }

  #fatal(error: Error): void {
    if (this.#stopping !== null) return
    // After a failed sync nobody knows what is on the disk: nothing may be acknowledged or marked clean any more.
    this.#stopping = Promise.resolve()
    this.#options.logger.error('the disk can no longer be trusted; the node stops', { error: error.message })
    this.#broker.abort()
    this.#fail(error)
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    await this.#broker.drain(drainMs, () => this.#groups.stop())
    this.#controller.stop()
    await this.#orderer.close()
    await this.#logs.close(this.#brokerEpoch)
  }
}

async function openVolume({ config: { config, dataDirectory }, world, logger }: NodeOptions): Promise<Volume> {
  // Only the one that is used is loaded.
  if (dataDirectory === null) {
    const { MemoryVolume } = await import('./store/memory.ts')
    return new MemoryVolume(world.timers)
  }
  const { FileVolume } = await import('./store/file/file-volume.ts')
  return FileVolume.open(dataDirectory, world, logger, { tailBytes: config.get('tail.cache.bytes') })
}

function groupConfig(config: BrokerConfig): GroupConfig {
  return {
    ...defaultGroupConfig,
    minSessionTimeoutMs: config.get('group.min.session.timeout.ms'),
    maxSessionTimeoutMs: config.get('group.max.session.timeout.ms'),
    initialRebalanceDelayMs: config.get('group.initial.rebalance.delay.ms'),
    maxSize: config.get('group.max.size'),
    offsetMetadataMaxBytes: config.get('offset.metadata.max.bytes'),
    offsetsRetentionMs: config.get('offsets.retention.minutes') * 60_000,
    offsetsRetentionCheckIntervalMs: config.get('offsets.retention.check.interval.ms'),
  }
}

function producerLimitsOf(config: BrokerConfig): ProducerLimits {
  return {
    ...defaultProducerLimits,
    // It may change while we run.
    get expirationMs() {
      return config.get('producer.id.expiration.ms')
    },
  }
}

const MiB = 1024 * 1024

function limitsOf(config: BrokerConfig): BrokerLimits {
  const requestBytes = config.get('socket.request.max.bytes')
  const queuedBytes = config.get('queued.max.request.bytes')
  return {
    requestBytes,
    // One request of the largest size must always fit.
    connectionBytesInFlight: Math.max(64 * MiB, requestBytes),
    bytesInFlight: Math.max(queuedBytes > 0 ? queuedBytes : 256 * MiB, requestBytes),
    fetchBytes: config.get('fetch.max.bytes'),
    // These may change while we run.
    get connections() {
      return config.get('max.connections')
    },
    get connectionsPerAddress() {
      return config.get('max.connections.per.ip')
    },
    idleMs: config.get('connections.max.idle.ms'),
    fetchSessions: config.get('max.incremental.fetch.session.cache.slots'),
  }
}
