import { checkProduceVersion } from '../../log/produced-batch.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { Produce } from '../../protocol/messages/produce.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { Partition } from '../../replication/partition.ts'
import type { Delayed, DelayedOperations, Operation } from '../delayed.ts'
import {
  handler,
  Later,
  type Mutable,
  type Reply,
  type RequestContext,
  type RequestOf,
  type ResponseOf,
} from '../handler.ts'
import { type CurrentLeader, currentLeader, leaderEndpoints } from '../new-leader.ts'
import { noTransactions } from '../no-transactions.ts'

type Request = RequestOf<typeof Produce>
type Response = ResponseOf<typeof Produce>
type TopicResponse = Response['responses'][number]
type PartitionResponse = Mutable<TopicResponse['partitionResponses'][number]>

/** Records come in as batches that are never opened here; the answer waits for the acks that were asked for. */
export default handler(Produce, (request, context) => {
  const codecs = codecsToLoad(request, context)
  if (codecs === null) return produce(request, context)
  // Rare: old message formats and topics that recompress need a codec, which is loaded when it is first needed.
  let reply: Reply<Response> = null
  const appended = codecs.then(() => {
    reply = produce(request, context)
  })
  // Until it is appended, not until it is acknowledged: those behind must not overtake, but need not wait.
  context.peer.hold(appended)
  return appended.then(() => {
    const answered = reply
    return answered instanceof Later ? new Promise(resolve => answered.whenAnswered(resolve)) : answered
  })
})

function produce(request: Request, context: RequestContext): Reply<Response> {
  const { acks } = request
  const refusal = refusalOf(request)
  const responses: TopicResponse[] = []
  const answers: PartitionResponse[] = []
  const produced = new Acks(context)
  for (const topic of request.topicData) {
    const partitionResponses: PartitionResponse[] = []
    responses.push({ name: topic.name, topicId: topic.topicId, partitionResponses })
    for (const { index, records } of topic.partitionData) {
      const answer = emptyAnswer(index)
      partitionResponses.push(answer)
      answers.push(answer)
      try {
        if (refusal !== null) throw refusal
        const partition = find(topic, index, context)
        if (records !== null) checkProduceVersion(records, context.version, request.transactionalId)
        append(partition, records, acks, answer, produced, context)
      } catch (error) {
        fail(answer, error, context)
      }
    }
  }
  if (acks === 0) {
    // Nobody hears of an error; the documented way to tell such a client is to close its connection.
    if (answers.some(answer => answer.errorCode !== ErrorCode.NONE)) context.peer.finish()
    return null
  }
  return produced.answerWhenOpen({ responses }, request.timeoutMs)
}

function codecsToLoad({ topicData }: Request, context: RequestContext): Promise<unknown> | null {
  const loading: Promise<unknown>[] = []
  for (const topic of topicData) {
    for (const { index, records } of topic.partitionData) {
      const codec = records === null ? null : (lookUp(topic, index, context)?.log.beforeAppend(records) ?? null)
      if (codec !== null) loading.push(codec)
    }
  }
  return loading.length === 0 ? null : Promise.all(loading)
}

function refusalOf(request: { acks: number; transactionalId: string | null }): KafkaError | null {
  if (request.acks < -1 || request.acks > 1) return new KafkaError('INVALID_REQUIRED_ACKS', 'acks is 0, 1 or -1 (all)')
  return request.transactionalId === null ? null : noTransactions()
}

function lookUp(topic: { name: string; topicId: string }, index: number, { node, version }: RequestContext) {
  return version >= 13 ? node.replicas.findById(topic.topicId, index) : node.replicas.find(topic.name, index)
}

function find(topic: { name: string; topicId: string }, index: number, { node, version }: RequestContext): Partition {
  return version >= 13 ? node.replicas.getById(topic.topicId, index) : node.replicas.get(topic.name, index)
}

function append(
  partition: Partition,
  records: Uint8Array | null,
  acks: number,
  answer: PartitionResponse,
  produced: Acks,
  { broker }: RequestContext,
): void {
  if (records === null || records.length === 0)
    throw new KafkaError('INVALID_RECORD', 'a produce request without records')
  if (partition.internal) throw new KafkaError('INVALID_TOPIC_EXCEPTION', 'clients may not write to an internal topic')
  const result = partition.append(records, acks, broker.world.clock.now())
  answer.baseOffset = result.baseOffset
  answer.logAppendTimeMs = result.logAppendTime
  answer.logStartOffset = result.logStartOffset
  broker.metrics.produced(partition.topic, records.length, result.lastOffset - result.baseOffset + 1)
  if (acks === 0) return
  const acked = produced.expect(answer)
  if (acks === 1) partition.whenWritten(result.lastOffset + 1, acked)
  else partition.whenAcknowledged(result.lastOffset + 1, acked)
}

/** The partitions of one request that are not acknowledged yet, and the answer that waits for them. */
class Acks extends Later<Response> implements Operation {
  readonly hasty = false
  due = 0
  readonly #context: RequestContext
  readonly #delayed: DelayedOperations
  readonly #waiting: PartitionResponse[] = []
  #response: Response | null = null
  #deadline: Delayed | null = null

  constructor(context: RequestContext) {
    super()
    this.#context = context
    this.#delayed = context.broker.delayed
  }

  expect(answer: PartitionResponse): (error: Error | null) => void {
    this.#waiting.push(answer)
    return error => this.#acknowledged(answer, error)
  }

  #acknowledged(answer: PartitionResponse, error: Error | null): void {
    const at = this.#waiting.indexOf(answer)
    // Late, after the deadline: the client has been told already.
    if (at < 0) return
    this.#waiting.splice(at, 1)
    if (error !== null) fail(answer, error, this.#context)
    if (this.#waiting.length > 0 || this.#response === null) return
    if (this.#deadline !== null) this.#delayed.cancel(this.#deadline)
    this.answer(withLeaders(this.#response, this.#context))
  }

  /** At once when nothing is waited for; after `timeoutMs` at the latest. */
  answerWhenOpen(response: Response, timeoutMs: number): Response | this {
    if (this.#waiting.length === 0) return withLeaders(response, this.#context)
    this.#response = response
    this.#deadline = this.#delayed.add(timeoutMs, this)
    return this
  }

  expire(): void {
    for (const answer of this.#waiting.splice(0)) fail(answer, new KafkaError('REQUEST_TIMED_OUT'), this.#context)
    if (this.#response !== null) this.answer(withLeaders(this.#response, this.#context))
  }
}

/** Who came to the wrong node is told the right one (KIP-951). */
function withLeaders(response: Response, context: RequestContext): Response {
  if (context.version < 10 || !response.responses.some(({ partitionResponses }) => partitionResponses.some(isStale)))
    return response
  const leaders: CurrentLeader[] = []
  for (const { name = '', topicId = ZERO_UUID, partitionResponses } of response.responses)
    for (const answer of partitionResponses as PartitionResponse[]) {
      const leader = isStale(answer) ? currentLeader({ name, topicId }, answer.index, context) : null
      if (leader === null) continue
      answer.currentLeader = leader
      leaders.push(leader)
    }
  return { ...response, nodeEndpoints: leaderEndpoints(leaders, context) }
}

const isStale = ({ errorCode }: { readonly errorCode: number }): boolean =>
  errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER || errorCode === ErrorCode.FENCED_LEADER_EPOCH

function emptyAnswer(index: number): PartitionResponse {
  return {
    index,
    errorCode: ErrorCode.NONE,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
  }
}

function fail(answer: PartitionResponse, error: unknown, { broker }: RequestContext): void {
  if (!(error instanceof KafkaError)) throw error
  broker.metrics.produceErrors++
  answer.errorCode = error.code
  answer.errorMessage = error.message
  answer.baseOffset = -1
  answer.logStartOffset = -1
}
