import type { Address, Socket, World } from '../world/world.ts'
import type { Connection } from './connection.ts'

/** What a client needs of the world: it neither reads nor writes files. */
export type ClientWorld = Pick<World, 'net' | 'timers' | 'clock' | 'random'>

/** What every part of a client knows. Names are those of Kafka's clients, times are ms. */
export interface ClientOptions {
  readonly bootstrap: readonly Address[]
  readonly clientId: string | null
  /** After so long without an answer the connection is given up. */
  readonly requestTimeoutMs: number
  /** How long a call may be retried in all. */
  readonly apiTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  readonly metadataMaxAgeMs: number
  /** Largest answer that is taken, bytes. */
  readonly maxResponseBytes: number
  /** Requests on one connection that wait for their answers; more wait before they are sent. */
  readonly maxInFlight: number
  /** Instead of plain TCP: TLS. */
  readonly dial: ((address: Address) => Promise<Socket>) | null
  /** Called with every new connection before it is used: SASL. */
  readonly authenticate: ((connection: Connection) => Promise<void>) | null
}

export const defaultClientOptions: Omit<ClientOptions, 'bootstrap'> = {
  clientId: 'ottla',
  requestTimeoutMs: 30_000,
  apiTimeoutMs: 60_000,
  connectTimeoutMs: 10_000,
  retryBackoffMs: 100,
  retryBackoffMaxMs: 1_000,
  metadataMaxAgeMs: 300_000,
  maxResponseBytes: 256 * 1024 * 1024,
  maxInFlight: 100,
  dial: null,
  authenticate: null,
}
