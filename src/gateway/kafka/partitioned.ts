import type { Handler } from '../../broker/handler.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { DeleteRecords } from '../../protocol/messages/delete-records.ts'
import { DescribeProducers } from '../../protocol/messages/describe-producers.ts'
import { ListOffsets } from '../../protocol/messages/list-offsets.ts'
import { OffsetForLeaderEpoch } from '../../protocol/messages/offset-for-leader-epoch.ts'
import { Produce } from '../../protocol/messages/produce.ts'
import type { Api } from '../../protocol/schema.ts'
import type { TopicKey } from './directory.ts'
import { ask, inTurn, patienceMs, type Way, waysTo } from './exchange.ts'
import type { ProxyContext } from './proxy.ts'
import { atGateway } from './rewrite.ts'
import {
  eachAnswer,
  type Fields,
  merge,
  type PartitionFields,
  type Portion,
  refused,
  split,
  topicsOf,
} from './split.ts'
import { anyNode, type Lane } from './upstream.ts'

/** An API that is answered by the leaders of partitions. */
export interface PartitionedApi extends PartitionFields {
  readonly api: Api
  /** The answer for a partition whose leader was not reached, or did not answer. */
  failed(partition: number, errorCode: number): Fields
  /** Whether a request that got lost may have been done all the same. */
  readonly changes: boolean
}

export const produceApi: PartitionedApi = {
  api: Produce as never,
  topics: 'topicData',
  partitions: 'partitionData',
  index: 'index',
  answers: 'responses',
  answerPartitions: 'partitionResponses',
  failed: (index, errorCode) => ({ index, errorCode, baseOffset: -1 }),
  changes: true,
}

export const listOffsetsApi: PartitionedApi = {
  api: ListOffsets as never,
  topics: 'topics',
  partitions: 'partitions',
  index: 'partitionIndex',
  answers: 'topics',
  answerPartitions: 'partitions',
  failed: (partitionIndex, errorCode) => ({ partitionIndex, errorCode, oldStyleOffsets: [] }),
  changes: false,
}

export const offsetForLeaderEpochApi: PartitionedApi = {
  api: OffsetForLeaderEpoch as never,
  topics: 'topics',
  partitions: 'partitions',
  index: 'partition',
  answers: 'topics',
  answerPartitions: 'partitions',
  failed: (partition, errorCode) => ({ partition, errorCode }),
  changes: false,
}

export const deleteRecordsApi: PartitionedApi = {
  api: DeleteRecords as never,
  topics: 'topics',
  partitions: 'partitions',
  index: 'partitionIndex',
  answers: 'topics',
  answerPartitions: 'partitions',
  failed: (partitionIndex, errorCode) => ({ partitionIndex, errorCode, lowWatermark: -1 }),
  changes: true,
}

export const describeProducersApi: PartitionedApi = {
  api: DescribeProducers as never,
  topics: 'topics',
  partitions: 'partitionIndexes',
  index: null,
  answers: 'topics',
  answerPartitions: 'partitions',
  failed: (partitionIndex, errorCode) => ({ partitionIndex, errorCode, activeProducers: [] }),
  changes: false,
}

/** What came of a request's parts: in their order, each with its answer or why there is none. */
export interface Sent {
  readonly portion: Portion
  readonly way: Way
}

/** Splits by leader and connects; at once where everything is known and open. */
export function route(
  row: PartitionFields,
  request: Fields,
  context: ProxyContext,
  lane: Lane = 'main',
): Sent[] | Promise<Sent[]> {
  const { directory } = context.broker
  const unknown = topicsOf(request, row).filter(topic => !directory.knows(topic))
  if (unknown.length === 0) return connect(row, request, context, lane)
  return directory.lookUp(unknown).then(() => connect(row, request, context, lane))
}

function connect(row: PartitionFields, request: Fields, context: ProxyContext, lane: Lane): Sent[] | Promise<Sent[]> {
  const { directory } = context.broker
  // Who does not lead, or does not know the topic, has the right words for it.
  const leaderOf = (topic: TopicKey, partition: number) => {
    const leader = directory.leader(topic, partition) ?? anyNode
    return directory.brokers.has(leader) ? leader : anyNode
  }
  const portions = split(request, row, leaderOf, anyNode)
  const nodes = portions.map(({ node }) => node)
  const ways = waysTo(context.broker.upstream(context), nodes, lane)
  const together = (found: readonly Way[]) => portions.map((portion, i) => ({ portion, way: found[i]! }))
  return ways instanceof Promise ? ways.then(together) : together(ways)
}

/** What the client is told of a portion without an answer. Unless it was sent and may be done, others are asked then. */
export function failedPortion(
  row: PartitionedApi,
  { portion, way }: Sent,
  error: KafkaError,
  context: ProxyContext,
): Fields {
  const lost = row.changes && !(way instanceof KafkaError)
  const code = lost ? ErrorCode.REQUEST_TIMED_OUT : ErrorCode.NOT_LEADER_OR_FOLLOWER
  const errorCode = error.errorName === 'UNSUPPORTED_VERSION' ? error.code : code
  const { directory } = context.broker
  // Who has gone proves nothing against the leader.
  const gone = context.broker.upstream(context).closed
  if (!gone) for (const topic of topicsOf(portion.request, row)) directory.forget(topic)
  return refused(portion.request, row, partition => row.failed(partition, errorCode))
}

const moved = new Set<number>([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.UNKNOWN_LEADER_EPOCH,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.INCONSISTENT_TOPIC_ID,
  ErrorCode.REPLICA_NOT_AVAILABLE,
  ErrorCode.KAFKA_STORAGE_ERROR,
])

/** An answer as the client gets it: what it says of leaders is remembered, and nodes are where the gateway is. */
export function settled(answer: Fields, row: PartitionFields, context: ProxyContext): Fields {
  const { directory } = context.broker
  const one = context.broker.shownTo(context.peer) === 'one'
  eachAnswer(answer, row, (topic, partition) => {
    if (partition.errorCode === ErrorCode.NONE) return
    const index = (partition.index ?? partition.partitionIndex ?? partition.partition) as number
    const hint = partition.currentLeader as { leaderId: number; leaderEpoch: number } | undefined
    if (moved.has(partition.errorCode as number)) directory.leaderMoved(topic, index, hint ?? null)
    // Of leaders that it has not heard of a client shall not hear here.
    if (one && hint !== undefined) (partition as { currentLeader?: unknown }).currentLeader = undefined
  })
  return atGateway(answer, context)
}

async function exchange(row: PartitionedApi, sent: readonly Sent[], context: ProxyContext): Promise<Fields> {
  const answers = await Promise.all(
    sent.map(async each => {
      const { timeoutMs } = each.portion.request as { timeoutMs?: number }
      const request = each.portion.request
      const answer = await ask(each.way, row.api, context.version, request, patienceMs + Math.max(0, timeoutMs ?? 0))
      return answer instanceof KafkaError ? failedPortion(row, each, answer, context) : (answer as Fields)
    }),
  )
  return settled(merge(answers, row), row, context)
}

function forward(row: PartitionedApi, request: Fields, context: ProxyContext): Promise<Fields> {
  return inTurn(context.peer, route(row, request, context), sent => exchange(row, sent, context))
}

function partitioned(row: PartitionedApi): Handler<Api, ProxyContext> {
  return { api: row.api, keepsBytes: false, handle: (request, context) => forward(row, request, context) }
}

export const produce: Handler<Api, ProxyContext> = {
  api: Produce as never,
  keepsBytes: true,
  handle: (request, context) => (request.acks === 0 ? unanswered : forward)(produceApi, request, context),
}

/** Nobody waits for an answer with acks 0. The leader is asked for one all the same: that bounds how much is under way. */
async function unanswered(row: PartitionedApi, request: Fields, context: ProxyContext): Promise<null> {
  let fine = true
  eachAnswer(await forward(row, { ...request, acks: 1 }, context), row, (_, { errorCode }) => {
    if (errorCode !== ErrorCode.NONE) fine = false
  })
  // The documented way to tell such a client of an error is to close its connection.
  if (!fine) context.peer.finish()
  return null
}

export const listOffsets = partitioned(listOffsetsApi)
export const offsetForLeaderEpoch = partitioned(offsetForLeaderEpochApi)
export const deleteRecords = partitioned(deleteRecordsApi)
export const describeProducers = partitioned(describeProducersApi)
