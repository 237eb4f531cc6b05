import { ErrorCode, KafkaError } from '../protocol/errors.ts'
import { FindCoordinator } from '../protocol/messages/find-coordinator.ts'
import { Metadata } from '../protocol/messages/metadata.ts'
import type { Api, Fields, FieldsOut } from '../protocol/schema.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import type { Address } from '../world/world.ts'
import { showAddress } from './address.ts'
import { type Body, Connection, type RequestOptions } from './connection.ts'
import { failure, isPassing, isStale, mayRetry, throwIf } from './failures.ts'
import { type ClientOptions, type ClientWorld, defaultClientOptions } from './options.ts'
import { retry } from './retry.ts'

export interface Broker extends Address {
  readonly nodeId: number
  readonly rack: string | null
}

export interface PartitionMetadata {
  readonly partition: number
  /** −1: there is none at the moment. */
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

/** What a broker says of a partition that it does not lead. */
export interface LeaderHint {
  /** −1: it does not know. */
  readonly leaderId: number
  readonly leaderEpoch: number
}

export interface TopicMetadata {
  readonly name: string
  readonly topicId: string
  readonly isInternal: boolean
  /** In order of their numbers. */
  readonly partitions: readonly PartitionMetadata[]
}

export interface ClusterMetadata {
  readonly clusterId: string | null
  /** −1: not known. */
  readonly controllerId: number
  readonly brokers: readonly Broker[]
  readonly topics: readonly TopicMetadata[]
}

export type CoordinatorType = 'group' | 'transaction' | 'share'
const coordinatorTypes: readonly CoordinatorType[] = ['group', 'transaction', 'share']

/** Coordinators that are remembered. */
const mostCoordinators = 1_000

/** Version of Metadata before which a reassignment made brokers tell epochs that were too old (KAFKA-9212). */
const firstWithSureEpochs = 9

type MetadataAnswer = FieldsOut<typeof Metadata.response.fields>

/** What is known of a topic, and when it was heard (monotonic ms). */
interface Known {
  readonly topic: TopicMetadata
  readonly at: number
}

/** A Kafka cluster as its clients see it: who leads what, one connection to each broker, and patience. */
export class Cluster {
  readonly world: ClientWorld
  readonly options: ClientOptions
  readonly #connections = new Map<string, Promise<Connection>>()
  /** Of these, those that are open, in the order in which they were. */
  readonly #open = new Set<Connection>()
  readonly #topics = new Map<string, Known>()
  readonly #asked = new Map<string, Promise<TopicMetadata>>()
  /** The last that were looked up: of a gateway's clients anybody chooses the keys. */
  readonly #coordinators = new Map<string, number>()
  #brokers = new Map<number, Broker>()
  /** Where brokers were that have been told of once: who knows less of a leader may not know where it is, either. */
  readonly #former = new Map<number, Broker>()
  #controllerId = -1
  /** Who gave metadata last, and whose metadata led astray last: others are rather asked then, who may know more. */
  #informant: Connection | null = null
  #misled: Connection | null = null
  #closed = false

  constructor(world: ClientWorld, options: Partial<ClientOptions> & Pick<ClientOptions, 'bootstrap'>) {
    if (options.bootstrap.length === 0) throw new RangeError('a client needs the address of at least one broker')
    this.world = world
    this.options = { ...defaultClientOptions, ...options }
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Closes all connections; calls under way fail. */
  close(): void {
    this.#closed = true
    for (const opening of this.#connections.values()) {
      opening.then(
        connection => connection.close(),
        () => {},
      )
    }
    this.#connections.clear()
    this.#open.clear()
  }

  /** Retries what can be retried, as patiently as the options say, and forgets metadata that led astray. */
  retry<T>(
    attempt: () => Promise<T>,
    about: readonly string[] = [],
    isWorthIt: (error: unknown) => boolean = mayRetry,
  ): Promise<T> {
    const failed = (error: unknown) => {
      if (isStale(error)) this.forget(about)
    }
    // A closed client fails for good.
    return retry(this.world, this.options, attempt, failed, error => !this.#closed && isWorthIt(error))
  }

  /** A connection to any broker: one that is open, else the first that can be reached. */
  async any(): Promise<Connection> {
    const open = [...this.#open]
    const chosen = open.find(connection => connection !== this.#misled) ?? open[0]
    if (chosen !== undefined) return chosen
    for (const opening of this.#connections.values()) {
      const connection = await opening.catch(() => null)
      if (connection !== null && !connection.closed) return connection
    }
    const addresses = [...this.#brokers.values(), ...this.options.bootstrap]
    const first = this.world.random.int(addresses.length)
    let last: unknown = null
    for (let i = 0; i < addresses.length; i++) {
      try {
        return await this.#connect(addresses[(first + i) % addresses.length]!)
      } catch (error) {
        last = error
      }
    }
    throw last
  }

  /** A connection to one broker. Throws NETWORK_EXCEPTION when it cannot be reached or is not known. */
  async broker(nodeId: number): Promise<Connection> {
    let broker = this.#brokers.get(nodeId)
    if (broker === undefined) {
      await this.metadata([])
      broker = this.#brokers.get(nodeId) ?? this.#former.get(nodeId)
    }
    if (broker === undefined) throw new KafkaError('NETWORK_EXCEPTION', `broker ${nodeId} is not in the cluster now`)
    return this.#connect(broker)
  }

  /** The connection for requests that change the cluster. */
  async controller(): Promise<Connection> {
    if (this.#controllerId < 0) await this.metadata([])
    if (this.#controllerId < 0) throw new KafkaError('NOT_CONTROLLER', 'the cluster has no controller now')
    return this.broker(this.#controllerId)
  }

  /** The connection to whoever coordinates a group, a transactional id or a share group. */
  async coordinator(type: CoordinatorType, key: string): Promise<Connection> {
    return this.broker(await this.#findCoordinator(type, key))
  }

  /** Sends a request to the coordinator of `key`, and looks for a new one when it moved. `code` finds errors in answers. */
  askCoordinator<Request extends Fields, Response extends Fields>(
    type: CoordinatorType,
    key: string,
    api: Api<Request, Response>,
    body: Body<Request>,
    code: (answer: FieldsOut<Response>) => number,
    options: RequestOptions = {},
  ): Promise<FieldsOut<Response>> {
    return this.retry(async () => {
      try {
        const connection = await this.coordinator(type, key)
        const answer = await connection.request(api, body, options)
        throwIf(code(answer), `${api.name} of ${key}`)
        return answer
      } catch (error) {
        this.forgetCoordinator(type, key, error)
        throw error
      }
    })
  }

  /** After an error that says so, the coordinator is looked up again. */
  forgetCoordinator(type: CoordinatorType, key: string, error: unknown): void {
    if (!(error instanceof KafkaError)) return
    const moved = ['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'NETWORK_EXCEPTION', 'REQUEST_TIMED_OUT']
    if (moved.includes(error.errorName)) this.#coordinators.delete(`${type} ${key}`)
  }

  /** Asks now, and remembers. `null`: all topics. Topics with an error are left out. */
  async metadata(topics: readonly string[] | null, allowAutoTopicCreation = false): Promise<ClusterMetadata> {
    const names = topics === null ? null : topics.map(name => ({ name }))
    const answer = await this.retry(() => this.#askMetadata({ topics: names, allowAutoTopicCreation }))
    return {
      clusterId: answer.clusterId,
      controllerId: answer.controllerId,
      brokers: answer.brokers,
      topics: answer.topics
        .filter(topic => topic.errorCode === 0)
        .map(topic => this.#topics.get(topic.name ?? '')?.topic ?? topicMetadata(topic)),
    }
  }

  /**
   * A topic's partitions and leaders, from memory when that is young enough. A missing topic is waited for as long as calls
   * are retried, and created where the broker does that by itself and `create` is set. Throws
   * UNKNOWN_TOPIC_OR_PARTITION, TOPIC_AUTHORIZATION_FAILED, INVALID_TOPIC_EXCEPTION.
   */
  topic(name: string, create = false): Promise<TopicMetadata> {
    return this.#soughtTopic(name, create, `wait ${name}`, mayRetry)
  }

  /** As `topic`, for whoever would rather hear at once that there is no such topic. */
  findTopic(name: string, create = false): Promise<TopicMetadata> {
    return this.#soughtTopic(name, create, `find ${create} ${name}`, isPassing)
  }

  /** One question for all who ask the same meanwhile. */
  async #soughtTopic(
    name: string,
    create: boolean,
    question: string,
    isWorthIt: (error: unknown) => boolean,
  ): Promise<TopicMetadata> {
    const known = this.knownTopic(name)
    if (known !== null) return known
    let asking = this.#asked.get(question)
    if (asking === undefined) {
      asking = this.retry(() => this.#askTopic(name, create), [], isWorthIt).finally(() => this.#asked.delete(question))
      this.#asked.set(question, asking)
    }
    return asking
  }

  /** What `topic` would give without asking; null when it would have to ask. */
  knownTopic(name: string): TopicMetadata | null {
    const known = this.#topics.get(name)
    if (known === undefined || this.world.clock.mono() - known.at >= this.options.metadataMaxAgeMs) return null
    return known.topic
  }

  /** The epoch in which a partition's leader leads, as far as that is known without asking; else −1. */
  leaderEpoch(topic: string, partition: number): number {
    return this.knownTopic(topic)?.partitions.find(each => each.partition === partition)?.leaderEpoch ?? -1
  }

  /** The leader's connection. Throws LEADER_NOT_AVAILABLE, UNKNOWN_TOPIC_OR_PARTITION. */
  async leader(topic: string, partition: number): Promise<Connection> {
    return this.broker(await this.leaderId(topic, partition))
  }

  async leaderId(topic: string, partition: number): Promise<number> {
    return this.leaderIn(await this.topic(topic), partition)
  }

  /** The leader, by what is known of the topic; throws as `leader`, and then the topic is looked up anew by whoever asks next. */
  leaderIn({ name, partitions }: TopicMetadata, partition: number): number {
    const found = partitions.find(each => each.partition === partition)
    if (found === undefined) {
      throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${name} has no partition ${partition}`)
    }
    if (found.leaderId < 0) {
      this.forget([name])
      throw new KafkaError('LEADER_NOT_AVAILABLE', `${name}-${partition} has no leader now`)
    }
    return found.leaderId
  }

  /** The next look at these topics asks the cluster; what is older than what was known is no news then, either. */
  forget(topics: readonly string[]): void {
    for (const name of topics) {
      const known = this.#topics.get(name)
      // Without ids one that was made anew looks as if it were the same.
      if (known?.topic.topicId === ZERO_UUID) this.#topics.delete(name)
      else if (known !== undefined) this.#topics.set(name, { ...known, at: Number.NEGATIVE_INFINITY })
    }
    this.#controllerId = -1
    this.#misled = this.#informant
  }

  /** There are no such topics any more. */
  deleted(topics: readonly string[]): void {
    for (const name of topics) this.#topics.delete(name)
  }

  /**
   * Somebody who was taken for the leader has told who leads now (KIP-951). True when that is news, so that it is worth
   * trying there at once.
   */
  leaderMoved(name: string, partition: number, leader: LeaderHint, endpoints: readonly Broker[]): boolean {
    const known = this.#topics.get(name)
    const before = known?.topic.partitions.find(each => each.partition === partition)
    const isNews = before !== undefined && leader.leaderId >= 0 && leader.leaderEpoch > before.leaderEpoch
    for (const broker of endpoints)
      if (isNews || !this.#brokers.has(broker.nodeId)) this.#brokers.set(broker.nodeId, broker)
    if (known === undefined || !isNews) return false
    if (!this.#brokers.has(leader.leaderId)) return false
    const partitions = known.topic.partitions.map(each => (each === before ? { ...each, ...leader } : each))
    this.#topics.set(name, { ...known, topic: { ...known.topic, partitions } })
    return true
  }

  async #askTopic(name: string, create: boolean): Promise<TopicMetadata> {
    const answer = await this.#askMetadata({ topics: [{ name }], allowAutoTopicCreation: create })
    throwIf(answer.topics.find(each => each.name === name)?.errorCode ?? 3, name)
    return this.#topics.get(name)!.topic
  }

  async #askMetadata(request: Body<typeof Metadata.request.fields>): Promise<MetadataAnswer> {
    const connection = await this.any()
    const answer = await connection.request(Metadata, request)
    this.#informant = connection
    this.#learn(answer, connection.versionOf(Metadata) >= firstWithSureEpochs)
    return answer
  }

  #learn(answer: MetadataAnswer, sureEpochs: boolean): void {
    for (const [nodeId, broker] of this.#brokers) this.#former.set(nodeId, broker)
    this.#brokers = new Map(answer.brokers.map(broker => [broker.nodeId, broker]))
    this.#controllerId = answer.controllerId
    const at = this.world.clock.mono()
    for (const each of answer.topics) {
      if (each.name === null) continue
      if (each.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) this.#topics.delete(each.name)
      if (each.errorCode !== 0) continue
      const topic = withoutReturn(topicMetadata(each, sureEpochs), this.#topics.get(each.name))
      this.#topics.set(each.name, { topic, at })
    }
  }

  async #findCoordinator(type: CoordinatorType, key: string): Promise<number> {
    const known = this.#coordinators.get(`${type} ${key}`)
    if (known !== undefined) return known
    const connection = await this.any()
    const keyType = coordinatorTypes.indexOf(type)
    const answer = await connection.request(FindCoordinator, version =>
      version < 4 ? { key, ...(keyType > 0 ? { keyType } : {}) } : { keyType, coordinatorKeys: [key] },
    )
    // From version 4 on one request finds several; before, the answer was the coordinator itself.
    const found = answer.coordinators[0] ?? { ...answer, errorMessage: answer.errorMessage }
    if (found.errorCode !== 0) throw failure(found.errorCode, `coordinator of ${key}`, found.errorMessage)
    const { nodeId, host, port } = found
    if (!this.#brokers.has(nodeId)) this.#brokers.set(nodeId, { nodeId, host, port, rack: null })
    if (this.#coordinators.size >= mostCoordinators) {
      for (const oldest of this.#coordinators.keys()) {
        this.#coordinators.delete(oldest)
        break
      }
    }
    this.#coordinators.set(`${type} ${key}`, nodeId)
    return nodeId
  }

  #connect(address: Address): Promise<Connection> {
    if (this.#closed) return Promise.reject(new KafkaError('NETWORK_EXCEPTION', 'the client is closed'))
    const name = showAddress(address)
    const known = this.#connections.get(name)
    if (known !== undefined) return known
    const opening = Connection.open(this.world, address, this.options)
    this.#connections.set(name, opening)
    const drop = () => {
      if (this.#connections.get(name) === opening) this.#connections.delete(name)
    }
    opening.then(connection => {
      connection.onClose(() => {
        this.#open.delete(connection)
        drop()
      })
      if (this.#closed) connection.close()
      else if (!connection.closed) this.#open.add(connection)
    }, drop)
    return opening
  }
}

/** Nodes hear of new leaders one after the other: what is older than what is known is no news. */
function withoutReturn(topic: TopicMetadata, known: Known | undefined): TopicMetadata {
  if (known?.topic.topicId !== topic.topicId) return topic
  const before = known.topic.partitions
  const isOld = (each: PartitionMetadata, i: number) =>
    before[i]?.partition === each.partition && each.leaderEpoch >= 0 && before[i].leaderEpoch > each.leaderEpoch
  if (!topic.partitions.some(isOld)) return topic
  return { ...topic, partitions: topic.partitions.map((each, i) => (isOld(each, i) ? before[i]! : each)) }
}

function topicMetadata(topic: MetadataAnswer['topics'][number], sureEpochs = true): TopicMetadata {
  const partitions = topic.partitions.map(each => ({
    partition: each.partitionIndex,
    leaderId: each.leaderId,
    leaderEpoch: sureEpochs ? each.leaderEpoch : -1,
    replicas: each.replicaNodes,
    isr: each.isrNodes,
  }))
  partitions.sort((a, b) => a.partition - b.partition)
  return { name: topic.name ?? '', topicId: topic.topicId, isInternal: topic.isInternal, partitions }
}
