import type { Asked, Peer } from '../../broker/handler.ts'
import { Server, type ServerLimits } from '../../broker/server.ts'
import type { Cluster } from '../../client/cluster.ts'
import type { Logger } from '../../world/logger.ts'
import type { Address, World } from '../../world/world.ts'
import { type AnnouncedApis, Announcement } from './announcement.ts'
import { Directory } from './directory.ts'
import { type NodesShown, usuallyShown } from './rewrite.ts'
import { proxiedApis } from './served.ts'
import { Upstream } from './upstream.ts'

/** A request to a gateway. */
export type ProxyContext = Asked<KafkaProxy>

export interface ProxyLimits extends ServerLimits {
  /** The most that one Fetch gives (`fetch.max.bytes`). */
  readonly fetchBytes: number
}

export interface ProxyParts {
  readonly world: World
  readonly logger: Logger
  readonly limits: ProxyLimits
  /** For the gateway's own questions about the cluster. */
  readonly cluster: Cluster
  /** What clients of a listening port are told; without an entry: the address at which they came. */
  readonly advertised: ReadonlyMap<number, Address>
  /** What clients are told of the nodes (`gateway.nodes`). */
  readonly shown: () => NodesShown | 'auto'
}

/** ms without a word from the cluster after which a gateway is of no use to its clients. */
const silenceMs = 15_000

/**
 * Kafka's protocol at a gateway. Clients are told the cluster's nodes by their numbers, but for each of them the gateway's own
 * address; so whoever can reach only the gateway talks to it as to all of them, and what is asked is sent on by its content.
 */
export class KafkaProxy extends Server {
  declare readonly limits: ProxyLimits
  readonly directory: Directory
  /** Bytes of records that came for clients and have not left yet. */
  fetchedUnsent = 0
  readonly #announcement: Announcement
  readonly #advertised: ReadonlyMap<number, Address>
  readonly #shown: () => NodesShown | 'auto'
  readonly #upstreams = new WeakMap<Peer, Upstream>()
  /** Those of clients that are there. */
  readonly #live = new Set<Upstream>()
  /** Nodes that were up when it was looked last. */
  #seen: ReadonlySet<number> = new Set()
  #gone: readonly number[] = []

  constructor({ world, logger, limits, cluster, advertised, shown }: ProxyParts) {
    super(world, logger, limits, proxiedApis)
    this.#advertised = advertised
    this.#shown = shown
    this.directory = new Directory(cluster)
    this.#announcement = new Announcement(cluster, this.directory)
  }

  override servicesFor(): null {
    return null
  }

  override get open(): boolean {
    return !this.stopping && this.world.clock.mono() - this.directory.heard < silenceMs
  }

  /** What speaks Kafka's protocol is turned away. */
  serveNoKafka(): void {
    this.apis.clear()
  }

  /** Clients that reach nodes through us. */
  get upstreams(): number {
    return this.#live.size
  }

  /** The nodes as this client reaches them. */
  upstream({ peer, clientId }: Pick<ProxyContext, 'peer' | 'clientId'>): Upstream {
    let upstream = this.#upstreams.get(peer)
    if (upstream === undefined) {
      const made = new Upstream(this.world, this.directory, clientId)
      upstream = made
      this.#upstreams.set(peer, made)
      this.#live.add(made)
      const close = () => {
        this.#live.delete(made)
        made.close()
      }
      // What it asked may have waited until it was gone.
      if (peer.closed) close()
      else peer.onClose(close)
    }
    return upstream
  }

  /**
   * Called every now and then: who was not up twice in a row is not waited for any more. What is asked of a node that hangs
   * is answered by its successor only when it is asked again.
   */
  leaveTheGone(): void {
    const { brokers } = this.directory
    for (const node of this.#gone) {
      if (!brokers.has(node)) for (const upstream of this.#live) upstream.leave(node)
    }
    this.#gone = [...this.#seen].filter(node => !brokers.has(node))
    this.#seen = new Set(brokers.keys())
  }

  /** The address that this client is told for every node. */
  addressFor({ local }: Peer): Address {
    const { host, port } = this.#advertised.get(local.port) ?? local
    return { host, port }
  }

  /** How the cluster looks to this client. */
  shownTo({ software }: Peer): NodesShown {
    const wanted = this.#shown()
    return wanted === 'auto' ? usuallyShown(software) : wanted
  }

  /** What both sides know. Rejects when the cluster cannot be reached. */
  announced(): Promise<AnnouncedApis> {
    return this.#announcement.get()
  }

  /** The most that a Fetch may give now: less when clients do not take what came for them. */
  mayFetch(): number {
    return Math.max(1, Math.min(this.limits.fetchBytes, this.limits.bytesInFlight - this.fetchedUnsent))
  }
}
