import type { Broker, Cluster } from '../../client/cluster.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { FindCoordinator } from '../../protocol/messages/find-coordinator.ts'
import { Metadata } from '../../protocol/messages/metadata.ts'
import type { ResponseOutput } from '../../protocol/schema.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'

/** A topic as a request names it: by name, or by id since some versions (KIP-516). The other one is '' or zero. */
export interface TopicKey {
  readonly name: string
  readonly topicId: string
}

export type CoordinatorKind = 'group' | 'transaction'
const kinds: readonly CoordinatorKind[] = ['group', 'transaction']

interface KnownTopic {
  readonly name: string
  readonly topicId: string
  /** By partition. −1: nobody leads it. */
  readonly leaders: number[]
  /** −1: not told. */
  readonly epochs: number[]
}

export interface DirectoryLimits {
  /** Partitions whose leaders are remembered. */
  readonly partitions: number
  /** Groups and transactional ids whose coordinators are remembered. */
  readonly coordinators: number
}

const defaultLimits: DirectoryLimits = { partitions: 200_000, coordinators: 20_000 }

const idOf = ({ name, topicId }: TopicKey): string => (topicId === ZERO_UUID ? `name ${name}` : `id ${topicId}`)

/**
 * Who leads and who coordinates what, for everybody who comes through this gateway. It hears of changes mostly from what
 * clients ask anyway: whoever is sent away looks for the new leader through the same gateway. Being wrong costs one more
 * request, as it costs any client.
 */
export class Directory {
  readonly #cluster: Cluster
  readonly limits: DirectoryLimits
  readonly #byName = new Map<string, KnownTopic>()
  readonly #byId = new Map<string, KnownTopic>()
  readonly #coordinators = new Map<string, number>()
  readonly #asked = new Map<string, Promise<void>>()
  #partitions = 0
  #brokers: ReadonlyMap<number, Broker> = new Map()
  #refreshing: Promise<boolean> | null = null
  #controllerId = -1
  #clusterId: string | null = null
  #heard = Number.NEGATIVE_INFINITY

  constructor(cluster: Cluster, limits: Partial<DirectoryLimits> = {}) {
    this.#cluster = cluster
    this.limits = { ...defaultLimits, ...limits }
  }

  get brokers(): ReadonlyMap<number, Broker> {
    return this.#brokers
  }

  /** −1: not known. */
  get controllerId(): number {
    return this.#controllerId
  }

  get clusterId(): string | null {
    return this.#clusterId
  }

  /** Monotonic ms of the last word from the cluster. */
  get heard(): number {
    return this.#heard
  }

  /** Partitions and coordinators that are remembered. */
  get size(): { readonly partitions: number; readonly coordinators: number } {
    return { partitions: this.#partitions, coordinators: this.#coordinators.size }
  }

  /** Null: it must be looked up. −1: nobody leads it, or it does not exist. */
  leader(topic: TopicKey, partition: number): number | null {
    const known = this.#known(topic)
    return known === undefined ? null : (known.leaders[partition] ?? -1)
  }

  /** By partition; −1: nobody leads it. Null: the topic is not known. */
  leaders(topic: TopicKey): readonly number[] | null {
    return this.#known(topic)?.leaders ?? null
  }

  knows(topic: TopicKey): boolean {
    return this.#known(topic) !== undefined
  }

  /** Asks for topics that are not known. Fulfilled also when there are none, or nobody answers. */
  async lookUp(topics: readonly TopicKey[]): Promise<void> {
    const unknown = topics.filter(topic => !this.knows(topic))
    const fresh = unknown.filter(topic => !this.#asked.has(idOf(topic)))
    if (fresh.length > 0) {
      const asking = this.#ask(fresh).finally(() => {
        for (const topic of fresh) this.#asked.delete(idOf(topic))
      })
      for (const topic of fresh) this.#asked.set(idOf(topic), asking)
    }
    await Promise.all(unknown.map(topic => this.#asked.get(idOf(topic))))
  }

  async #ask(topics: readonly TopicKey[]): Promise<void> {
    const byId = topics.filter(({ topicId }) => topicId !== ZERO_UUID)
    const byName = topics.filter(({ topicId }) => topicId === ZERO_UUID)
    const questions = [
      byName.map(({ name }) => ({ name, topicId: ZERO_UUID })),
      byId.map(({ topicId }) => ({ name: null, topicId })),
    ]
    await Promise.all(questions.filter(asked => asked.length > 0).map(asked => this.#metadata(asked)))
  }

  async #metadata(topics: { name: string | null; topicId: string }[]): Promise<boolean> {
    try {
      const body = { topics, allowAutoTopicCreation: false }
      this.learn(await this.#cluster.retry(async () => (await this.#cluster.any()).request(Metadata, body)))
      return true
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return false
    }
  }

  /** Asks who is there. False: nobody answers. Together with whoever asks meanwhile. */
  refresh(): Promise<boolean> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = null
    })
    return this.#refreshing
  }

  async #refresh(): Promise<boolean> {
    try {
      // By its own call, so that the client finds the cluster also when the nodes have gone that it began with.
      const { brokers, controllerId, clusterId } = await this.#cluster.metadata([])
      this.#heardOf(brokers, controllerId, clusterId)
      return true
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return false
    }
  }

  #heardOf(brokers: readonly Broker[], controllerId: number, clusterId: string | null): void {
    if (brokers.length === 0) return
    this.#brokers = new Map(brokers.map(broker => [broker.nodeId, broker]))
    // Old versions do not tell.
    if (controllerId >= 0) this.#controllerId = controllerId
    if (clusterId !== null) this.#clusterId = clusterId
    this.#heard = this.#cluster.world.clock.mono()
  }

  /** What a node answered, to us or to a client. */
  learn(answer: Pick<ResponseOutput<typeof Metadata>, 'brokers' | 'controllerId' | 'clusterId' | 'topics'>): void {
    this.#heardOf(answer.brokers, answer.controllerId, answer.clusterId)
    for (const { errorCode, name, topicId, partitions } of answer.topics) {
      if (name === null) continue
      if (errorCode === 0) this.#learnTopic(name, topicId, partitions)
      else this.forget({ name, topicId: ZERO_UUID })
    }
  }

  #learnTopic(
    name: string,
    topicId: string,
    partitions: ResponseOutput<typeof Metadata>['topics'][number]['partitions'],
  ): void {
    const before = this.#byName.get(name)
    // Old versions tell no ids; a topic that was made anew has another one.
    const same = before !== undefined && (topicId === ZERO_UUID || topicId === before.topicId) ? before : null
    const topic: KnownTopic = { name, topicId: same?.topicId ?? topicId, leaders: [], epochs: [] }
    for (const { partitionIndex: index, leaderId, leaderEpoch } of partitions) {
      if (index < 0 || index >= partitions.length) continue
      // Nodes hear of new leaders one after the other: what is older than what is known is no news.
      const older = same !== null && leaderEpoch >= 0 && (same.epochs[index] ?? -1) > leaderEpoch
      topic.leaders[index] = older ? same.leaders[index]! : leaderId
      topic.epochs[index] = older ? same.epochs[index]! : leaderEpoch
    }
    if (before !== undefined) this.#drop(before)
    this.#byName.set(name, topic)
    if (topic.topicId !== ZERO_UUID) this.#byId.set(topic.topicId, topic)
    this.#partitions += topic.leaders.length
    for (const oldest of this.#byName.values()) {
      if (this.#partitions <= this.limits.partitions || oldest === topic) break
      this.#drop(oldest)
    }
  }

  /** The next look at this topic asks the cluster. */
  forget(topic: TopicKey): void {
    const known = this.#known(topic)
    if (known !== undefined) this.#drop(known)
  }

  #drop(topic: KnownTopic): void {
    this.#byName.delete(topic.name)
    this.#byId.delete(topic.topicId)
    this.#partitions -= topic.leaders.length
  }

  #known({ name, topicId }: TopicKey): KnownTopic | undefined {
    return topicId === ZERO_UUID ? this.#byName.get(name) : this.#byId.get(topicId)
  }

  /** Somebody who was taken for the leader has told who leads now (KIP-951), or that it does not know. */
  leaderMoved(topic: TopicKey, partition: number, leader: { leaderId: number; leaderEpoch: number } | null): void {
    const known = this.#known(topic)
    if (known === undefined) return
    const isNews = leader !== null && leader.leaderId >= 0 && leader.leaderEpoch > (known.epochs[partition] ?? -1)
    if (!isNews || known.leaders[partition] === undefined || !this.#brokers.has(leader.leaderId)) {
      this.#drop(known)
      return
    }
    known.leaders[partition] = leader.leaderId
    known.epochs[partition] = leader.leaderEpoch
  }

  /** Null: it must be looked up. */
  coordinator(kind: CoordinatorKind, key: string): number | null {
    return this.#coordinators.get(`${kind} ${key}`) ?? null
  }

  /** −1: there is none now, or nobody says. */
  async findCoordinator(kind: CoordinatorKind, key: string): Promise<number> {
    const known = this.coordinator(kind, key)
    if (known !== null) return known
    const keyType = kinds.indexOf(kind)
    try {
      const answer = await (await this.#cluster.any()).request(FindCoordinator, version =>
        version < 4 ? { key, ...(keyType > 0 ? { keyType } : {}) } : { keyType, coordinatorKeys: [key] },
      )
      this.learnCoordinators(keyType, key, answer)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
    }
    return this.coordinator(kind, key) ?? -1
  }

  /** What a node answered, to us or to a client. `key`: of a request that could name only one. */
  learnCoordinators(keyType: number, key: string, answer: ResponseOutput<typeof FindCoordinator>): void {
    const kind = kinds[keyType]
    if (kind === undefined) return
    const found = answer.coordinators.length > 0 ? answer.coordinators : [{ ...answer, key }]
    for (const { key: name, nodeId, errorCode } of found) {
      const known = `${kind} ${name}`
      this.#coordinators.delete(known)
      if (errorCode === 0 && nodeId >= 0) this.#coordinators.set(known, nodeId)
    }
    for (const oldest of this.#coordinators.keys()) {
      if (this.#coordinators.size <= this.limits.coordinators) break
      this.#coordinators.delete(oldest)
    }
  }

  forgetCoordinator(kind: CoordinatorKind, key: string): void {
    this.#coordinators.delete(`${kind} ${key}`)
  }
}
