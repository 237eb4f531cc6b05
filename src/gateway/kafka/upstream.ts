import { Connection } from '../../client/connection.ts'
import { type ClientWorld, defaultClientOptions } from '../../client/options.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Directory } from './directory.ts'

/** Fetches have connections of their own: one that waits for records would hold up the answers behind it. */
export type Lane = 'main' | 'fetch'

/** ms: a node that is there accepts at once. */
const connectTimeoutMs = 3_000
/** More than one client connection may have without answers. */
const mostInFlight = 1_024

/** Any node will do. */
export const anyNode = -1

/**
 * The nodes of the cluster as one client of this gateway reaches them: over connections of its own, which bear its name and end
 * with its connection. So what one client waits for holds up nobody else, and requests of one connection stay in order.
 */
export class Upstream {
  readonly #world: ClientWorld
  readonly #directory: Directory
  readonly #clientId: string
  readonly #open = new Map<string, Connection>()
  readonly #opening = new Map<string, Promise<Connection>>()
  /** The node for what any node can answer: the one that the client believes to reach, if it says so (KIP-1242). */
  #home = anyNode
  #closed = false
  readonly #closing: (() => void)[] = []
  /** The node that the client said it means; `anyNode`: it does not say. */
  meant = anyNode

  constructor(world: ClientWorld, directory: Directory, clientId: string) {
    this.#world = world
    this.#directory = directory
    this.#clientId = clientId
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Null: it must be opened first. */
  ready(node: number, lane: Lane = 'main'): Connection | null {
    const connection = this.#open.get(`${node === anyNode ? this.#home : node} ${lane}`)
    return connection === undefined || connection.closed ? null : connection
  }

  /** Rejects with NETWORK_EXCEPTION and its kin when that node, or with `anyNode` every node, cannot be reached. */
  async to(node: number, lane: Lane = 'main'): Promise<Connection> {
    if (node !== anyNode) return this.#connect(node, lane)
    const known = this.ready(anyNode, lane)
    if (known !== null) return known
    let last: unknown = null
    for (const id of await this.#candidates()) {
      try {
        const connection = await this.#connect(id, lane)
        this.#home = id
        return connection
      } catch (error) {
        last = error
      }
    }
    throw last ?? new KafkaError('NETWORK_EXCEPTION', 'no node of the cluster is known')
  }

  /** Whom to ask for what each node knows for itself: the one that is meant, or, since few clients say so, all. */
  everyNode(): readonly number[] {
    if (this.meant !== anyNode) return [this.meant]
    const { brokers } = this.#directory
    return brokers.size === 0 ? [anyNode] : [...brokers.keys()].sort((a, b) => a - b)
  }

  /** Where to try, in order: the node that is meant, the one that served last, then the others from anywhere. */
  async #candidates(): Promise<number[]> {
    if (this.#directory.brokers.size === 0) await this.#directory.refresh()
    const ids = [...this.#directory.brokers.keys()]
    const first = ids.length === 0 ? 0 : this.#world.random.int(ids.length)
    const turned = [...ids.slice(first), ...ids.slice(0, first)]
    const better = [this.meant, this.#home].filter(id => ids.includes(id))
    return [...new Set([...better, ...turned])]
  }

  /** One connection for each node and lane, whoever asks. */
  async #connect(node: number, lane: Lane): Promise<Connection> {
    const ready = this.ready(node, lane)
    if (ready !== null) return ready
    const name = `${node} ${lane}`
    let opening = this.#opening.get(name)
    if (opening === undefined) {
      opening = this.#dial(node, name).finally(() => this.#opening.delete(name))
      this.#opening.set(name, opening)
    }
    return opening
  }

  async #dial(node: number, name: string): Promise<Connection> {
    const address = this.#directory.brokers.get(node)
    if (this.#closed || address === undefined) {
      throw new KafkaError('NETWORK_EXCEPTION', this.#closed ? 'the client is gone' : `no node ${node} is up`)
    }
    let connection: Connection
    try {
      connection = await Connection.open(this.#world, address, {
        ...defaultClientOptions,
        clientId: this.#clientId,
        connectTimeoutMs,
        // Of what the connection itself asks; requests of clients have times of their own.
        requestTimeoutMs: connectTimeoutMs,
        maxInFlight: mostInFlight,
      })
    } catch (error) {
      // It may be gone, or be somewhere else.
      void this.#directory.refresh()
      throw error
    }
    if (this.#closed) {
      connection.close()
      throw new KafkaError('NETWORK_EXCEPTION', 'the client is gone')
    }
    this.#open.set(name, connection)
    connection.onClose(() => {
      if (this.#open.get(name) === connection) this.#open.delete(name)
    })
    return connection
  }

  /** A node is gone, or does not answer: what is asked of it is not waited for, and another one is tried first. */
  leave(node: number): void {
    const left = node === anyNode ? this.#home : node
    if (this.#home === left) this.#home = anyNode
    for (const lane of ['main', 'fetch'] as const) this.#open.get(`${left} ${lane}`)?.close()
  }

  /** Runs when the client has gone. */
  onClose(run: () => void): void {
    this.#closing.push(run)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const connection of [...this.#open.values()]) connection.close()
    for (const run of this.#closing.splice(0)) run()
  }
}
