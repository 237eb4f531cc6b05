import type { Api, RequestInput, ResponseOutput } from '../protocol/schema.ts'
import type { Address } from '../world/world.ts'

/** Where a request goes: a node of the cluster (its address is looked up in the metadata, or among the voters) or an address. */
export type PeerTarget = number | Address

export interface PeerSendOptions {
  /** Requests of one lane are pipelined and answered in order; lanes do not wait for one another. Default `control`. */
  readonly lane?: string
  /** ms until the request is given up, with its connection: later answers could not overtake it. */
  readonly timeoutMs?: number
  /** No newer version than this, although both sides know one. */
  readonly version?: number
}

/** 'alive': connection and proof of the secret work; 'refused': nobody listens there, the process is gone; else 'unknown'. */
export type Liveness = 'alive' | 'refused' | 'unknown'

/** How nodes of one cluster talk to each other: Kafka's protocol over connections on which we have proved the cluster's secret. */
export interface Peers {
  /**
   * Sends over the one connection that there is for this target and lane; it is opened when needed. Rejects with a
   * KafkaError: NETWORK_EXCEPTION (not sent, or its answer lost), REQUEST_TIMED_OUT, SASL_AUTHENTICATION_FAILED (not of
   * our cluster), UNSUPPORTED_VERSION. Nothing is tried again.
   */
  send<A extends Api>(
    to: PeerTarget,
    api: A,
    request: RequestInput<A>,
    options?: PeerSendOptions,
  ): Promise<ResponseOutput<A>>
  /**
   * Called when a connection that was open to a node ended without our doing: its process may have died (`probe` tells).
   * Returns what ends the watch.
   */
  onLost(run: (node: number) => void): () => void
  /** Connects anew to see whether somebody is there. */
  probe(node: number): Promise<Liveness>
  /** What is under way is rejected with NETWORK_EXCEPTION, and all that comes later. */
  close(): void
}
