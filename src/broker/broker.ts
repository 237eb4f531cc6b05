import { TokenBucket } from '../replication/throttle.ts'
import type { Logger } from '../world/logger.ts'
import type { World } from '../world/world.ts'
import type { ApiEntry } from './api-entry.ts'
import { DelayedOperations } from './delayed.ts'
import { FetchSessions } from './fetch/session.ts'
import { forNodes, Gate } from './gate.ts'
import type { Peer } from './handler.ts'
import { nodeApis, servedApis } from './served.ts'
import { Server, type ServerLimits } from './server.ts'
import type { Services } from './services.ts'

export type { ApiEntry } from './api-entry.ts'

/** How much a broker takes on. Bytes, ms, counts. */
export interface BrokerLimits extends ServerLimits {
  /** The most that one Fetch gives (`fetch.max.bytes`). */
  readonly fetchBytes: number
  readonly fetchSessions: number
  /** What replicas that are being moved may take of this node. */
  readonly movedBytesPerSecond: number
}

const apis = [...servedApis, ...nodeApis]

/** Serves Kafka's APIs and knows everything that handlers need: the floors below, by name. */
export class Broker extends Server {
  declare readonly limits: BrokerLimits
  readonly services: Services
  /** The same for other nodes of the cluster: what they ask of the controller was forwarded once, and is not again. */
  readonly servicesForNodes: Services
  readonly delayed: DelayedOperations
  readonly fetchSessions: FetchSessions
  /** What replicas may take of us that are being moved to other nodes. */
  readonly moves: TokenBucket
  /** Bytes of records that were read for clients and have not left yet. */
  fetchedUnsent = 0
  #gate: Gate | null = null

  constructor(
    world: World,
    logger: Logger,
    limits: BrokerLimits,
    services: Services,
    servicesForNodes: Services = services,
  ) {
    super(world, logger, limits, apis)
    this.services = services
    this.servicesForNodes = servicesForNodes
    this.delayed = new DelayedOperations(world.clock, world.timers)
    this.fetchSessions = new FetchSessions(limits.fetchSessions, world.random)
    this.moves = new TokenBucket(
      () => world.clock.mono(),
      () => limits.movedBytesPerSecond,
    )
  }

  override servicesFor(peer: Peer): Services {
    return peer.node ? this.servicesForNodes : this.services
  }

  /** From now on only other nodes are answered; clients wait, for a while, until `openGate`. */
  closeGate(): void {
    this.#gate = new Gate(this.world.timers)
  }

  openGate(): void {
    this.#gate?.open()
    this.#gate = null
  }

  /** Kafka's clients are not served here, only other nodes and our own doors. */
  serveNodesOnly(): void {
    for (const [key, entry] of this.apis) this.apis.set(key, forNodes(entry))
  }

  override get open(): boolean {
    return this.#gate === null && !this.stopping
  }

  override api(frame: Buffer): ApiEntry | null {
    const entry = super.api(frame)
    return entry === null || this.#gate === null ? entry : this.#gate.hold(entry)
  }

  /** The most that a Fetch may give now: less when clients do not take what was read for them. */
  mayFetch(): number {
    return Math.max(1, Math.min(this.limits.fetchBytes, this.limits.bytesInFlight - this.fetchedUnsent))
  }

  override drain(graceMs: number, release: () => void): Promise<void> {
    return super.drain(graceMs, () => {
      this.delayed.hurry()
      release()
    })
  }

  override abort(): void {
    super.abort()
    this.delayed.clear()
  }
}
