import { Admin } from '../client/admin.ts'
import { Cluster, type TopicMetadata } from '../client/cluster.ts'
import type { ClientOptions, ClientWorld } from '../client/options.ts'
import { within } from '../client/retry.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Address } from '../world/world.ts'
import { type OwnNode, ownNet } from './own-net.ts'
import { Pusher } from './pusher.ts'
import { Room, type Taken } from './room.ts'

export { Pusher } from './pusher.ts'

/** As Kafka's producers count: −1 is all in-sync replicas. */
export type Acks = -1 | 0 | 1

export interface ClusterClientOptions {
  readonly world: ClientWorld
  /** null: this process has no broker of its own. */
  readonly own: OwnNode | null
  /** Other nodes, for who has no own one. */
  readonly bootstrap?: readonly Address[]
  /** Shows in the brokers' logs and group descriptions. */
  readonly clientId?: string
  readonly limits?: Partial<ClusterClientLimits>
  /** The node stops: whoever waits is let go. */
  readonly stopping?: AbortSignal
}

export interface ClusterClientLimits {
  /** Bytes of records that wait or are under way, for each of the three settings of `acks`; as many again may wait for these. */
  readonly bufferBytes: number
  /** ms after which a record that could not be written is given up: somebody waits for the answer. */
  readonly deliveryTimeoutMs: number
  /** ms that other calls may be retried in all. */
  readonly apiTimeoutMs: number
  /** Who waits for records to come, at one time. */
  readonly waiters: number
  /** Bytes of records that were read and that their readers have not taken yet. */
  readonly readBytes: number
}

export const defaultLimits: ClusterClientLimits = {
  bufferBytes: 32 * 1024 * 1024,
  deliveryTimeoutMs: 30_000,
  apiTimeoutMs: 30_000,
  waiters: 2_000,
  readBytes: 64 * 1024 * 1024,
}

export interface ClusterClientStats {
  readonly waiting: number
  readonly waitersLimit: number
  readonly waitersRefused: number
  readonly pushBytes: number
  readonly pushBytesLimit: number
  readonly pushesRefused: number
  readonly readBytes: number
  readonly readBytesLimit: number
}

/** ms that what was taken may need to be written when the node stops: nobody hears of it any more. */
const closeMs = 2_000

/** Bytes that are read without asking whether there is room for them: mostly it is less. */
const modestRead = 1024 * 1024

/** ms that one who reads more waits until there is room, and how many may. */
const readRoomMs = 1_000
const mostReaders = 1_000

/** Others wait behind what is read, with leases that end: what cannot be read is given up soon. */
const readingClient = { apiTimeoutMs: 2_000, connectTimeoutMs: 2_000, requestTimeoutMs: 5_000 }

/** Clusters with open connections that are kept for the next who wait. */
const mostIdle = 32

/**
 * What all doors of a node stand on: a client of the cluster, which reaches its own node without a socket. So a door works at
 * any node, follows leaders, tries again, and obeys the limits that hold for everybody.
 *
 * A Kafka connection answers in the order of the questions. Here everything that may be held back on purpose has connections
 * of its own: each setting of `acks` (`pusher`), and whoever waits for records or joins a group (`wait`, `open`).
 */
export class ClusterClient {
  /** For questions that are answered at once. */
  readonly cluster: Cluster
  readonly admin: Admin
  readonly #options: ClusterClientOptions
  readonly #limits: ClusterClientLimits
  readonly #world: ClientWorld
  readonly #pushers = new Map<Acks, Pusher>()
  readonly #lent = new Set<Cluster>()
  readonly #idle: Cluster[] = []
  #reading: Cluster | null = null
  #refused = 0
  /** Bytes that are read, or may come, and that nobody has taken yet. */
  readonly #reads: Room
  #closed = false

  constructor(options: ClusterClientOptions) {
    const { world, own } = options
    this.#options = options
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#world = own === null ? world : { ...partsOf(world), net: ownNet(world.net, world.timers, own) }
    this.#reads = new Room({
      world,
      most: this.#limits.readBytes,
      waiting: mostReaders,
      waitMs: readRoomMs,
      full: 'too much was read for others who have not taken it yet',
    })
    this.cluster = this.#newCluster()
    this.admin = new Admin(this.cluster)
    options.stopping?.addEventListener('abort', () => this.#letGo(), { once: true })
  }

  /** Who waits for records now, over all doors. */
  get waiting(): number {
    return this.#lent.size
  }

  /** How full it is, for the metrics. */
  get stats(): ClusterClientStats {
    const pushers = [...this.#pushers.values()]
    return {
      waiting: this.#lent.size,
      waitersLimit: this.#limits.waiters,
      waitersRefused: this.#refused,
      pushBytes: pushers.reduce((sum, pusher) => sum + pusher.bytes, 0),
      // As many bytes as wait for answers may wait before these.
      pushBytesLimit: 2 * this.#limits.bufferBytes * pushers.length,
      pushesRefused: pushers.reduce((sum, pusher) => sum + pusher.refused, 0),
      readBytes: this.#reads.taken,
      readBytesLimit: this.#limits.readBytes,
    }
  }

  /** For reads at once of what ought to be there: gives up in seconds. */
  get reading(): Cluster {
    if (this.#closed) throw closed()
    this.#reading ??= this.#newCluster(readingClient)
    return this.#reading
  }

  /** Shared by all doors, so that what comes at the same time leaves in one batch. */
  pusher(acks: Acks): Pusher {
    let pusher = this.#pushers.get(acks)
    if (pusher === undefined) {
      if (this.#closed) throw closed()
      const { bufferBytes, deliveryTimeoutMs } = this.#limits
      pusher = new Pusher(this.#newCluster(), { acks, bufferBytes, deliveryTimeoutMs })
      this.#pushers.set(acks, pusher)
    }
    return pusher
  }

  /** A topic that exists, or comes to exist where `create` is set and topics are made by themselves. Asks only once. */
  topic(name: string, create = false): Promise<TopicMetadata> {
    return this.cluster.findTopic(name, create)
  }

  /**
   * Runs something that may wait long, on connections of its own. Throws THROTTLING_QUOTA_EXCEEDED when too many wait. Whoever
   * does not wait any longer aborts: the connections are closed, and what they waited for fails with NETWORK_EXCEPTION.
   */
  async wait<T>(run: (cluster: Cluster) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const cluster = this.#lend(this.#idle.pop())
    const abort = () => cluster.close()
    let reusable = false
    signal?.addEventListener('abort', abort, { once: true })
    // Who has gone before waits for nothing.
    if (signal?.aborted) abort()
    try {
      const result = await run(cluster)
      reusable = signal?.aborted !== true
      return result
    } finally {
      signal?.removeEventListener('abort', abort)
      this.#lent.delete(cluster)
      if (reusable && !this.#closed && this.#idle.length < mostIdle) this.#idle.push(cluster)
      else cluster.close()
    }
  }

  /**
   * Room for up to `bytes` that are read, and handed on to somebody who may be slow; given back by whoever asks, when the last of
   * it is taken. For little it need not be asked: what it turned out to be is told afterwards. Rejects as `Room.take`.
   */
  room(bytes: number, signalOf: () => AbortSignal | null): Promise<Taken> | Taken {
    return bytes <= modestRead ? this.#reads.begin() : this.#reads.take(bytes, signalOf)
  }

  /** A client for somebody who stays, such as a consumer with a place in a group; counts as one who waits, until closed. */
  open(options: Partial<ClientOptions> = {}): { readonly cluster: Cluster; close(): void } {
    const cluster = this.#lend(this.#newCluster(options))
    const close = () => {
      this.#lent.delete(cluster)
      cluster.close()
    }
    return { cluster, close }
  }

  /** What was taken is written, or given up after a while, as whoever waits is at once. */
  async close(): Promise<void> {
    this.#closed = true
    const pushers = [...this.#pushers.values()]
    await within(this.#world, closeMs, Promise.all(pushers.map(pusher => pusher.flush())))
    for (const pusher of pushers) pusher.close()
    for (const cluster of [this.cluster, ...this.#idle]) cluster.close()
    this.#reading?.close()
    this.#letGo()
  }

  #letGo(): void {
    for (const cluster of this.#lent) cluster.close()
    this.#lent.clear()
  }

  #lend(cluster: Cluster | undefined): Cluster {
    if (this.#closed || this.#options.stopping?.aborted) throw closed()
    if (this.#lent.size >= this.#limits.waiters) {
      this.#refused++
      throw new KafkaError('THROTTLING_QUOTA_EXCEEDED', `${this.#limits.waiters} wait for records at this node already`)
    }
    const lent = cluster ?? this.#newCluster()
    this.#lent.add(lent)
    return lent
  }

  #newCluster(options: Partial<ClientOptions> = {}): Cluster {
    const { own, bootstrap = [], clientId = 'ottla-gateway' } = this.#options
    const { apiTimeoutMs } = this.#limits
    // The own node first and alone: it is there as long as we are.
    const known = own?.addresses().slice(0, 1) ?? []
    return new Cluster(this.#world, {
      clientId,
      apiTimeoutMs,
      bootstrap: known.length > 0 ? known : bootstrap,
      ...options,
    })
  }
}

/** A world's parts may be getters of a class, which a spread would lose. */
const partsOf = ({ clock, timers, random }: ClientWorld) => ({ clock, timers, random })

const closed = () => new KafkaError('NETWORK_EXCEPTION', 'the node stops')
