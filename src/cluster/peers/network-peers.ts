import { showAddress } from '../../client/address.ts'
import { Connection, type ConnectionOptions } from '../../client/connection.ts'
import type { ClientWorld } from '../../client/options.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Api, RequestInput, ResponseOutput } from '../../protocol/schema.ts'
import type { Logger } from '../../world/logger.ts'
import type { Address } from '../../world/world.ts'
import type { Liveness, PeerSendOptions, Peers, PeerTarget } from '../peers.ts'
import { Link } from './link.ts'

export interface PeersOptions {
  readonly world: ClientWorld
  readonly logger: Logger
  /** As other nodes see us in their logs. */
  readonly clientId: string
  readonly clusterId: string
  /** Where a node may be, the likeliest address first: what it registered, what the voters' set says. */
  readonly addresses: (node: number) => readonly Address[]
  /** Where any node may be as well: tried after its own addresses, and not probed. Left out: nowhere else. */
  readonly lastResort?: () => readonly Address[]
  /** Proves the cluster's secret on a new connection; throws SASL_AUTHENTICATION_FAILED. */
  readonly authenticate: (connection: Connection) => Promise<void>
  /** ms that a request may take when it does not say (`controller.quorum.request.timeout.ms`). */
  readonly requestTimeoutMs?: number
  readonly connectTimeoutMs?: number
}

const defaultTimeoutMs = 2000
/** ms: whoever is asked whether he lives either answers quickly or not in time. */
const probeTimeoutMs = 500
const againMs = 20
const maxResponseBytes = 256 * 1024 * 1024
/** Links to bare addresses that are kept: seeds are few. */
const mostLinks = 1000

/** Peers over the network: a link for each target and lane. */
export class NetworkPeers implements Peers {
  readonly #options: PeersOptions
  readonly #links = new Map<string, Link>()
  readonly #watchers: ((node: number) => void)[] = []
  /** What was logged last of each target: the same failure is said once. */
  readonly #complaints = new Map<string, string>()
  #closed = false

  constructor(options: PeersOptions) {
    this.#options = options
  }

  send<A extends Api>(
    to: PeerTarget,
    api: A,
    request: RequestInput<A>,
    options: PeerSendOptions = {},
  ): Promise<ResponseOutput<A>> {
    return this.#link(to, options.lane ?? 'control').send(api, request, options)
  }

  onLost(run: (node: number) => void): () => void {
    this.#watchers.push(run)
    return () => {
      const at = this.#watchers.indexOf(run)
      if (at >= 0) this.#watchers.splice(at, 1)
    }
  }

  async probe(node: number): Promise<Liveness> {
    const known = this.#options.addresses(node)
    let refused = 0
    for (const address of known) {
      const found = await this.#probe(node, address)
      if (found === 'alive') return 'alive'
      if (found === 'refused') refused++
    }
    return known.length > 0 && refused === known.length ? 'refused' : 'unknown'
  }

  close(): void {
    this.#closed = true
    for (const link of this.#links.values()) link.close()
  }

  /** A process that ends closes its connections and its port one after another: who is cut off looks again. */
  async #probe(node: number, address: Address): Promise<Liveness> {
    const { clock, timers } = this.#options.world
    const until = clock.mono() + probeTimeoutMs
    for (;;) {
      const found = await this.#probeOnce(node, address)
      if (found !== 'unknown' || this.#closed || clock.mono() >= until) return found
      await new Promise<void>(resolve => timers.after(againMs, resolve))
    }
  }

  async #probeOnce(node: number, address: Address): Promise<Liveness> {
    const limits = { requestTimeoutMs: probeTimeoutMs, connectTimeoutMs: probeTimeoutMs }
    try {
      const connection = await Connection.open(this.#options.world, address, { ...this.#connection(node), ...limits })
      connection.close()
      return 'alive'
    } catch (error) {
      const cause = error instanceof KafkaError ? (error.cause as { code?: string } | undefined) : undefined
      return cause?.code === 'ECONNREFUSED' ? 'refused' : 'unknown'
    }
  }

  #link(to: PeerTarget, lane: string): Link {
    const key = `${nameOf(to)} ${lane}`
    const known = this.#links.get(key)
    if (known !== undefined) return known
    if (this.#links.size >= mostLinks) this.#forgetIdle()
    const link = new Link({
      world: this.#options.world,
      connection: this.#connection(typeof to === 'number' ? to : -1),
      addresses: typeof to === 'number' ? () => this.#addresses(to) : () => [to],
      lost: () => this.#lost(to),
      failed: error => this.#complain(to, error),
    })
    if (this.#closed) link.close()
    else this.#links.set(key, link)
    return link
  }

  #addresses(node: number): readonly Address[] {
    const { addresses, lastResort } = this.#options
    const more = lastResort?.() ?? []
    return more.length > 0 ? [...addresses(node), ...more] : addresses(node)
  }

  /** `node` −1: whoever answers there is meant. */
  #connection(node: number): ConnectionOptions {
    const { clientId, clusterId, authenticate, requestTimeoutMs, connectTimeoutMs } = this.#options
    return {
      clientId,
      requestTimeoutMs: requestTimeoutMs ?? defaultTimeoutMs,
      connectTimeoutMs: connectTimeoutMs ?? requestTimeoutMs ?? defaultTimeoutMs,
      maxResponseBytes,
      maxInFlight: 100,
      dial: null,
      authenticate,
      expected: { clusterId, nodeId: node },
    }
  }

  #lost(to: PeerTarget): void {
    this.#complaints.delete(nameOf(to))
    if (this.#closed || typeof to !== 'number') return
    this.#options.logger.debug('a connection to a node was lost', { node: to })
    for (const run of [...this.#watchers]) run(to)
  }

  #complain(to: PeerTarget, error: KafkaError): void {
    const name = nameOf(to)
    if (this.#complaints.get(name) === error.message) return
    if (this.#complaints.size >= mostLinks) this.#complaints.clear()
    this.#complaints.set(name, error.message)
    // An unreachable node is ordinary; one that will not have us is not, unless we only guessed that it might be the one.
    const guessed = error.errorName === 'REBOOTSTRAP_REQUIRED' && (this.#options.lastResort?.() ?? []).length > 0
    const serious = error.errorName !== 'NETWORK_EXCEPTION' && error.errorName !== 'REQUEST_TIMED_OUT' && !guessed
    const context = { node: name, error: error.message }
    if (serious) this.#options.logger.warn('a node refuses our connection', context)
    else this.#options.logger.debug('a node cannot be reached', context)
  }

  #forgetIdle(): void {
    for (const [key, link] of this.#links) if (link.idle) this.#links.delete(key)
  }
}

const nameOf = (to: PeerTarget): string => (typeof to === 'number' ? String(to) : showAddress(to))
