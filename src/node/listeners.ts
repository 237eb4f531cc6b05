import { type DoorName, doorNames } from '../broker/guest.ts'
import { showAddress } from '../client/address.ts'
import type { Endpoint } from '../config/addresses.ts'
import type { ResolvedConfig } from '../config/sources.ts'
import type { Address, Listener, Net, Socket, Timers, World } from '../world/world.ts'

/** One configured listener, bound. */
interface Bound {
  readonly name: string
  /** As configured. */
  readonly host: string
  readonly port: number
  readonly sockets: readonly Listener[]
}

/** A port of a door's own. */
interface DoorPort {
  readonly door: DoorName
  readonly host: string
  readonly port: number
  readonly sockets: readonly Listener[]
}

/** What the broker does with a connection. `door`: it came to a port of that door's own. */
type Accept = (socket: Socket, door: DoorName | null) => void

/** Connections that may wait for the broker to stand. */
const mostEarly = 1000
/** ms that they wait: a client that knows other nodes should soon try them. */
const patienceMs = 3000

const loopback = /^(localhost|127\.0\.0\.1|::1)$/
const everywhere = /^(0\.0\.0\.0|::|)$/

/** The sockets of a node: bound before anything else, so that its port is known to it, served when there is a broker. */
export class Listeners {
  readonly #bound: readonly Bound[]
  readonly #told: ReadonlyMap<string, Address>
  readonly #timers: Timers
  readonly #early = new Map<Socket, DoorName | null>()
  readonly #doors: DoorPort[] = []
  #accept: Accept | null = null

  /** Rejects with EADDRINUSE and its kin. Until `serve` connections wait unread, for a while. */
  static async bind(
    { net, timers }: Pick<World, 'net' | 'timers'>,
    { endpoints, advertised, config }: ResolvedConfig,
  ): Promise<Listeners> {
    const bound: Bound[] = []
    const listeners = new Listeners(bound, advertised, timers)
    try {
      for (const endpoint of endpoints) {
        bound.push(await bindOne(net, endpoint, socket => listeners.#accepted(socket, null)))
      }
      for (const door of doorNames) {
        const port = config.get(`${door}.port`)
        if (port !== null) await listeners.#bindDoor(net, door, port)
      }
      return listeners
    } catch (error) {
      await listeners.close()
      throw error
    }
  }

  private constructor(bound: readonly Bound[], told: ReadonlyMap<string, Address>, timers: Timers) {
    this.#bound = bound
    this.#told = told
    this.#timers = timers
  }

  /** At the hosts of the other listeners. */
  async #bindDoor(net: Net, door: DoorName, port: number): Promise<void> {
    for (const host of new Set(this.#bound.map(bound => bound.host))) {
      const bound = await bindOne(net, { name: door, host, port }, socket => this.#accepted(socket, door))
      this.#doors.push({ ...bound, door })
    }
  }

  serve(accept: Accept): readonly Listener[] {
    this.#accept = accept
    const waiting = [...this.#early]
    this.#early.clear()
    for (const [socket, door] of waiting) accept(socket, door)
    return this.sockets
  }

  get sockets(): readonly Listener[] {
    return [...this.#bound, ...this.#doors].flatMap(({ sockets }) => sockets)
  }

  /** Hosts that we listen at and that clients are told. */
  get hosts(): readonly string[] {
    const told = [...this.#told.values()]
    return [...new Set([...this.#bound, ...told].map(({ host }) => host).filter(host => !everywhere.test(host)))]
  }

  /** Ports of doors' own, as other nodes and their clients are told. */
  registeredDoors(own: () => string): readonly (Address & { readonly name: string })[] {
    return this.#doors.map(({ door, host, port }) => ({ name: door.toUpperCase(), host: reachable(host, own), port }))
  }

  /** The port of a door's own; null: it has none. */
  doorPort(door: DoorName): number | null {
    return this.#doors.find(port => port.door === door)?.port ?? null
  }

  /** One for each listener, as clients on this machine may use it. */
  get addresses(): readonly Address[] {
    return this.#bound.map(({ host, port }) => ({ host: everywhere.test(host) ? 'localhost' : host, port }))
  }

  /** Of the first one. */
  get port(): number {
    return this.addresses[0]?.port ?? 0
  }

  /** All of them: `host:port`, with commas. */
  get bootstrap(): string {
    return this.addresses.map(showAddress).join(',')
  }

  /** What clients of a port are told, where that is not the address at which they came. */
  get advertised(): ReadonlyMap<number, Address> {
    const told = new Map<number, Address>()
    for (const { name, port } of this.#bound) {
      const address = this.#told.get(name)
      // Without a port of its own it is the listener's, which may only be known now.
      if (address !== undefined) told.set(port, { ...address, port: address.port === 0 ? port : address.port })
    }
    return told
  }

  /** Of a port that is listened on. */
  nameOf(port: number): string {
    return this.#bound.find(bound => bound.port === port)?.name ?? this.#bound[0]?.name ?? ''
  }

  /** What other nodes, and clients of theirs, are told. `own`: this machine's address, where a listener has none of its own. */
  registered(own: () => string): readonly (Address & { readonly name: string })[] {
    const { advertised } = this
    return this.#bound.map(({ name, host, port }) => ({
      name,
      ...(advertised.get(port) ?? { host: reachable(host, own), port }),
    }))
  }

  /** Whether whoever connects there reaches us, as far as that can be told without looking names up. `machine`: addresses of this one. */
  isOwn({ host, port }: Address, machine: readonly string[]): boolean {
    return this.#bound.some(bound => {
      const told = this.#told.get(bound.name)
      if (told?.host === host && (told.port === 0 ? bound.port : told.port) === port) return true
      if (bound.port !== port) return false
      if (everywhere.test(bound.host)) return loopback.test(host) || machine.includes(host)
      const byName = [bound.host, host].includes('localhost')
      return bound.host === host || (byName && loopback.test(bound.host) && loopback.test(host))
    })
  }

  async close(): Promise<void> {
    for (const socket of this.#early.keys()) socket.destroy()
    this.#early.clear()
    await Promise.all(this.sockets.map(socket => socket.close()))
  }

  #accepted(socket: Socket, door: DoorName | null): void {
    if (this.#accept !== null) this.#accept(socket, door)
    else if (this.#early.size >= mostEarly) socket.destroy()
    else {
      this.#early.set(socket, door)
      this.#timers.after(patienceMs, () => {
        if (this.#early.delete(socket)) socket.destroy()
      })
    }
  }
}

async function bindOne(net: Net, { name, host, port }: Endpoint, accept: (socket: Socket) => void): Promise<Bound> {
  // `localhost` is two addresses, and clients differ in which one they try.
  const [first = '', ...others] = host === 'localhost' ? ['127.0.0.1', '::1'] : [host]
  const sockets = [await net.listen({ host: first, port }, accept)]
  const bound = sockets[0]!.address.port
  for (const other of others) {
    // A machine without IPv6 is fine. Where somebody else listens there, part of our clients would be theirs.
    const listener = await net.listen({ host: other, port: bound }, accept).catch(async error => {
      if (port === 0 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return null
      await Promise.all(sockets.map(socket => socket.close()))
      throw error
    })
    if (listener !== null) sockets.push(listener)
  }
  return { name, host, port: bound, sockets }
}

/** `localhost` may be an IPv6 address for whoever looks it up. */
function reachable(host: string, own: () => string): string {
  if (everywhere.test(host)) return own()
  return host === 'localhost' ? '127.0.0.1' : host
}
