import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { Fetch } from '../../protocol/messages/fetch.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { Partition, ReplicaFetch } from '../../replication/partition.ts'
import { readableBy } from '../fetch/convert.ts'
import { DelayedFetch, type FetchResult } from '../fetch/fetch.ts'
import { preferredReplica, selectsByRack } from '../fetch/preferred-replica.ts'
import { type FetchPartition, type FetchSession, finalEpoch, initialEpoch } from '../fetch/session.ts'
import { handler, type Mutable, type RequestContext, type RequestOf, type ResponseOf } from '../handler.ts'
import { type CurrentLeader, currentLeader, isMoved, leaderEndpoints } from '../new-leader.ts'
import { fetchesMetadata, fetchMetadata } from '../quorum/metadata-fetch.ts'

/** A follower whose answers have this many bytes is busy. */
const busyBytes = 24 * 1024

type Request = RequestOf<typeof Fetch>
type Response = ResponseOf<typeof Fetch>
type TopicResponse = Mutable<Response['responses'][number]>
type PartitionResponse = Mutable<TopicResponse['partitions'][number]>

/**
 * Consumers read here, with long polls and incremental sessions (KIP-74, 227, 320, 516). Of the Fetches of one connection
 * only the first reads or waits: answers leave in order anyhow, and what was read for those behind would only take memory.
 */
export default handler(Fetch, (request, context) => {
  const { peer } = context
  if (fetchesMetadata(request, context)) return fetchMetadata(request, context)
  if (peer.fetching === null) return begin(request, context)
  // A node's next Fetch says what it has by now, or which partitions it wants: that must not wait behind the last one.
  if (peer.node) peer.hurryFetch?.()
  let reply: Response | Promise<Response> | null = null
  const begun = peer.fetching.then(() => {
    reply = begin(request, context)
  })
  peer.hold(begun)
  return begun.then(() => reply)
})

function begin(request: Request, context: RequestContext): Response | Promise<Response> {
  const { peer } = context
  const reply = answer(request, context)
  if (reply instanceof Promise) {
    const done = () => {
      peer.fetching = null
      peer.hurryFetch = null
    }
    peer.fetching = reply.then(done, done)
  }
  return reply
}

function answer(request: Request, context: RequestContext): Response | Promise<Response> {
  const { broker, node, peer } = context
  const replica = replicaOf(request)
  // A follower's fetch moves the high watermark: only a broker of this cluster may do that.
  if (replica !== null && !peer.node) return refuse(new KafkaError('CLUSTER_AUTHORIZATION_FAILED'))
  let session: FetchSession | null
  try {
    session = openSession(request, context)
  } catch (error) {
    return refuse(error)
  }
  const full = request.sessionEpoch <= initialEpoch
  const wanted = full && session === null ? partitionsOf(request, context) : (session?.partitions() ?? [])
  const fetch = new DelayedFetch(node.replicas, broker.delayed, node.volume, wanted, {
    maxWaitMs: broker.stopping ? 0 : request.maxWaitMs,
    minBytes: request.minBytes,
    // Producers wait for followers: what consumers leave must not keep these from reading. Nodes are few, and take what they ask.
    maxBytes: replica === null ? Math.min(request.maxBytes, broker.mayFetch()) : request.maxBytes,
    replica,
    tellsCommitted: replica !== null && selectsByRack(node.config.get('replica.selector.class')),
    moves: replica === null ? null : { bucket: broker.moves, timers: broker.world.timers },
    gather: replica !== null && (session?.recentBytes ?? 0) >= busyBytes ? broker.world.timers : null,
    anyReplica: replica === null && context.version >= 11,
    nearer: nearerOf(request, context),
    namedUpTo: session?.changes ?? 0,
  })
  let sent = false
  let fetched = 0
  context.onSent(() => {
    sent = true
    broker.fetchedUnsent -= fetched
    fetch.release()
  })
  const give = (results: readonly FetchResult[]) => {
    if (!sent) {
      for (const { bytes } of results) fetched += bytes
      broker.fetchedUnsent += fetched
    }
    return respond(results, session, full, context)
  }
  const results = fetch.run()
  if (!(results instanceof Promise)) return give(results)
  if (peer.node) peer.hurryFetch = () => fetch.hurry()
  const forget = peer.onClose(() => fetch.cancel())
  return results.finally(forget).then(give)
}

/** Since version 15 a follower also says which process of its broker it is (KIP-903). */
function replicaOf({ replicaId, replicaState }: Request): ReplicaFetch | null {
  if (replicaState.replicaId >= 0) return { replicaId: replicaState.replicaId, brokerEpoch: replicaState.replicaEpoch }
  return replicaId >= 0 ? { replicaId, brokerEpoch: -1 } : null
}

/** For a consumer that says in which rack it is (KIP-392). */
function nearerOf({ rackId }: Request, { node, version }: RequestContext) {
  if (rackId === '' || version < 11 || !selectsByRack(node.config.get('replica.selector.class'))) return null
  const { brokers } = node.cluster
  return (partition: Partition, fetchOffset: number) => preferredReplica(partition, fetchOffset, rackId, brokers)
}

function refuse(error: unknown): Response {
  if (!(error instanceof KafkaError)) throw error
  return { errorCode: error.code, sessionId: 0, responses: [] }
}

function partitionsOf(request: Request, { version, node }: RequestContext): FetchPartition[] {
  const partitions: FetchPartition[] = []
  for (const topic of request.topics) {
    // Sessions and replicas are named both ways; what the client did not say is looked up once.
    const name = version >= 13 ? (node.cluster.topicsById.get(topic.topicId)?.name ?? '') : topic.topic
    const topicId = version >= 13 ? topic.topicId : ZERO_UUID
    for (const partition of topic.partitions)
      partitions.push({
        topic: name,
        topicId,
        partition: partition.partition,
        currentLeaderEpoch: partition.currentLeaderEpoch,
        fetchOffset: partition.fetchOffset,
        lastFetchedEpoch: partition.lastFetchedEpoch,
        logStartOffset: partition.logStartOffset,
        maxBytes: partition.partitionMaxBytes,
        downstream: partition.downstream.length === 0 ? null : partition.downstream,
        fresh: true,
        namedIn: 0,
        toldHighWatermark: -1,
        toldLogStartOffset: -1,
      })
  }
  return partitions
}

function openSession(request: Request, context: RequestContext): FetchSession | null {
  const { broker, version } = context
  const byId = version >= 13
  const now = broker.world.clock.mono()
  const sessions = broker.fetchSessions
  if (request.sessionEpoch === finalEpoch || request.sessionEpoch === initialEpoch) {
    if (request.sessionId !== 0) sessions.close(request.sessionId)
    // Before v7 there are no sessions; the epoch reads as final then.
    if (request.sessionEpoch === finalEpoch) return null
    const wanted = partitionsOf(request, context)
    // A follower may begin without any partition: it has a session to name them in.
    const session =
      wanted.length === 0 && replicaOf(request) === null ? null : sessions.open(byId, now, replicaOf(request) !== null)
    return session !== null && sessions.update(session, wanted, []) ? session : null
  }
  const session = sessions.continue(request.sessionId, request.sessionEpoch, byId, now)
  const forgotten = request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
    partitions.map(partition => ({ topic, topicId, partition })),
  )
  if (!sessions.update(session, partitionsOf(request, context), forgotten))
    throw new KafkaError('FETCH_SESSION_ID_NOT_FOUND', 'the session became too large')
  return session
}

function respond(
  results: readonly FetchResult[],
  session: FetchSession | null,
  full: boolean,
  context: RequestContext,
): Response | Promise<Response> {
  const conversion = readableBy(context.version, results)
  if (conversion instanceof Promise) return conversion.then(() => build(results, session, full, context))
  return build(results, session, full, context)
}

function build(
  results: readonly FetchResult[],
  session: FetchSession | null,
  full: boolean,
  context: RequestContext,
): Response {
  const { broker, version } = context
  const responses: TopicResponse[] = []
  const leaders: CurrentLeader[] = []
  let name = ''
  let topicId = ''
  let partitions: PartitionResponse[] = []
  for (const result of results) {
    const { wanted } = result
    if (!full && !changed(result)) continue
    wanted.toldHighWatermark = result.highWatermark
    wanted.toldLogStartOffset = result.logStartOffset
    if (responses.length === 0 || name !== wanted.topic || topicId !== wanted.topicId) {
      ;({ topic: name, topicId } = wanted)
      partitions = []
      responses.push({ topic: name, topicId, partitions })
    }
    const response = partitionResponse(result)
    const leader = version >= 12 && isMoved(result.error?.errorName) ? leaderOf(wanted, context) : null
    if (leader !== null) {
      response.currentLeader = leader
      leaders.push(leader)
    }
    partitions.push(response)
    if (result.error?.errorName === 'KAFKA_STORAGE_ERROR')
      broker.logger.warn('records could not be read', {
        topic: wanted.topic,
        partition: wanted.partition,
        error: result.error.message,
      })
    if (result.error !== null) broker.metrics.fetchErrors++
    broker.metrics.fetched(wanted.topic, result.bytes, context.peer.node)
  }
  if (session !== null) {
    let bytes = 0
    for (const result of results) bytes += result.bytes
    session.recentBytes = (session.recentBytes + bytes) / 2
  }
  session?.rotate(new Set(results.filter(({ bytes }) => bytes > 0).map(({ wanted }) => wanted)))
  const sessionId = session?.id ?? 0
  const answer: Mutable<Response> = { errorCode: ErrorCode.NONE, sessionId, responses }
  if (leaders.length > 0 && version >= 16 && !context.peer.node)
    answer.nodeEndpoints = leaderEndpoints(leaders, context)
  return answer
}

function leaderOf({ topic: name, topicId, partition }: FetchPartition, context: RequestContext): CurrentLeader | null {
  return currentLeader({ name, topicId }, partition, context)
}

/** An incremental answer holds only what the client does not know yet (KIP-227). */
function changed({
  wanted,
  error,
  diverging,
  preferredReadReplica,
  bytes,
  highWatermark,
  logStartOffset,
}: FetchResult): boolean {
  return (
    bytes > 0 ||
    error !== null ||
    diverging !== null ||
    preferredReadReplica >= 0 ||
    highWatermark !== wanted.toldHighWatermark ||
    logStartOffset !== wanted.toldLogStartOffset
  )
}

function partitionResponse(result: FetchResult): PartitionResponse {
  const { error, diverging } = result
  const response: PartitionResponse = {
    partitionIndex: result.wanted.partition,
    errorCode: error === null ? ErrorCode.NONE : error.code,
    highWatermark: result.highWatermark,
    lastStableOffset: result.lastStableOffset,
    logStartOffset: result.logStartOffset,
    abortedTransactions: null,
    preferredReadReplica: result.preferredReadReplica,
    records: result.records,
  }
  if (diverging !== null) response.divergingEpoch = diverging
  return response
}
