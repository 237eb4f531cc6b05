import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { MetadataRecord } from '../records/records.ts'
import { type PartitionState, partitionRecord, ResourceType } from '../state.ts'
import { automaticFactor, checkReplicas, checkSameFactor, partitionOnto, place } from './assignment.ts'
import type { CommandRequest, CommandResponse, Outcome } from './command.ts'
import { type Context, maxPartitionsPerRequest } from './context.ts'
import { countBy } from './count.ts'
import { newTopicId } from './topic-id.ts'
import { collisionKey, topicNameProblem } from './topic-name.ts'

type Request = CommandRequest<'createTopics'>
type Response = CommandResponse<'createTopics'>
type NewTopic = Request['topics'][number]
type Result = Response['topics'][number]

/** What only the log of the metadata itself may be called. */
const metadataTopic = '__cluster_metadata'

/** All of a request's topics are made in one batch of records, or none: a batch is atomic. */
export function createTopics(request: Request, context: Context): Outcome<Response> {
  const names = countBy(request.topics, topic => topic.name)
  const tooMany = partitionsAskedFor(request, context) > maxPartitionsPerRequest
  const existing = new ExistingNames(context)
  const records: MetadataRecord[] = []
  const topics = [...new Map(request.topics.map(topic => [topic.name, topic])).values()].map(topic => {
    try {
      if (names.get(topic.name)! > 1) throw new KafkaError('INVALID_REQUEST', 'Duplicate topic name.')
      if (tooMany) throw new KafkaError('POLICY_VIOLATION', 'Excessively large number of partitions per request.')
      existing.check(topic.name)
      const made = createTopic(topic, context)
      if (!request.validateOnly) records.push(...made.records)
      return made.result
    } catch (error) {
      return failed(topic.name, error)
    }
  })
  return { records, response: { throttleTimeMs: 0, topics } }
}

export function refuseCreateTopics(request: Request, error: KafkaError): Response {
  return { throttleTimeMs: 0, topics: request.topics.map(({ name }) => failed(name, error)) }
}

function failed(name: string, error: unknown): Result {
  if (!(error instanceof KafkaError)) throw error
  const { code, message } = error
  return { name, topicId: ZERO_UUID, errorCode: code, errorMessage: message, configs: [] }
}

/** Which names are taken. As in Kafka, names of one request do not collide with each other. */
class ExistingNames {
  readonly #context: Context
  #byCollisionKey: Map<string, string> | null = null

  constructor(context: Context) {
    this.#context = context
  }

  check(name: string): void {
    if (name === metadataTopic) {
      throw new KafkaError('INVALID_REQUEST', `Creation of internal topic ${metadataTopic} is prohibited.`)
    }
    const problem = topicNameProblem(name)
    if (problem !== null) throw new KafkaError('INVALID_TOPIC_EXCEPTION', problem)
    if (this.#context.state.topics.has(name)) {
      throw new KafkaError('TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`)
    }
    const other = this.#collision(name)
    if (other === undefined) return
    throw new KafkaError('INVALID_TOPIC_EXCEPTION', `Topic '${name}' collides with existing topic: ${other}`)
  }

  #collision(name: string): string | undefined {
    const key = collisionKey(name)
    if (!key.includes('_')) return undefined
    return this.#collisions().get(key)
  }

  #collisions(): Map<string, string> {
    if (this.#byCollisionKey === null) {
      this.#byCollisionKey = new Map()
      for (const name of this.#context.state.topics.keys()) {
        if (name.includes('_') || name.includes('.')) this.#byCollisionKey.set(collisionKey(name), name)
      }
    }
    return this.#byCollisionKey
  }
}

function partitionsAskedFor(request: Request, { settings }: Context): number {
  let count = 0
  for (const { assignments, numPartitions } of request.topics) {
    count +=
      assignments.length > 0
        ? assignments.length
        : Math.max(0, numPartitions === -1 ? settings.numPartitions : numPartitions)
  }
  return count
}

function createTopic(topic: NewTopic, context: Context): { records: MetadataRecord[]; result: Result } {
  const configs = topicConfigs(topic, context)
  const automatic =
    topic.assignments.length === 0 && topic.replicationFactor === -1 && context.settings.defaultReplicationFactor === -1
  const topicId = newTopicId(context.at.random, automatic)
  const partitions = topic.assignments.length > 0 ? assigned(topic, context) : placed(topic, topicId, context)
  const records: MetadataRecord[] = [{ type: 'TopicRecord', name: topic.name, topicId }]
  for (const [name, value] of configs) {
    records.push({ type: 'ConfigRecord', resourceType: ResourceType.TOPIC, resourceName: topic.name, name, value })
  }
  for (const [index, partition] of partitions.entries()) records.push(partitionRecord(topicId, index, partition))
  const result = {
    name: topic.name,
    topicId,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    numPartitions: partitions.length,
    replicationFactor: partitions[0]!.replicas.length,
    configs: context.settings.describeTopic(configs).map(({ name, value, readOnly, configSource, isSensitive }) => ({
      name,
      value,
      readOnly,
      configSource,
      isSensitive,
    })),
  }
  return { records, result }
}

function topicConfigs(topic: NewTopic, { settings: { schema } }: Context): Map<string, string> {
  const configs = new Map<string, string>()
  for (const { name, value } of topic.configs) {
    if (value === null) throw new KafkaError('INVALID_CONFIG', `Null value not supported for topic configs: ${name}`)
    const problem = schema.validateTopicConfig(name, value)
    if (problem !== null) throw new KafkaError('INVALID_CONFIG', problem)
    configs.set(name, value)
  }
  const problem = schema.validateTopicConfigs(configs)
  if (problem !== null) throw new KafkaError('INVALID_CONFIG', problem)
  return configs
}

function placed(topic: NewTopic, topicId: string, context: Context): PartitionState[] {
  const { numPartitions, replicationFactor } = topic
  if (numPartitions < -1 || numPartitions === 0) {
    throw new KafkaError('INVALID_PARTITIONS', 'Number of partitions was set to an invalid non-positive value.')
  }
  if (replicationFactor < -1 || replicationFactor === 0) {
    throw new KafkaError(
      'INVALID_REPLICATION_FACTOR',
      'Replication factor must be larger than 0, or -1 to use the default value.',
    )
  }
  const { settings } = context
  return place(
    context,
    topicId,
    0,
    numPartitions === -1 ? settings.numPartitions : numPartitions,
    factorOf(replicationFactor, context),
  )
}

function factorOf(asked: number, { settings, state }: Context): number {
  const factor = asked === -1 ? settings.defaultReplicationFactor : asked
  return factor === -1 ? automaticFactor(state) : factor
}

function assigned(topic: NewTopic, context: Context): PartitionState[] {
  const refuse = (message: string) => new KafkaError('INVALID_REPLICA_ASSIGNMENT', message)
  if (topic.replicationFactor !== -1) {
    throw new KafkaError(
      'INVALID_REQUEST',
      'A manual partition assignment was specified, but replication factor was not set to -1.',
    )
  }
  if (topic.numPartitions !== -1) {
    throw new KafkaError(
      'INVALID_REQUEST',
      'A manual partition assignment was specified, but numPartitions was not set to -1.',
    )
  }
  const partitions = new Map<number, PartitionState>()
  const factor = topic.assignments[0]!.brokerIds.length
  for (const { partitionIndex, brokerIds } of topic.assignments) {
    if (partitions.has(partitionIndex)) {
      throw refuse(`Found multiple manual partition assignments for partition ${partitionIndex}`)
    }
    checkReplicas(brokerIds, context)
    checkSameFactor(brokerIds, factor)
    partitions.set(partitionIndex, partitionOnto(brokerIds, context, partitionIndex))
  }
  return Array.from({ length: partitions.size }, (_, index) => {
    const partition = partitions.get(index)
    if (partition === undefined) throw refuse('partitions should be a consecutive 0-based integer sequence')
    return partition
  })
}
