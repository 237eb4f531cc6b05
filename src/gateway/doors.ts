import type { DoorName, Guest } from '../broker/guest.ts'
import type { Timer } from '../world/world.ts'
import { frameTurns } from './frame-input.ts'
import { Gateway, type GatewayNode } from './gateway.ts'
import { GuestStream } from './guest-stream.ts'
import { Turns } from './turns.ts'

/** One way in, besides Kafka's protocol. */
export interface Door {
  /** A connection that speaks its protocol. */
  enter(stream: GuestStream): void
  /** The node stops: takes nothing new, lets go who waits. */
  close(): Promise<void>
}

/** Each is loaded when the first connection for it comes. */
const openers: { readonly [name in DoorName]?: (gateway: Gateway) => Promise<Door> } = {
  http: async gateway => (await import('./http/server.ts')).openHttp(gateway),
  grpc: async gateway => (await import('./grpc/door.ts')).openGrpc(gateway),
}

/** ms between looks at all connections; ms that a client may take nothing of an answer. */
const sweepMs = 5_000
const stallMs = 60_000

/** Bytes of large reads over HTTP in one turn of the event loop. */
const mostRead = 2 * 1024 * 1024

/** The doors of a node, behind the first connection that needed one. */
export class OpenDoors {
  readonly #gateway: Gateway
  readonly #isOpen: (name: DoorName) => boolean
  readonly #doors = new Map<DoorName, Promise<Door | null>>()
  readonly #streams = new Set<GuestStream>()
  readonly #frameTurns: Turns
  readonly #readTurns: Turns
  #closing = false
  #sweep: Timer | null = null
  #emptied: () => void = () => {}

  /** `isOpen`: whether a connection that came to the common port may use a door. */
  constructor(node: GatewayNode, isOpen: (name: DoorName) => boolean) {
    this.#gateway = new Gateway(node)
    this.#frameTurns = frameTurns(node.world.timers)
    this.#readTurns = new Turns(node.world.timers, mostRead)
    this.#isOpen = isOpen
  }

  enter(guest: Guest, first: Uint8Array, own: DoorName | null): void {
    const name = own ?? nameOf(first)
    if (this.#closing || guest.closed || (own === null && !this.#isOpen(name))) {
      guest.destroy()
      return
    }
    const { metrics, world } = this.#gateway
    const stream = new GuestStream(guest, first, world, name === 'grpc' ? this.#frameTurns : null, this.#readTurns)
    metrics.connections++
    metrics.connectionsTaken++
    this.#streams.add(stream)
    this.#sweepLater()
    // A connection that breaks is nothing to report.
    stream.on('error', () => {})
    stream.on('close', () => {
      metrics.connections--
      this.#streams.delete(stream)
      if (this.#streams.size > 0) return
      this.#sweep?.cancel()
      this.#sweep = null
      this.#emptied()
    })
    void this.#door(name).then(door => {
      if (door === null) stream.destroy()
      else if (!stream.destroyed) door.enter(stream)
    })
  }

  /** Whoever asks and takes no answer holds what was made for him: he is let go. */
  #sweepLater(): void {
    const { world, metrics } = this.#gateway
    this.#sweep ??= world.timers.after(sweepMs, () => {
      this.#sweep = null
      const now = world.clock.mono()
      for (const stream of [...this.#streams]) {
        if (stream.stalledMs(now) < stallMs) continue
        metrics.stalled++
        stream.destroy()
      }
      if (this.#streams.size > 0) this.#sweepLater()
    })
  }

  /** Null where there is none. */
  #door(name: DoorName): Promise<Door | null> {
    let door = this.#doors.get(name)
    if (door === undefined) {
      door = openers[name]?.(this.#gateway) ?? Promise.resolve(null)
      door = door.catch(error => {
        this.#gateway.logger.error('a door does not open', { door: name, error: (error as Error).message })
        return null
      })
      this.#doors.set(name, door)
    }
    return door
  }

  /** Lets end what is under way, for `graceMs` at most, then closes everything. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true
    this.#gateway.stop()
    for (const door of this.#doors.values()) await (await door)?.close()
    if (this.#streams.size > 0)
      await new Promise<void>(resolve => {
        this.#emptied = resolve
        // What still moves is what keeps the process alive.
        this.#gateway.world.timers.after(graceMs, resolve)
      })
    for (const stream of [...this.#streams]) stream.destroy()
    await this.#gateway.close()
  }
}

/** HTTP/2 begins with a preface that is no request of HTTP/1.1 (RFC 9113, 3.4); only gRPC is served over it. */
function nameOf(first: Uint8Array): DoorName {
  const preface = 'PRI '
  for (let i = 0; i < preface.length; i++) if (first[i] !== preface.charCodeAt(i)) return 'http'
  return 'grpc'
}
