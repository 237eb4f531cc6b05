import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { MetadataRecord } from '../records/records.ts'
import type { TopicState } from '../state.ts'
import type { CommandRequest, CommandResponse, Outcome } from './command.ts'
import type { Context } from './context.ts'
import { countBy } from './count.ts'

type Request = CommandRequest<'deleteTopics'>
type Response = CommandResponse<'deleteTopics'>
type Wanted = { readonly name: string | null; readonly topicId: string }

export function deleteTopics(request: Request, context: Context): Outcome<Response> {
  const wanted = wantedOf(request)
  const counts = countBy(wanted, keyOf)
  const found = countBy(wanted, one => find(one, context)?.id)
  const records: MetadataRecord[] = []
  const responses = [...new Map(wanted.map(one => [keyOf(one), one])).values()].flatMap(one => {
    const topic = find(one, context)
    const doubly = topic !== undefined && found.get(topic.id)! > counts.get(keyOf(one))!
    // The one answer stands at the name.
    if (doubly && one.name === null) return []
    try {
      checkWanted(one, counts.get(keyOf(one))!)
      if (!context.settings.deleteTopicEnable) {
        throw new KafkaError('TOPIC_DELETION_DISABLED', 'Topic deletion is disabled.')
      }
      if (topic === undefined) throw unknown(one)
      if (doubly) {
        throw new KafkaError('INVALID_REQUEST', 'The provided topic name maps to an ID that was already supplied.')
      }
      records.push({ type: 'RemoveTopicRecord', topicId: topic.id })
      return { name: topic.name, topicId: topic.id, errorCode: ErrorCode.NONE, errorMessage: null }
    } catch (error) {
      return failed(doubly ? { name: one.name, topicId: topic.id } : one, error)
    }
  })
  return { records, response: { throttleTimeMs: 0, responses } }
}

export function refuseDeleteTopics(request: Request, error: KafkaError): Response {
  return { throttleTimeMs: 0, responses: wantedOf(request).map(one => failed(one, error)) }
}

/** Before version 6 topics are named only. */
function wantedOf(request: Request): Wanted[] {
  const named = (request.topicNames ?? []).map(name => ({ name, topicId: ZERO_UUID }))
  const either = (request.topics ?? []).map(({ name, topicId }) => ({ name: name ?? null, topicId }))
  return [...either, ...named]
}

function keyOf({ name, topicId }: Wanted): string {
  return `${topicId}:${name ?? ''}`
}

function find({ name, topicId }: Wanted, { state }: Context): TopicState | undefined {
  return name === null ? state.topicsById.get(topicId) : state.topics.get(name)
}

function checkWanted({ name, topicId }: Wanted, count: number): void {
  const refuse = (message: string) => new KafkaError('INVALID_REQUEST', message)
  if (name !== null && topicId !== ZERO_UUID) throw refuse('You may not specify both topic name and topic id.')
  if (name === null && topicId === ZERO_UUID) throw refuse('Neither topic name nor id were specified.')
  if (count > 1) throw refuse(name === null ? 'Duplicate topic id.' : 'Duplicate topic name.')
}

function unknown({ name }: Wanted): KafkaError {
  return name === null
    ? new KafkaError('UNKNOWN_TOPIC_ID', 'This server does not host this topic ID.')
    : new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic-partition.')
}

function failed({ name, topicId }: Wanted, error: unknown): Response['responses'][number] {
  if (!(error instanceof KafkaError)) throw error
  return { name, topicId, errorCode: error.code, errorMessage: error.message }
}
