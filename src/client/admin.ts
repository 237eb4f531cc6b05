import { AlterPartitionReassignments } from '../protocol/messages/alter-partition-reassignments.ts'
import { CreatePartitions } from '../protocol/messages/create-partitions.ts'
import { CreateTopics } from '../protocol/messages/create-topics.ts'
import { DeleteRecords } from '../protocol/messages/delete-records.ts'
import { DeleteTopics } from '../protocol/messages/delete-topics.ts'
import { DescribeCluster } from '../protocol/messages/describe-cluster.ts'
import { DescribeConfigs } from '../protocol/messages/describe-configs.ts'
import { DescribeLogDirs } from '../protocol/messages/describe-log-dirs.ts'
import { ElectLeaders } from '../protocol/messages/elect-leaders.ts'
import { IncrementalAlterConfigs } from '../protocol/messages/incremental-alter-configs.ts'
import type { ResponseOutput } from '../protocol/schema.ts'
import type { Cluster, TopicMetadata } from './cluster.ts'
import type { Connection } from './connection.ts'
import { isPassing, throwIf } from './failures.ts'
import { byLeader, byTopic, type FoundOffset, findOffsets, type StartAt, type TopicPartition } from './offsets.ts'

export interface NewTopic {
  readonly name: string
  /** Left out: the broker's default, as with `replicationFactor`. */
  readonly partitions?: number
  readonly replicationFactor?: number
  /** Replicas by partition, instead of the two above. */
  readonly assignments?: readonly (readonly number[])[]
  readonly configs?: Readonly<Record<string, string>>
}

export interface ConfigResource {
  readonly type: 'topic' | 'broker' | 'broker-logger' | 'client-metrics' | 'group'
  /** Of a broker its id; '' stands for the default of all brokers. */
  readonly name: string
}

export interface ConfigChange {
  readonly name: string
  readonly operation: 'set' | 'delete' | 'append' | 'subtract'
  readonly value?: string
}

export type ConfigEntry = ResponseOutput<typeof DescribeConfigs>['results'][number]['configs'][number]
export type ClusterDescription = ResponseOutput<typeof DescribeCluster>
export type LogDirectory = ResponseOutput<typeof DescribeLogDirs>['results'][number]

const noUuid = 'A'.repeat(22)
const resourceTypes = { topic: 2, broker: 4, 'broker-logger': 8, 'client-metrics': 16, group: 32 } as const
const operations = { set: 0, delete: 1, append: 2, subtract: 3 } as const

/** Topics, configurations, records, the cluster. Errors are thrown as `KafkaError`; what can be retried is. */
export class Admin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** Throws TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_CONFIG, POLICY_VIOLATION. */
  async createTopics(topics: readonly NewTopic[], validateOnly = false): Promise<void> {
    await this.#onController(async connection => {
      const answer = await connection.request(CreateTopics, {
        topics: topics.map(({ name, partitions = -1, replicationFactor = -1, assignments = [], configs = {} }) => ({
          name,
          numPartitions: assignments.length > 0 ? -1 : partitions,
          replicationFactor: assignments.length > 0 ? -1 : replicationFactor,
          assignments: assignments.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
          configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
        })),
        timeoutMs: this.#timeoutMs,
        validateOnly,
      })
      for (const topic of answer.topics) throwIf(topic.errorCode, topic.name, topic.errorMessage)
    })
    this.#cluster.forget(topics.map(topic => topic.name))
  }

  /** Throws UNKNOWN_TOPIC_OR_PARTITION, TOPIC_DELETION_DISABLED. */
  async deleteTopics(names: readonly string[]): Promise<void> {
    await this.#onController(async connection => {
      const timeoutMs = this.#timeoutMs
      const topics = names.map(name => ({ name, topicId: noUuid }))
      const answer = await connection.request(DeleteTopics, version =>
        version < 6 ? { topicNames: names, timeoutMs } : { topics, timeoutMs },
      )
      for (const topic of answer.responses) throwIf(topic.errorCode, topic.name ?? '', topic.errorMessage)
    })
    this.#cluster.deleted(names)
  }

  /** Raises the number of partitions of a topic to `count`. Throws INVALID_PARTITIONS. */
  async createPartitions(name: string, count: number, validateOnly = false): Promise<void> {
    await this.#onController(async connection => {
      const topics = [{ name, count, assignments: null }]
      const answer = await connection.request(CreatePartitions, { topics, timeoutMs: this.#timeoutMs, validateOnly })
      for (const topic of answer.results) throwIf(topic.errorCode, topic.name, topic.errorMessage)
    })
    this.#cluster.forget([name])
  }

  /** All topics, or those of these names that exist. */
  async describeTopics(names: readonly string[] | null = null): Promise<readonly TopicMetadata[]> {
    return (await this.#cluster.metadata(names)).topics
  }

  /** Brokers and controller. */
  describeCluster(): Promise<ClusterDescription> {
    return this.#cluster.retry(async () => {
      const connection = await this.#cluster.any()
      const answer = await connection.request(DescribeCluster, { includeClusterAuthorizedOperations: false })
      throwIf(answer.errorCode, 'DescribeCluster', answer.errorMessage)
      return answer
    })
  }

  /** Throws UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST. */
  describeConfigs(resource: ConfigResource, names: readonly string[] | null = null): Promise<readonly ConfigEntry[]> {
    return this.#onOwner(resource, async connection => {
      const { type, name } = resource
      const answer = await connection.request(DescribeConfigs, version => ({
        resources: [{ resourceType: resourceTypes[type], resourceName: name, configurationKeys: names }],
        includeSynonyms: version >= 1,
        includeDocumentation: version >= 3,
      }))
      const result = answer.results[0]
      throwIf(result?.errorCode ?? -1, `${resource.type} ${resource.name}`, result?.errorMessage)
      return result!.configs
    })
  }

  /** Throws INVALID_CONFIG, UNKNOWN_TOPIC_OR_PARTITION. */
  async alterConfigs(resource: ConfigResource, changes: readonly ConfigChange[], validateOnly = false): Promise<void> {
    await this.#onOwner(resource, async connection => {
      const configs = changes.map(({ name, operation, value = null }) => ({
        name,
        configOperation: operations[operation],
        value,
      }))
      const answer = await connection.request(IncrementalAlterConfigs, {
        resources: [{ resourceType: resourceTypes[resource.type], resourceName: resource.name, configs }],
        validateOnly,
      })
      const result = answer.responses[0]
      throwIf(result?.errorCode ?? -1, `${resource.type} ${resource.name}`, result?.errorMessage)
    })
  }

  /** Offsets by name or time. */
  listOffsets(wanted: readonly (TopicPartition & { start: Exclude<StartAt, number> })[]): Promise<FoundOffset[]> {
    return findOffsets(this.#cluster, wanted)
  }

  /** Drops records below the offsets; −1: all. Gives the new log start offsets. Throws OFFSET_OUT_OF_RANGE. */
  async deleteRecords(before: readonly (TopicPartition & { offset: number })[]): Promise<FoundOffset[]> {
    const started: FoundOffset[] = []
    const { leaders, failures } = await byLeader(this.#cluster, before)
    if (failures.length > 0) throw failures[0]
    for (const [leaderId, parts] of leaders) {
      await this.#cluster.retry(async () => {
        const connection = await this.#cluster.broker(leaderId)
        const topics = byTopic(parts, ({ partition, offset }) => ({ partitionIndex: partition, offset }))
        const answer = await connection.request(DeleteRecords, { topics, timeoutMs: this.#timeoutMs })
        for (const { name: topic, partitions } of answer.topics) {
          for (const { partitionIndex: partition, errorCode, lowWatermark: offset } of partitions) {
            throwIf(errorCode, `${topic}-${partition}`)
            started.push({ topic, partition, offset, timestamp: -1 })
          }
        }
      })
    }
    return started
  }

  /** Where a broker keeps what, and how large it is. */
  describeLogDirs(brokerId: number): Promise<readonly LogDirectory[]> {
    return this.#cluster.retry(async () => {
      const connection = await this.#cluster.broker(brokerId)
      const answer = await connection.request(DescribeLogDirs, { topics: null })
      throwIf(answer.errorCode, 'DescribeLogDirs')
      return answer.results
    })
  }

  /** Lets the preferred replicas lead; null: of all partitions. A leader that already is the preferred one is no error. */
  async electPreferredLeaders(partitions: readonly TopicPartition[] | null): Promise<void> {
    await this.#onController(async connection => {
      const named = partitions === null ? null : byTopic(partitions, part => part.partition)
      const answer = await connection.request(ElectLeaders, {
        electionType: 0,
        topicPartitions: named?.map(({ name, partitions }) => ({ topic: name, partitions })) ?? null,
        timeoutMs: this.#timeoutMs,
      })
      throwIf(answer.errorCode, 'ElectLeaders')
      const electionNotNeeded = 84
      for (const { topic, partitionResult } of answer.replicaElectionResults) {
        for (const { partitionId, errorCode, errorMessage } of partitionResult) {
          if (errorCode !== electionNotNeeded) throwIf(errorCode, `${topic}-${partitionId}`, errorMessage)
        }
      }
    })
  }

  /** Begins to move partitions to these brokers; null cancels a move. Throws NO_REASSIGNMENT_IN_PROGRESS. */
  async reassign(moves: readonly (TopicPartition & { replicas: readonly number[] | null })[]): Promise<void> {
    await this.#onController(async connection => {
      const topics = byTopic(moves, ({ partition, replicas }) => ({ partitionIndex: partition, replicas }))
      const answer = await connection.request(AlterPartitionReassignments, { topics, timeoutMs: this.#timeoutMs })
      throwIf(answer.errorCode, 'AlterPartitionReassignments', answer.errorMessage)
      for (const { name, partitions } of answer.responses) {
        for (const part of partitions) throwIf(part.errorCode, `${name}-${part.partitionIndex}`, part.errorMessage)
      }
    })
  }

  get #timeoutMs(): number {
    return this.#cluster.options.requestTimeoutMs
  }

  #onController<T>(ask: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#cluster.retry(async () => ask(await this.#cluster.controller()), [], isPassing)
  }

  /** Of a broker only that broker knows the configuration. */
  #onOwner<T>({ type, name }: ConfigResource, ask: (connection: Connection) => Promise<T>): Promise<T> {
    const one = (type === 'broker' || type === 'broker-logger') && name !== ''
    const find = () => (one ? this.#cluster.broker(Number(name)) : this.#cluster.any())
    return this.#cluster.retry(async () => ask(await find()), [], isPassing)
  }
}
