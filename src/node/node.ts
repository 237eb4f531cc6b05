import { Broker } from '../broker/broker.ts'
import { ReplicaManager } from '../broker/replica-manager.ts'
import type { Services } from '../broker/services.ts'
import { showAddress } from '../client/address.ts'
import { CommittedMetadata } from '../cluster/committed.ts'
import { ControllerClient, sureMsOf } from '../cluster/controller-client.ts'
import { bootstrapRecords } from '../cluster/features.ts'
import { ForwardingController } from '../cluster/forwarding.ts'
import { BrokerLifecycle } from '../cluster/lifecycle.ts'
import { readBootstrap } from '../cluster/orderer/bootstrap.ts'
import type { Orderer } from '../cluster/orderer/orderer.ts'
import type { Peers } from '../cluster/peers.ts'
import { controllerSettings } from '../cluster/settings.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import { GroupCoordinator, offsetsTopic } from '../groups/coordinator.ts'
import { LogManager } from '../log/log-manager.ts'
import type { Partition } from '../replication/partition.ts'
import { Replicas } from '../replication/replicas.ts'
import { isAlone } from '../replication/role.ts'
import type { Volume } from '../store/store.ts'
import type { Address } from '../world/world.ts'
import { addressBook } from './address-book.ts'
import { compareClocks } from './clock-check.ts'
import { doorAddress, LazyDoors } from './doors.ts'
import { LazyPeers } from './lazy-peers.ts'
import { LazyShares } from './lazy-shares.ts'
import { LeaderWatch } from './leader-watch.ts'
import { Listeners } from './listeners.ts'
import { findMembership, type Membership } from './membership.ts'
import { OffsetsTopic } from './offsets-topic.ts'
import type { NodeOptions, RunningNode } from './options.ts'
import { ordererOf } from './orderer.ts'
import { producerIds } from './producer-ids.ts'
import { type QuorumService, quorumService } from './quorum.ts'
import { registrationOf } from './registration.ts'
import { replication } from './replication.ts'
import { brokerLimits, groupConfig, producerLimits } from './settings.ts'
import { Suspicion } from './suspicion.ts'
import { topicLookup } from './topic-lookup.ts'
import { openVolume } from './volume.ts'

/** ms that a stopping node gives its connections to take their answers. */
const drainMs = 5000
/** ms that what is asked over HTTP or gRPC gets to end, before Kafka's clients get theirs. */
const doorsMs = 3000
/** ms that others get to take over what a stopping node leads. */
const leaveMs = 3000

/** A node and everything in it, from its volume to its sockets: made here, and nowhere else. */
export class Node implements RunningNode {
  readonly nodeId: number
  readonly clusterId: string
  readonly joinToken: string
  readonly failed: Promise<never>
  readonly #options: NodeOptions
  readonly #volume: Volume
  readonly #listeners: Listeners
  readonly #membership: Membership
  readonly #config: BrokerConfig
  readonly #logs: LogManager
  readonly #replicas = new Replicas()
  readonly #metadata = new CommittedMetadata()
  readonly #peers: Peers
  readonly #orderer: Orderer
  readonly #quorum: QuorumService
  readonly #local: ControllerClient
  readonly #controller: ForwardingController
  readonly #lifecycle: BrokerLifecycle
  readonly #suspicion: Suspicion
  readonly #copying: ReturnType<typeof replication>
  readonly #groups: GroupCoordinator
  readonly #shares: LazyShares
  readonly #broker: Broker
  readonly #doors: LazyDoors
  #replicaManager: ReplicaManager | null = null
  #leaderWatch: LeaderWatch | null = null
  #serves = false
  #fail: (error: Error) => void = () => {}
  #stopping: Promise<void> | null = null

  /** Rejects with a sentence that says what is wrong. */
  static async open(options: NodeOptions): Promise<Node> {
    const volume = await openVolume(options)
    let listeners: Listeners | null = null
    try {
      listeners = await Listeners.bind(options.world, options.config)
      const openOrderer = await ordererOf(options)
      return new Node(options, volume, listeners, await findMembership(options, volume, listeners), openOrderer)
    } catch (error) {
      await listeners?.close()
      await volume.close()
      throw error
    }
  }

  private constructor(
    options: NodeOptions,
    volume: Volume,
    listeners: Listeners,
    membership: Membership,
    openOrderer: Awaited<ReturnType<typeof ordererOf>>,
  ) {
    const { world, logger, config: resolved } = options
    const { clock, timers, random } = world
    this.failed = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.failed.catch(() => {})
    this.#options = options
    this.#volume = volume
    this.#listeners = listeners
    this.#membership = membership
    this.#config = resolved.config
    this.nodeId = membership.meta.nodeId
    this.clusterId = membership.meta.clusterId
    this.joinToken = membership.token
    const failed = (error: Error) => this.#diskFailed(error)
    this.#logs = LogManager.open(volume, world, logger, {
      retentionCheckMs: this.#config.get('log.retention.check.interval.ms'),
      checkpointMs: this.#config.get('log.flush.offset.checkpoint.interval.ms'),
      producerCheckMs: this.#config.get('producer.id.expiration.check.interval.ms'),
      producerLimits: producerLimits(this.#config),
      committed: log => this.#replicas.find(log.topicPartition.topic, log.topicPartition.partition)?.highWatermark ?? 0,
      failed,
    })
    const { state } = this.#metadata
    const addresses = addressBook(state, () => this.#orderer, membership.known)
    this.#peers = new LazyPeers({
      world,
      logger,
      clientId: `ottla-node-${this.nodeId}`,
      clusterId: this.clusterId,
      addresses,
      // Nodes that have all moved find each other where the user says that some are.
      lastResort: () => (this.#serves ? [] : membership.seeds),
      token: membership.token,
      requestTimeoutMs: this.#config.get('controller.quorum.request.timeout.ms'),
    })
    const endpoints = listeners.registered(() => this.#ownAddress())
    this.#orderer = openOrderer({ options, volume, membership, peers: this.#peers, endpoints, failed })
    this.#quorum = quorumService(this.#orderer, state, this.clusterId, options)
    this.#local = new ControllerClient({
      orderer: this.#orderer,
      sureMs: sureMsOf(this.#config.get('orderer'), this.#config.get('controller.quorum.fetch.timeout.ms')),
      settings: controllerSettings(this.#config, { ...membership.meta, incarnationId: membership.incarnationId }),
      bootstrap: readBootstrap(volume) ?? bootstrapRecords(),
      snapshotBytes: this.#config.get('metadata.log.max.record.bytes.between.snapshots'),
      observer: this.#metadata,
      onLead: epoch => {
        if (epoch !== null) this.#suspicion.suspectAll(this.nodeId)
      },
      clock,
      timers,
      random,
      logger,
    })
    const [orderer, local, peers, metadata] = [this.#orderer, this.#local, this.#peers, this.#metadata]
    this.#controller = new ForwardingController({ nodeId: this.nodeId, orderer, local, peers, metadata, clock, timers })
    this.#suspicion = new Suspicion(state, local, peers, logger)
    this.#lifecycle = this.#newLifecycle()
    this.#copying = replication({
      nodeId: this.nodeId,
      brokerEpoch: () => this.#lifecycle.brokerEpoch,
      cluster: state,
      controller: this.#controller,
      peers,
      config: this.#config,
      world,
      logger,
    })
    this.#groups = new GroupCoordinator({
      config: groupConfig(this.#config),
      partitionCount: () =>
        state.topics.get(offsetsTopic)?.partitions.length ?? this.#config.get('offsets.topic.num.partitions'),
      topics: topicLookup(state),
      isSuccessorRuledOut: () => this.#lifecycle.isHeard,
      clock,
      timers,
      random,
      logger,
    })
    this.#shares = new LazyShares({
      nodeId: this.nodeId,
      cluster: state,
      controller: this.#controller,
      peers,
      replicas: this.#replicas,
      config: this.#config,
      world,
      logger,
      isSuccessorRuledOut: () => this.#lifecycle.isHeard,
      accept: socket => this.#broker.accept(socket),
      addresses: () => listeners.registered(() => this.#ownAddress()),
    })
    this.#broker = this.#newBroker()
    this.#doors = this.#newDoors()
    this.#broker.doors = this.#doors
    if (!this.#config.get('doors').includes('kafka')) this.#broker.serveNodesOnly()
    options.inspect?.({ nodeId: this.nodeId, metadata, orderer, replicas: this.#replicas, volume })
  }

  async start(): Promise<void> {
    const broker = this.#broker
    // Before we can serve anybody others must be able to reach us: they may have to vote for one of us first.
    broker.closeGate()
    broker.adopt(this.#listeners.serve((socket, door) => broker.accept(socket, door)))
    this.#peers.onLost(node => this.#suspicion.suspect(node))
    compareClocks(this.#metadata, this.#membership, this.#options.world.clock, this.#options.logger)
    await this.#unlessFailed(this.#orderer.start())
    this.#watchLeader()
    await this.#unlessFailed(this.#lifecycle.register(this.#membership.brokerEpoch))
    this.#openReplicas()
    await this.#unlessFailed(this.#allCommitted())
    await this.#unlessFailed(this.#lifecycle.serve())
    this.#serves = true
    broker.openGate()
  }

  /** An orderer outside of the cluster says by itself whom it misses. */
  #watchLeader(): void {
    const { world, logger } = this.#options
    if (this.#stopping !== null || this.#config.get('orderer') !== 'raft') return
    const [nodeId, orderer, peers] = [this.nodeId, this.#orderer, this.#peers]
    this.#leaderWatch = new LeaderWatch({ nodeId, orderer, peers, timers: world.timers, logger })
  }

  /** What the metadata says from our registration on; before it spoke of our former self. */
  #openReplicas(): void {
    const { logger } = this.#options
    const events = {
      leads: (partition: Partition) => {
        if (partition.topic === offsetsTopic) void this.#groups.lead(partition.index, partition, partition.leaderEpoch)
        this.#shares.leads(partition)
      },
      resigns: (partition: Partition) => {
        if (partition.topic === offsetsTopic) this.#groups.resign(partition.index)
        this.#shares.resigns(partition)
      },
      deleted: (topics: readonly string[]) => {
        void this.#groups.topicsDeleted(topics)
        this.#shares.deleted(topics)
        for (const topic of topics) this.#broker.metrics.forgetTopic(topic)
      },
    }
    const manager = new ReplicaManager(
      this.nodeId,
      this.#logs,
      this.#replicas,
      this.#config,
      logger,
      events,
      this.#copying,
    )
    this.#replicaManager = manager
    manager.load(this.#metadata.state)
    this.#metadata.subscribe(manager)
  }

  /** After a crash, until what it left in the page cache only is safe: nobody shall find a log shorter than it was. */
  async #allCommitted(): Promise<void> {
    const waiting: Promise<unknown>[] = []
    for (const partition of this.#replicas.all()) {
      const { logEndOffset } = partition.log
      if (isAlone(partition.role, this.nodeId) && partition.highWatermark < logEndOffset)
        waiting.push(new Promise(resolve => partition.whenCommitted(logEndOffset, resolve)))
    }
    await Promise.all(waiting)
  }

  get addresses(): readonly Address[] {
    return this.#listeners.addresses
  }

  get port(): number {
    return this.#listeners.port
  }

  get bootstrap(): string {
    return this.#listeners.bootstrap
  }

  get joinAddress(): string {
    return this.#listeners.registered(() => this.#ownAddress()).map(showAddress)[0] ?? ''
  }

  #ownAddress(): string {
    return this.#membership.ownHost ?? this.#options.world.net.addresses()[0] ?? '127.0.0.1'
  }

  #newLifecycle(): BrokerLifecycle {
    const { world, logger, config } = this.#options
    const { meta, incarnationId } = this.#membership
    return new BrokerLifecycle({
      nodeId: this.nodeId,
      incarnationId,
      controller: this.#controller,
      metadata: this.#metadata,
      wholeAsOf: () => this.#orderer.wholeAsOf(),
      registration: () =>
        registrationOf(
          config,
          this.#listeners,
          this.clusterId,
          meta.directoryId,
          () => this.#ownAddress(),
          this.#volume,
        ),
      clock: world.clock,
      timers: world.timers,
      logger,
      heartbeatMs: this.#config.get('broker.heartbeat.interval.ms'),
      sessionMs: this.#config.get('broker.session.timeout.ms'),
      registrationMs: this.#config.get('initial.broker.registration.timeout.ms'),
      failed: error => this.#excluded(error),
    })
  }

  #newBroker(): Broker {
    const { world, logger, config: resolved } = this.#options
    const offsets = new OffsetsTopic(this.#metadata.state, this.#config, this.#controller)
    const services: Services = {
      nodeId: this.nodeId,
      clusterId: this.clusterId,
      config: this.#config,
      cluster: this.#metadata.state,
      controller: this.#controller,
      orderer: this.#orderer,
      quorum: () => this.#quorum.quorum(),
      peers: this.#peers,
      createOffsetsTopic: () => offsets.make(),
      replicas: this.#replicas,
      groups: this.#groups,
      leases: this.#shares,
      producerIds: producerIds(this.#controller, this.nodeId, () => this.#lifecycle.brokerEpoch),
      volume: this.#volume,
      logCounters: this.#logs.counters,
      dataDirectory: resolved.dataDirectory ?? 'memory',
      joinToken: () => this.joinToken,
      leader: () => this.#orderer.leader()?.id ?? null,
      suspect: broker => this.#suspicion.suspect(broker),
      listenerName: port => this.#listeners.nameOf(port),
      advertised: this.#listeners.advertised,
    }
    return new Broker(world, logger, brokerLimits(this.#config), services, { ...services, controller: this.#local })
  }

  #newDoors(): LazyDoors {
    const { world, logger, config: resolved } = this.#options
    const [broker, listeners] = [this.#broker, this.#listeners]
    return new LazyDoors({
      world,
      logger,
      config: resolved.config,
      nodeId: this.nodeId,
      clusterId: this.clusterId,
      server: broker,
      broker,
      proxy: null,
      leases: async () => (await this.#shares.open()).shares,
      addresses: () => listeners.registered(() => this.#ownAddress()),
      hosts: listeners.hosts,
      leader: () => this.#orderer.leader()?.id ?? null,
      doorPort: door => listeners.doorPort(door),
      httpAddress: nodeId => doorAddress(this.#metadata.state, nodeId, 'http'),
    })
  }

  #unlessFailed<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.failed])
  }

  /** After a failed sync nobody knows what is on the disk: nothing may be acknowledged or marked clean any more. */
  #diskFailed(error: Error): void {
    if (this.#stopping !== null) return
    this.#stopping = Promise.resolve()
    this.#options.logger.error('the disk can no longer be trusted; the node stops', { error: error.message })
    this.#leaderWatch?.stop()
    this.#lifecycle.stop()
    this.#controller.stop()
    this.#local.stop()
    this.#peers.close()
    this.#broker.abort()
    this.#fail(error)
    // An orderer elsewhere would keep the process, and the lead, which others could have at once.
    void this.#orderer.close().catch(() => {})
  }

  /** The cluster goes on without us. What we have is safe, but it is not ours to serve any more. */
  #excluded(error: Error): void {
    if (this.#stopping !== null) return
    this.#options.logger.error('this node is no part of the cluster any more; it stops', { error: error.message })
    this.#broker.abort()
    this.#fail(error)
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    await this.#doors.close(doorsMs)
    this.#leaderWatch?.stop()
    if (this.#config.get('controlled.shutdown.enable')) await this.#lifecycle.leave(leaveMs)
    await this.#orderer.resign()
    this.#lifecycle.stop()
    await this.#broker.drain(drainMs, () => {
      this.#groups.stop()
      this.#shares.stop()
    })
    this.#replicaManager?.stop()
    this.#copying.stop()
    this.#controller.stop()
    this.#local.stop()
    this.#quorum.stop()
    await this.#orderer.close()
    this.#peers.close()
    await this.#logs.close(this.#lifecycle.brokerEpoch)
  }
}
