import { setTimeout as sleep } from 'node:timers/promises'
import { parseAddresses } from '../../src/client/address.ts'
import { Admin } from '../../src/client/admin.ts'
import { Cluster, type PartitionMetadata } from '../../src/client/cluster.ts'
import { Connection } from '../../src/client/connection.ts'
import { type CommittedOffset, commitOffsets, fetchOffsets } from '../../src/client/group-offsets.ts'
import { defaultClientOptions } from '../../src/client/options.ts'
import { DescribeQuorum } from '../../src/protocol/messages/describe-quorum.ts'
import { ElectLeaders } from '../../src/protocol/messages/elect-leaders.ts'
import { ListOffsets } from '../../src/protocol/messages/list-offsets.ts'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import { nodeWorld } from '../../src/world/node.ts'

interface At {
  readonly host: string
  readonly port: number
}

/** Frozen and cut off nodes do not answer: nobody waits long for one. */
const impatient = { ...defaultClientOptions, clientId: 'ottla-tests', requestTimeoutMs: 2000, connectTimeoutMs: 1000 }

async function ask<T>(at: At, use: (connection: Connection) => Promise<T>): Promise<T | null> {
  const connection = await Connection.open(nodeWorld, { host: at.host, port: at.port }, impatient).catch(() => null)
  if (connection === null) return null
  try {
    return await use(connection)
  } catch {
    return null
  } finally {
    connection.close()
  }
}

/** How many nodes this one knows of; null: it does not answer. */
export function answers(at: At): Promise<number | null> {
  return ask(at, async connection => (await connection.request(Metadata, { topics: [] })).brokers.length)
}

export interface Leading {
  readonly leader: number
  readonly epoch: number
  readonly isr: readonly number[]
  readonly replicas: readonly number[]
}

/** What the nodes of a cluster say about it, each asked itself: one that was away may know only old things. */
export class Status {
  readonly #nodes: readonly At[]

  /** `nodes`: may grow. */
  constructor(nodes: readonly At[]) {
    this.#nodes = nodes
  }

  /** Ids of the nodes that vote, by the highest epoch that anybody tells of. */
  async voters(): Promise<number[]> {
    return (await this.#quorum())?.currentVoters.map(({ replicaId }) => replicaId) ?? []
  }

  /** The directory that each voter votes with, by node id. */
  async votingDirectories(): Promise<Map<number, string>> {
    const voters = (await this.#quorum())?.currentVoters ?? []
    return new Map(voters.map(({ replicaId, replicaDirectoryId }) => [replicaId, replicaDirectoryId]))
  }

  /** Id of the node that leads the metadata quorum, by the highest epoch that anybody tells of; −1: nobody does. */
  async controller(): Promise<number> {
    const { leaderId = -1 } = (await this.#quorum()) ?? {}
    if (leaderId >= 0) return leaderId
    for (const at of this.#nodes) {
      const answer = await ask(at, connection => connection.request(Metadata, { topics: [] }))
      if (answer !== null && answer.controllerId >= 0) return answer.controllerId
    }
    return -1
  }

  async #quorum() {
    const request = { topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] }
    const said = await Promise.all(
      this.#nodes.map(at =>
        ask(at, async connection => (await connection.request(DescribeQuorum, request)).topics[0]?.partitions[0]),
      ),
    )
    return said
      .filter(each => each?.errorCode === 0 && each.leaderId >= 0)
      .toSorted((a, b) => b!.leaderEpoch - a!.leaderEpoch)[0]
  }

  /** Each partition as the one who knows most about it tells it. Throws when nobody knows the topic. */
  async partitions(topic: string): Promise<Leading[]> {
    const best: Leading[] = []
    for (const known of await Promise.all(this.#nodes.map(at => topicAt(at, topic)))) {
      for (const { partition, leaderId, leaderEpoch, isr, replicas } of known ?? []) {
        const before = best[partition]
        if (before === undefined || leaderEpoch > before.epoch || (leaderEpoch === before.epoch && before.leader < 0))
          best[partition] = { leader: leaderId, epoch: leaderEpoch, isr, replicas }
      }
    }
    if (best.length === 0) throw new Error(`nobody knows of the topic ${topic}`)
    return best
  }

  /** Resolves with the ms until every node itself says that all nodes are there and all replicas of the topics in sync. */
  async whole(topics: readonly string[], ms: number): Promise<number> {
    const begun = Date.now()
    for (;;) {
      const problem = (await Promise.all(this.#nodes.map(at => this.#problem(at, topics)))).find(each => each !== null)
      if (problem === undefined) return Date.now() - begun
      if (Date.now() - begun > ms) throw new Error(`not whole again after ${ms} ms: ${problem}`)
      await sleep(50)
    }
  }

  async #problem(at: At, topics: readonly string[]): Promise<string | null> {
    const name = `${at.host}:${at.port}`
    const wanted = topics.map(each => ({ name: each }))
    const answer = await ask(at, connection => connection.request(Metadata, { topics: wanted }))
    if (answer === null) return `${name} does not answer`
    if (answer.brokers.length < this.#nodes.length) return `${name} knows of ${answer.brokers.length} nodes`
    for (const topic of answer.topics) {
      if (topic.errorCode !== 0) return `${name} answers ${topic.errorCode} about ${topic.name}`
      for (const { partitionIndex, leaderId, replicaNodes, isrNodes } of topic.partitions) {
        if (leaderId < 0 || isrNodes.length < replicaNodes.length)
          return `${name}: ${topic.name}-${partitionIndex} has leader ${leaderId}, replicas ${replicaNodes}, in sync ${isrNodes}`
      }
    }
    return null
  }

  /** A topic with a replica on each of three nodes, `min.insync.replicas` 2; the first leaders are all different. */
  async create(topic: string, partitions: number, configs: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.createOn([1, 2, 3], topic, partitions, { 'min.insync.replicas': '2', ...configs })
  }

  /** A topic with a replica on each of these nodes, which take turns in leading. */
  async createOn(
    ids: readonly number[],
    topic: string,
    partitions: number,
    configs: Readonly<Record<string, string>>,
  ): Promise<void> {
    const assignments = Array.from({ length: partitions }, (_, p) => ids.map((_, i) => ids[(p + i) % ids.length]!))
    await this.admin(admin => admin.createTopics([{ name: topic, assignments, configs }]))
  }

  /** The first replica of each partition leads again. */
  async preferred(topic: string): Promise<void> {
    const { length } = await this.partitions(topic)
    const partitions = Array.from({ length }, (_, i) => i)
    for (let tries = 0; tries < 40; tries++) {
      const leading = await this.partitions(topic)
      if (leading.every(({ leader, replicas }) => leader === replicas[0])) return
      const at = this.#nodes.find((_, i) => i === tries % this.#nodes.length)!
      await ask(at, connection =>
        connection.request(ElectLeaders, {
          electionType: 0,
          topicPartitions: [{ topic, partitions }],
          timeoutMs: 5000,
        }),
      )
      await sleep(100)
    }
    throw new Error(`the preferred leaders of ${topic} do not lead again`)
  }

  /** Where the end of each partition is; null as long as one has no leader. */
  async ends(topic: string): Promise<number[] | null> {
    const ends: number[] = []
    for (const [partitionIndex, { leader }] of (await this.partitions(topic)).entries()) {
      const at = this.#nodes[leader - 1]
      const partitions = [{ partitionIndex, timestamp: -1 }]
      const request = { replicaId: -1, isolationLevel: 0, topics: [{ name: topic, partitions }] }
      const answer = at && (await ask(at, connection => connection.request(ListOffsets, request)))
      const found = answer?.topics[0]?.partitions[0]
      if (found?.errorCode !== 0) return null
      ends.push(found.offset)
    }
    return ends
  }

  committed(group: string): Promise<CommittedOffset[]> {
    return this.#with(cluster => fetchOffsets(cluster, group, null), 10_000)
  }

  /** Of a group without members. */
  commit(group: string, offset: CommittedOffset): Promise<void> {
    return this.#with(cluster => commitOffsets(cluster, group, [offset]), 10_000)
  }

  admin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
    return this.#with(cluster => use(new Admin(cluster)), 30_000)
  }

  async #with<T>(use: (cluster: Cluster) => Promise<T>, apiTimeoutMs: number): Promise<T> {
    const options = { ...impatient, bootstrap: this.#nodes, requestTimeoutMs: 10_000, apiTimeoutMs }
    const cluster = new Cluster(nodeWorld, options)
    try {
      return await use(cluster)
    } finally {
      cluster.close()
    }
  }
}

async function topicAt(at: At, name: string): Promise<PartitionMetadata[] | null> {
  const answer = await ask(at, connection => connection.request(Metadata, { topics: [{ name }] }))
  const topic = answer?.topics[0]
  if (topic?.errorCode !== 0) return null
  return topic.partitions.map(each => ({
    partition: each.partitionIndex,
    leaderId: each.leaderId,
    leaderEpoch: each.leaderEpoch,
    replicas: each.replicaNodes,
    isr: each.isrNodes,
  }))
}

export const statusOf = (bootstrap: string): Status => new Status(parseAddresses(bootstrap))
