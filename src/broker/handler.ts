import type { Api, RequestOf, ResponseOf } from '../protocol/schema.ts'
import type { Broker } from './broker.ts'
import type { Services } from './services.ts'

/** Who asks, and how. `Host`: the server that is asked. */
export interface Asked<Host> {
  /** Runs when the answer has left, or never will: what it was made of is free again. */
  onSent(run: () => void): void
  readonly broker: Host
  readonly version: number
  readonly clientId: string
  readonly peer: Peer
}

/** A request to a broker. */
export interface RequestContext extends Asked<Broker> {
  /** The floors below. */
  readonly node: Services
}

/** The connection as handlers see it. */
export interface Peer {
  /** The address at which the client reached us, and the client's own. */
  readonly local: { readonly host: string; readonly port: number }
  readonly remote: { readonly host: string; readonly port: number }
  /** Name and version that the client gave in ApiVersions (KIP-511). */
  software: string
  /** True when the other side is a node of this cluster: it has proved the cluster's secret (SCRAM, user `ottla-node`). */
  node: boolean
  /** The other side is a door of this very process. */
  readonly own: boolean
  /** Settled when the Fetch that reads or waits is answered; null: there is none. */
  fetching: Promise<void> | null
  /** Lets that Fetch be answered at once; null: it cannot be hurried. */
  hurryFetch: (() => void) | null
  readonly closed: boolean
  /** Runs when the connection has ended, unless it has already. */
  onClose(run: () => void): () => void
  /** Requests behind this one are not looked at before `until` is settled. */
  hold(until: Promise<unknown>): void
  /** Answers what was asked before, then closes. */
  finish(): void
}

export type { RequestOf, ResponseOf }

/** An answer that is still to come: what a promise would be, without its price, for requests that come by the ten thousand. */
export class Later<R> {
  #value: R | undefined
  #run: ((value: R) => void) | null = null

  /** To be called once. */
  protected answer(value: R): void {
    if (this.#run === null) this.#value = value
    else this.#run(value)
  }

  whenAnswered(run: (value: R) => void): void {
    if (this.#value === undefined) this.#run = run
    else run(this.#value)
  }
}

/** What is sent back; null: the client wants no answer (acks=0). */
export type Reply<R> = R | null | Promise<R | null> | Later<R>

/** One Kafka API as this broker serves it. Thin: decode, call a floor below, encode. */
export interface Handler<A extends Api = Api, Context = RequestContext> {
  readonly api: A
  /** True when views of the request's bytes may outlive the answer (records on their way to the disk, bytes kept in state). */
  readonly keepsBytes: boolean
  // A method, so that a handler of one API also is a handler of "some API".
  handle(request: RequestOf<A>, context: Context): Reply<ResponseOf<A>>
}

/** One whose server knows what its requests come with. */
export type AnyHandler = Handler<Api, never>

/** An answer while it is being put together. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export function handler<A extends Api>(
  api: A,
  handle: (request: RequestOf<A>, context: RequestContext) => Reply<ResponseOf<A>>,
  options: { keepsBytes?: boolean } = {},
): Handler<A> {
  return { api, handle, keepsBytes: options.keepsBytes ?? false }
}
