import type { Logger } from '../world/logger.ts'
import type { Address, Listener, Socket, World } from '../world/world.ts'
import { ApiEntry } from './api-entry.ts'
import { Budget } from './budget.ts'
import { Connection } from './connection.ts'
import { apiKeyOf } from './envelope.ts'
import type { DoorName, Doors } from './guest.ts'
import type { Peer } from './handler.ts'
import { BrokerMetrics } from './metrics.ts'
import type { ServedApi } from './served.ts'

/** How much a server takes on. Bytes, ms, counts. */
export interface ServerLimits {
  /** The largest request (`socket.request.max.bytes`). */
  readonly requestBytes: number
  /** Requests that wait for their answers: of one connection, and of all; of other nodes, all together, as many again. */
  readonly connectionBytesInFlight: number
  readonly bytesInFlight: number
  readonly connections: number
  readonly connectionsPerAddress: number
  readonly idleMs: number
}

/** ms that a client has to close its side of a connection after all its answers. */
const lingerMs = 100

/** Accepts connections and serves a table of Kafka's APIs on them, within limits. What stands behind is its own affair. */
export abstract class Server {
  readonly world: World
  readonly logger: Logger
  readonly limits: ServerLimits
  readonly metrics = new BrokerMetrics()
  /** Where connections go that speak something else; null: nowhere. */
  doors: Doors | null = null
  /**
   * Requests that are not answered yet. Other nodes have a budget to themselves: what clients wait for with acks=all comes
   * with the next Fetches of followers, and heartbeats and votes must not wait for clients.
   */
  readonly ofClients: Budget
  readonly ofNodes: Budget
  protected readonly apis: Map<number, ApiEntry>
  readonly #connections = new Set<Connection>()
  readonly #perAddress = new Map<string, number>()
  /** Connections, those of our own doors left out. */
  #clients = 0
  readonly #listeners: Listener[] = []
  #held = false
  #stopping = false
  #reaper: { cancel(): void } | null = null
  #emptied: () => void = () => {}

  constructor(world: World, logger: Logger, limits: ServerLimits, apis: readonly ServedApi[]) {
    this.world = world
    this.logger = logger
    this.limits = limits
    this.ofClients = new Budget(limits.bytesInFlight)
    this.ofNodes = new Budget(limits.bytesInFlight)
    this.apis = new Map(apis.map(served => [served.key, new ApiEntry(served)]))
  }

  /** Clients are served. */
  abstract get open(): boolean

  /** What handlers stand on that this client asks. */
  abstract servicesFor(peer: Peer): unknown

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
    return this.apis.get(apiKeyOf(frame)) ?? null
  }

  /** Requests of `bytes` were answered. */
  release(budget: Budget, bytes: number): void {
    const { full } = budget
    budget.bytes -= bytes
    if (!full || this.#held || budget.full) return
    // Connections that wait for their common budget go on, one turn later so that the answers leave first.
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
  }
}
