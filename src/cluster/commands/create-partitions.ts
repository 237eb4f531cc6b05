import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { MetadataRecord } from '../records/records.ts'
import { type PartitionState, partitionRecord, type TopicState } from '../state.ts'
import { checkReplicas, checkSameFactor, partitionOnto, place } from './assignment.ts'
import type { CommandRequest, CommandResponse, Outcome } from './command.ts'
import { type Context, maxPartitionsPerRequest } from './context.ts'
import { countBy } from './count.ts'
import { goalOf } from './reassign.ts'

type Request = CommandRequest<'createPartitions'>
type Response = CommandResponse<'createPartitions'>
type Growth = Request['topics'][number]

export function createPartitions(request: Request, context: Context): Outcome<Response> {
  const names = countBy(request.topics, topic => topic.name)
  const records: MetadataRecord[] = []
  const results = [...new Map(request.topics.map(topic => [topic.name, topic])).values()].map(topic => {
    try {
      if (names.get(topic.name)! > 1) throw new KafkaError('INVALID_REQUEST', 'Duplicate topic name.')
      const more = grow(topic, context)
      if (records.length + more.length > maxPartitionsPerRequest) {
        throw new KafkaError('POLICY_VIOLATION', 'Excessively large number of partitions per request.')
      }
      if (!request.validateOnly) records.push(...more)
      return { name: topic.name, errorCode: ErrorCode.NONE, errorMessage: null }
    } catch (error) {
      return failed(topic.name, error)
    }
  })
  return { records, response: { throttleTimeMs: 0, results } }
}

export function refuseCreatePartitions(request: Request, error: KafkaError): Response {
  return { throttleTimeMs: 0, results: request.topics.map(({ name }) => failed(name, error)) }
}

function failed(name: string, error: unknown): Response['results'][number] {
  if (!(error instanceof KafkaError)) throw error
  // A message that only repeats the code's name is none.
  return { name, errorCode: error.code, errorMessage: error.message === error.errorName ? null : error.message }
}

function grow(growth: Growth, context: Context): MetadataRecord[] {
  const topic = context.state.topics.get(growth.name)
  if (topic === undefined) {
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
  }
  const first = topic.partitions.length
  const added = growth.count - first
  checkGrowth(growth, topic, added)
  const factor = goalOf(topic.partitions[0]!).length
  const partitions =
    growth.assignments === null
      ? place(context, topic.id, first, added, factor)
      : assigned(growth.assignments, first, factor, context)
  return partitions.map((partition, index) => partitionRecord(topic.id, first + index, partition))
}

function checkGrowth({ name, count, assignments }: Growth, topic: TopicState, added: number): void {
  const current = topic.partitions.length
  if (added === 0) throw new KafkaError('INVALID_PARTITIONS', `Topic already has ${current} partition(s).`)
  if (added < 0) {
    throw new KafkaError(
      'INVALID_PARTITIONS',
      `The topic ${name} currently has ${current} partition(s); ${count} would not be an increase.`,
    )
  }
  if (assignments !== null && assignments.length !== added) {
    throw new KafkaError(
      'INVALID_REPLICA_ASSIGNMENT',
      `Attempted to add ${added} additional partition(s), but only ${assignments.length} assignment(s) were specified.`,
    )
  }
  if (added > maxPartitionsPerRequest) {
    throw new KafkaError('POLICY_VIOLATION', 'Excessively large number of partitions per request.')
  }
}

function assigned(
  assignments: NonNullable<Growth['assignments']>,
  first: number,
  factor: number,
  context: Context,
): PartitionState[] {
  return assignments.map(({ brokerIds }, index) => {
    checkReplicas(brokerIds, context)
    checkSameFactor(brokerIds, factor)
    return partitionOnto(brokerIds, context, first + index)
  })
}
