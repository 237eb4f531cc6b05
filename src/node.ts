import { Broker, type BrokerLimits } from './broker/broker.ts'
import { ProducerIds } from './broker/producer-ids.ts'
import { ReplicaManager } from './broker/replica-manager.ts'
import { type ControllerSettings, newUuid } from './cluster/commands/context.ts'
import { CommittedMetadata } from './cluster/committed.ts'
import { ControllerClient } from './cluster/controller-client.ts'
import { bootstrapRecords, supportedFeatures } from './cluster/features.ts'
import { LocalOrderer } from './cluster/orderer/local.ts'
import { roundRobin } from './cluster/placement/round-robin.ts'
import type { BrokerConfig } from './config/broker-config.ts'
import { describeTopic } from './config/describe.ts'
import { configSchema } from './config/schema.ts'
import type { ResolvedConfig } from './config/sources.ts'
import { defaultGroupConfig, type GroupConfig } from './groups/config.ts'
import { GroupCoordinator, offsetsTopic } from './groups/coordinator.ts'
import { LogManager } from './log/log-manager.ts'
import { ErrorCode, errorName, KafkaError } from './protocol/errors.ts'
import { Replicas } from './replication/replicas.ts'
import { MemoryVolume } from './store/memory.ts'
import type { Volume } from './store/store.ts'
import type { Logger } from './world/logger.ts'
import type { Address, World } from './world/world.ts'

export interface NodeOptions {
  readonly config: ResolvedConfig
  readonly world: World
  readonly logger: Logger
  /** Stable storage can no longer be promised; the node has closed all connections and must not go on. */
  readonly onFatal?: (error: Error) => void
}

export interface RunningNode {
  /** `host:port` for clients on this machine. */
  readonly bootstrap: string
  readonly addresses: readonly Address[]
  readonly port: number
  readonly nodeId: number
  readonly clusterId: string
  /** Answers what is in flight, writes everything down, marks the data as clean. */
  stop(): Promise<void>
}

/** ms that a stopping node gives its connections to take their answers. */
const drainMs = 5000

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
  #brokerEpoch = -1
  #offsetsTopic: Promise<void> | null = null
  #stopping: Promise<void> | null = null

  static async open(options: NodeOptions): Promise<Node> {
    const { world } = options
    return new Node(options, new MemoryVolume(world.timers))
  }

  constructor(options: NodeOptions, volume: Volume) {
    const { world, logger, config: resolved } = options
    const { clock, timers, random } = world
    this.#options = options
    this.#volume = volume
    this.#config = resolved.config
    this.nodeId = Math.max(1, this.#config.get('node.id'))
    this.clusterId = this.#config.get('cluster.id') ?? newUuid(random)
    const failed = (error: Error) => this.#fatal(error)
    this.#logs = LogManager.open(volume, world, logger, {
      retentionCheckMs: this.#config.get('log.retention.check.interval.ms'),
      committed: log => this.#replicas.find(log.topicPartition.topic, log.topicPartition.partition)?.highWatermark ?? 0,
      failed,
    })
    const voter = { id: this.nodeId, directoryId: newUuid(random), endpoints: [] }
    this.#orderer = new LocalOrderer({ volume, world, logger, voter, failed })
    this.#controller = new ControllerClient({
      orderer: this.#orderer,
      settings: controllerSettings(this.clusterId, this.#config),
      bootstrap: bootstrapRecords(),
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
      advertised: new Map(),
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
        deleted: topics => void this.#groups.topicsDeleted(topics),
      },
    )
    replicaManager.load(this.#metadata.state)
    this.#metadata.subscribe(replicaManager)
    await this.#register()
    const addresses: Address[] = []
    for (const endpoint of this.#options.config.endpoints) addresses.push(await this.#broker.listen(endpoint))
    this.addresses = addresses
  }

  async #register(): Promise<void> {
    const { random } = this.#options.world
    const { errorCode, brokerEpoch } = await this.#controller.ask('registerBroker', {
      brokerId: this.nodeId,
      clusterId: this.clusterId,
      incarnationId: newUuid(random),
      listeners: [],
      features: [],
      rack: this.#config.get('broker.rack'),
      logDirs: [],
      previousBrokerEpoch: this.#volume.previousBrokerEpoch,
    })
    if (errorCode !== ErrorCode.NONE) throw new Error(`the node could not register itself: ${errorName(errorCode)}`)
    this.#brokerEpoch = brokerEpoch ?? -1
  }

  get port(): number {
    return this.addresses[0]?.port ?? 0
  }

  get bootstrap(): string {
    const [address = { host: 'localhost', port: 0 }] = this.addresses
    const host = /^(0\.0\.0\.0|::|)$/.test(address.host) ? 'localhost' : address.host
    return `${host.includes(':') ? `[${host}]` : host}:${address.port}`
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
    this.#options.onFatal?.(error)
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    await this.#broker.drain(drainMs, () => this.#groups.stop())
    this.#controller.stop()
    await this.#orderer.close()
    await this.#logs.close()
  }
}

function controllerSettings(clusterId: string, config: BrokerConfig): ControllerSettings {
  return {
    clusterId,
    schema: configSchema,
    placement: roundRobin,
    get numPartitions() {
      return config.get('num.partitions')
    },
    get defaultReplicationFactor() {
      return config.get('default.replication.factor')
    },
    get deleteTopicEnable() {
      return config.get('delete.topic.enable')
    },
    supportedFeatures,
    describeTopic: own => describeTopic(own, config),
  }
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

const MiB = 1024 * 1024

function limitsOf(config: BrokerConfig): BrokerLimits {
  const requestBytes = config.get('socket.request.max.bytes')
  return {
    requestBytes,
    // One request of the largest size must always fit.
    connectionBytesInFlight: Math.max(64 * MiB, requestBytes),
    bytesInFlight: Math.max(256 * MiB, requestBytes),
    fetchBytes: config.get('fetch.max.bytes'),
    connections: config.get('max.connections'),
    connectionsPerAddress: config.get('max.connections.per.ip'),
    idleMs: config.get('connections.max.idle.ms'),
    fetchSessions: config.get('max.incremental.fetch.session.cache.slots'),
  }
}
