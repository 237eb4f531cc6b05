import type { Handler } from '../../broker/handler.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { Fetch } from '../../protocol/messages/fetch.ts'
import type { Api, RequestOf } from '../../protocol/schema.ts'
import { ask, inTurn, patienceMs } from './exchange.ts'
import { failedPortion, type PartitionedApi, route, type Sent, settled } from './partitioned.ts'
import { fetchFields, type Outstanding, PendingFetches } from './pending-fetches.ts'
import type { ProxyContext } from './proxy.ts'
import { type Fields, merge, refused } from './split.ts'
import type { Upstream } from './upstream.ts'

type Request = RequestOf<typeof Fetch>

const noRecords = new Uint8Array(0)

export const fetchApi: PartitionedApi = {
  api: Fetch as never,
  ...fetchFields,
  failed: (partitionIndex, errorCode) => ({
    partitionIndex,
    errorCode,
    // Clients take it for "not known"; without records there are empty ones, or some (kafka-python) fail.
    highWatermark: -1,
    abortedTransactions: null,
    records: noRecords,
  }),
  changes: false,
}

/** Fetches of one connection that read at the same time: of clients that take all nodes for one, since they have one address. */
const mostReads = 16

/** What one client fetches. */
class Reader {
  readonly pending: PendingFetches
  /** Those that wait, in the order in which they are answered. Called, one waits no longer. */
  readonly #waiting: (() => void)[] = []

  constructor(context: ProxyContext) {
    this.pending = new PendingFetches(bytes => {
      context.broker.fetchedUnsent += bytes
    })
  }

  /** One more would have to wait. */
  get full(): boolean {
    return this.#waiting.length >= mostReads
  }

  /**
   * Fulfilled when one of them has something for the client, or all have nothing, or something has come for a request behind
   * this one: that cannot be answered before.
   */
  async firstWithRecords(asked: readonly Outstanding[]): Promise<void> {
    let hurry: () => void = () => {}
    const found = new Promise<void>((resolve, reject) => {
      hurry = resolve
      let left = asked.length
      for (const each of asked)
        each.done.then(() => {
          left--
          if (left === 0 || each.tells) resolve()
        }, reject)
    })
    this.#waiting.push(hurry)
    try {
      await found
    } finally {
      const place = this.#waiting.indexOf(hurry)
      for (const before of this.#waiting.splice(0, place + 1)) before()
    }
  }
}

const readers = new WeakMap<Upstream, Reader>()

function readerOf(context: ProxyContext): Reader {
  const upstream = context.broker.upstream(context)
  let reader = readers.get(upstream)
  if (reader === undefined) {
    const made = new Reader(context)
    reader = made
    readers.set(upstream, made)
    upstream.onClose(() => made.pending.close())
  }
  return reader
}

/**
 * Reads at the leaders. There are no sessions here (KIP-227): a client is told so, and names all its partitions each time. Of
 * several leaders the first that has something ends the wait; what the others bring later is kept for the next request.
 */
export const fetch: Handler<Api, ProxyContext> = {
  api: Fetch as never,
  keepsBytes: false,
  handle(asked, context) {
    const request = asked as unknown as Request
    const refusal = refusalOf(request)
    if (refusal !== null) return { errorCode: refusal, sessionId: 0, responses: [] } as never
    const { peer } = context
    if (peer.fetching === null) return begin(request, context) as never
    // Answers leave in order: what was read for those behind would only take memory.
    let answer: Promise<Fields> | null = null
    const begun = peer.fetching.then(() => {
      answer = begin(request, context)
    })
    peer.hold(begun)
    return begun.then(() => answer) as never
  },
}

function refusalOf({ replicaId, replicaState, sessionEpoch }: Request): number | null {
  // A follower's Fetch is a word between nodes.
  if (replicaId >= 0 || replicaState.replicaId >= 0) return ErrorCode.CLUSTER_AUTHORIZATION_FAILED
  return sessionEpoch > 0 ? ErrorCode.FETCH_SESSION_ID_NOT_FOUND : null
}

function begin(request: Request, context: ProxyContext): Promise<Fields> {
  const { peer } = context
  const reader = readerOf(context)
  const sent = route(fetchApi, plain(request, context), context, 'fetch')
  const answer = inTurn(peer, sent, portions => read(portions, reader, context))
  const done = () => {
    peer.fetching = null
  }
  // With room for more those behind may read, too.
  const settled = answer.then(done, done)
  peer.fetching = reader.full ? settled : null
  return answer
}

/** As leaders are asked: for everything that is named, and for records, not for a copy that is nearer (KIP-392). */
function plain(request: Request, { broker }: ProxyContext): Fields {
  const maxBytes = Math.min(request.maxBytes, broker.mayFetch())
  return { ...request, sessionId: 0, sessionEpoch: -1, forgottenTopicsData: [], rackId: '', maxBytes }
}

async function read(sent: readonly Sent[], reader: Reader, context: ProxyContext): Promise<Fields> {
  const { pending } = reader
  const asked = sent.map(
    each => pending.find(each.portion) ?? pending.add(each.portion, send(each, sent.length, context)),
  )
  await reader.firstWithRecords(asked)
  let bytes = 0
  const answers = asked.map(each => {
    bytes += each.bytes
    return (
      pending.take(each) ?? refused(each.portion.request, fetchApi, index => fetchApi.failed(index, ErrorCode.NONE))
    )
  })
  // Counted since they came, until they have left.
  context.onSent(() => {
    context.broker.fetchedUnsent -= bytes
  })
  return settled(merge(answers, fetchApi), fetchApi, context)
}

async function send(sent: Sent, nodes: number, context: ProxyContext): Promise<Fields> {
  const whole = sent.portion.request as unknown as Request
  const { maxWaitMs, maxBytes, minBytes } = whole
  // Each node has its part of the bytes; how many the others have it does not know.
  const part = { maxBytes: Math.max(1, Math.floor(maxBytes / nodes)), minBytes: Math.min(1, minBytes) }
  const request = nodes === 1 ? whole : { ...whole, ...part }
  const answer = await ask(sent.way, Fetch as never, context.version, request, patienceMs + Math.max(0, maxWaitMs))
  return answer instanceof KafkaError ? failedPortion(fetchApi, sent, answer, context) : (answer as Fields)
}
