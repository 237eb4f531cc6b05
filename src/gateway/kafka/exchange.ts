import type { Handler, Peer } from '../../broker/handler.ts'
import type { Connection } from '../../client/connection.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Api, ResponseOf, ResponseOutput } from '../../protocol/schema.ts'
import type { ProxyContext } from './proxy.ts'
import type { Lane, Upstream } from './upstream.ts'

/** ms that a node may take for an answer beyond what the request allows it. Clients are less patient, and end it by going. */
export const patienceMs = 60_000

/** A way to a node, or why there is none. */
export type Way = Connection | KafkaError

/** The connection to a node, at once where it is open. */
export function wayTo(upstream: Upstream, node: number, lane: Lane = 'main'): Way | Promise<Way> {
  return upstream.ready(node, lane) ?? upstream.to(node, lane).catch(expected)
}

/** As `wayTo`, to all of them. */
export function waysTo(upstream: Upstream, nodes: readonly number[], lane: Lane = 'main'): Way[] | Promise<Way[]> {
  const ways = nodes.map(node => wayTo(upstream, node, lane))
  return ways.some(way => way instanceof Promise) ? Promise.all(ways) : (ways as Way[])
}

/** Asks in the very version in which the client asked. What goes wrong is given, not thrown. */
export function ask<A extends Api>(
  way: Way,
  api: A,
  version: number,
  request: unknown,
  timeoutMs = patienceMs,
): Promise<ResponseOutput<A> | KafkaError> {
  if (way instanceof KafkaError) return Promise.resolve(way)
  const options = { minVersion: version, maxVersion: version, timeoutMs }
  return way.request(api, request as never, options).catch(expected) as Promise<ResponseOutput<A> | KafkaError>
}

/** Errors that are part of life; everything else is a bug. */
export function expected(error: unknown): KafkaError {
  if (error instanceof KafkaError) return error
  throw error
}

/**
 * Sends when everything is there that it takes; requests behind this one do not overtake it. What is there already is sent
 * at once.
 */
export function inTurn<Prepared, Answer>(
  peer: Pick<Peer, 'hold'>,
  prepared: Prepared | Promise<Prepared>,
  send: (prepared: Prepared) => Promise<Answer>,
): Promise<Answer> {
  if (!(prepared instanceof Promise)) return send(prepared)
  let answer: Promise<Answer> | null = null
  const begun = prepared.then(ready => {
    answer = send(ready)
  })
  peer.hold(begun)
  return begun.then(() => answer as Promise<Answer>)
}

/** No answer, and the end of the connection: what a client meets at a node that dies. */
export function goAway(peer: Pick<Peer, 'finish'>): null {
  peer.finish()
  return null
}

/**
 * An API that each node answers for itself: who does not say which node is meant gets what all of them say. `merge` makes one
 * answer of theirs, by node, in the order of their ids; errors stand for nodes that did not answer.
 */
export function everyNode<A extends Api>(
  api: A,
  merge: (answers: ReadonlyMap<number, ResponseOutput<A> | KafkaError>) => ResponseOf<A>,
): Handler<Api, ProxyContext> {
  return {
    api,
    keepsBytes: false,
    handle(request, context) {
      const upstream = context.broker.upstream(context)
      const nodes = upstream.everyNode()
      return inTurn(context.peer, waysTo(upstream, nodes), async ways => {
        const answers = await Promise.all(ways.map(way => ask(way, api, context.version, request)))
        return merge(new Map(answers.map((answer, i) => [nodes[i]!, answer])))
      }) as never
    },
  }
}
