import { TokenBucket } from '../replication/throttle.ts'
import type { Logger } from '../world/logger.ts'
import type { Address, Listener, Socket, World } from '../world/world.ts'
import { ApiEntry } from './api-entry.ts'
import { Connection } from './connection.ts'
import { DelayedOperations } from './delayed.ts'
import { apiKeyOf } from './envelope.ts'
import { FetchSessions } from './fetch/session.ts'
import { forNodes, Gate } from './gate.ts'
import type { DoorName, Doors } from './guest.ts'
import { BrokerMetrics } from './metrics.ts'
import { nodeApis, servedApis } from './served.ts'
import type { Services } from './services.ts'

export type { ApiEntry } from './api-entry.ts'

/** How much a broker takes on. Bytes, ms, counts. */
export interface BrokerLimits {
  /** The largest request (`socket.request.max.bytes`). */
  readonly requestBytes: number
  /** Requests that wait for their answers: of one connection, and of all. */
  readonly connectionBytesInFlight: number
  readonly bytesInFlight: number
  /** The most that one Fetch gives (`fetch.max.bytes`). */
  readonly fetchBytes: number
  readonly connections: number
  readonly connectionsPerAddress: number
  readonly idleMs: number
  readonly fetchSessions: number
  /** What replicas that are being moved may take of this node. */
  readonly movedBytesPerSecond: number
}

/** ms that a client has to close its side of a connection after all its answers. */
const lingerMs = 100

/** Accepts connections and knows everything that handlers need: the floors below, by name. */
export class Broker {
  readonly world: World
  readonly logger: Logger
  readonly limits: BrokerLimits
  readonly services: Services
  /** The same for other nodes of the cluster: what they ask of the controller was forwarded once, and is not again. */
  readonly servicesForNodes: Services
  readonly metrics = new BrokerMetrics()
  readonly delayed: DelayedOperations
  readonly fetchSessions: FetchSessions
  /** What replicas may take of us that are being moved to other nodes. */
  readonly moves: TokenBucket
  /** Where connections go that speak something else; null: nowhere. */
  doors: Doors | null = null
  /** Bytes of all requests that are not answered yet. */
  bytesInFlight = 0
  /** Bytes of records that were read for clients and have not left yet. */
  fetchedUnsent = 0
  readonly #apis = new Map([...servedApis, ...nodeApis].map(served => [served.key, new ApiEntry(served)]))
  readonly #connections = new Set<Connection>()
  readonly #perAddress = new Map<string, number>()
  /** Connections, those of our own doors left out. */
  #clients = 0
  readonly #listeners: Listener[] = []
  #gate: Gate | null = null
  #held = false
  #stopping = false
  #reaper: { cancel(): void } | null = null
  #emptied: () => void = () => {}

  constructor(
    world: World,
    logger: Logger,
    limits: BrokerLimits,
    services: Services,
    servicesForNodes: Services = services,
  ) {
    this.world = world
    this.logger = logger
    this.limits = limits
    this.services = services
    this.servicesForNodes = servicesForNodes
    this.delayed = new DelayedOperations(world.clock, world.timers)
    this.fetchSessions = new FetchSessions(limits.fetchSessions, world.random)
    this.moves = new TokenBucket(
      () => world.clock.mono(),
      () => limits.movedBytesPerSecond,
    )
  }

  /** Begins to serve at `address`; returns where it really listens. Rejects with EADDRINUSE and its kin. */
  async listen(address: Address): Promise<Address> {
    const listener = await this.world.net.listen(address, socket => this.accept(socket))
    this.adopt([listener])
    return listener.address
  }

  /** Sockets that were opened before there was a broker, and give it what they accept. */
  adopt(listeners: readonly Listener[]): void {
    this.#listeners.push(...listeners)
    if (this.#reaper === null) this.#reap()
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
    for (const [key, entry] of this.#apis) this.#apis.set(key, forNodes(entry))
  }

  /** Clients are served. */
  get open(): boolean {
    return this.#gate === null && !this.#stopping
  }

  get stopping(): boolean {
    return this.#stopping
  }

  get connections(): number {
    return this.#clients
  }

  /** `door`: the socket came to a port of that door's own. */
  accept(socket: Socket, door: DoorName | null = null): void {
    const { host } = socket.remote
    const fromThere = this.#perAddress.get(host) ?? 0
    if (this.#stopping || this.#clients >= this.limits.connections || fromThere >= this.limits.connectionsPerAddress) {
      this.metrics.connectionsRefused++
      socket.destroy()
      return
    }
    this.metrics.connectionsAccepted++
    this.#perAddress.set(host, fromThere + 1)
    this.#clients++
    this.#connections.add(new Connection(this, socket, door))
  }

  /** A connection of a door's own client, from inside of this process: whom it serves has been counted already. */
  acceptOwn(socket: Socket): void {
    if (this.#stopping) socket.destroy()
    else this.#connections.add(new Connection(this, socket, null, true))
  }

  forget(connection: Connection): void {
    if (!this.#connections.delete(connection)) return
    if (!connection.own) this.#clientLeft(connection.remote.host)
    if (this.#connections.size === 0) this.#emptied()
  }

  #clientLeft(host: string): void {
    this.#clients--
    const left = (this.#perAddress.get(host) ?? 1) - 1
    if (left === 0) this.#perAddress.delete(host)
    else this.#perAddress.set(host, left)
  }

  /** The API that a frame asks for; null when it is not served. */
  api(frame: Buffer): ApiEntry | null {
    const entry = this.#apis.get(apiKeyOf(frame)) ?? null
    return entry === null || this.#gate === null ? entry : this.#gate.hold(entry)
  }

  /** The most that a Fetch may give now: less when clients do not take what was read for them. */
  mayFetch(): number {
    return Math.max(1, Math.min(this.limits.fetchBytes, this.limits.bytesInFlight - this.fetchedUnsent))
  }

  /** Requests of `bytes` were answered. */
  release(bytes: number): void {
    const full = this.bytesInFlight >= this.limits.bytesInFlight
    this.bytesInFlight -= bytes
    if (!full || this.#held || this.bytesInFlight >= this.limits.bytesInFlight) return
    // Connections that wait for the common budget go on, one turn later so that the answers leave first.
    this.#held = true
    this.world.timers.soon(() => {
      this.#held = false
      for (const connection of this.#connections) connection.proceed()
    })
  }

  /** Closes connections on which nothing has moved for `idleMs`; none when that is negative, as in Kafka. */
  #reap(): void {
    if (this.limits.idleMs < 0) return
    const everyMs = Math.max(100, Math.min(10_000, this.limits.idleMs / 4))
    this.#reaper = this.world.timers.after(everyMs, () => {
      const before = this.world.clock.mono() - this.limits.idleMs
      for (const connection of this.#connections)
        if (connection.idle && connection.lastActive < before) {
          this.metrics.connectionsExpired++
          connection.destroy()
        }
      this.#reap()
    })
  }

  /** No new connections, no new requests; what is in flight is answered. `release` lets go whoever would wait for long. */
  async drain(graceMs: number, release: () => void): Promise<void> {
    this.#stopping = true
    this.#reaper?.cancel()
    await Promise.all(this.#listeners.map(listener => listener.close()))
    for (const connection of [...this.#connections]) connection.finish()
    this.delayed.hurry()
    release()
    // The last connection itself goes on with what follows: a timer would not keep the process alive until then.
    if (this.#connections.size > 0)
      await new Promise<void>(resolve => {
        this.#emptied = resolve
        this.world.timers.after(graceMs, resolve)
        this.#letGo()
      })
    this.abort()
  }

  /**
   * Some clients look at a connection only when they ask something: they neither see that it ended nor close their side, and
   * would wait for the answer to a question that nobody hears any more. Who has all its answers is not waited for.
   */
  #letGo(): void {
    const answered = [...this.#connections].filter(connection => connection.answered)
    this.world.timers.after(lingerMs, () => {
      for (const connection of answered) if (!connection.closed) connection.destroy()
      if (this.#connections.size > 0) this.#letGo()
    })
  }

  /** Everybody out, at once: nothing is promised any more. */
  abort(): void {
    this.#stopping = true
    this.#reaper?.cancel()
    for (const listener of this.#listeners) void listener.close()
    for (const connection of [...this.#connections]) connection.destroy()
    this.delayed.clear()
  }
}
