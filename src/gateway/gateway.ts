import type { Broker } from '../broker/broker.ts'
import type { DoorName } from '../broker/guest.ts'
import type { Server } from '../broker/server.ts'
import type { Admin } from '../client/admin.ts'
import type { Cluster } from '../client/cluster.ts'
import { GroupAdmin } from '../client/group-admin.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import type { Shares } from '../shares/shares.ts'
import type { Logger } from '../world/logger.ts'
import type { Address, World } from '../world/world.ts'
import { ClusterClient } from './cluster-client.ts'
import { GatewayMetrics } from './door-metrics.ts'
import type { KafkaProxy } from './kafka/proxy.ts'
import { Room } from './room.ts'

/** The node that a door belongs to, as doors see it. What they do for their users they do as clients of the cluster. */
export interface GatewayNode {
  readonly world: World
  readonly logger: Logger
  readonly config: BrokerConfig
  /** −1: a gateway, which is no node of the cluster. */
  readonly nodeId: number
  readonly clusterId: string
  /** What its connections come to: one of the next two. */
  readonly server: Server
  /** Takes connections from inside of this process; has the metrics and the committed metadata. Null: a gateway. */
  readonly broker: Broker | null
  /** Kafka's protocol at a gateway. Null: a node. */
  readonly proxy: KafkaProxy | null
  /** Where the cluster believes to find it, its first listener first; of a gateway: where the cluster is. */
  addresses(): readonly Address[]
  /**
   * Lease groups of the whole cluster. Rejects with CLUSTER_AUTHORIZATION_FAILED at a gateway that does not have the cluster's
   * secret.
   */
  leases(): Promise<Shares>
  /** Hosts that it listens at, and those that its clients are told. */
  readonly hosts: readonly string[]
  /** The node that decides about metadata now; null: nobody does. */
  leader(): number | null
  /** The port of a door's own here; null: it is on the common port. */
  doorPort(door: DoorName): number | null
  /** Where a node of the cluster serves HTTP; null: it is not known, or not up. */
  httpAddress(nodeId: number): Address | null
}

/** What all doors share: a client of the cluster, made when it is first needed, and the end of it. */
export class Gateway {
  readonly node: GatewayNode
  readonly world: World
  readonly logger: Logger
  readonly config: BrokerConfig
  readonly metrics = new GatewayMetrics()
  /** Lists of all topics that are made at one time: each has all their partitions in hand. */
  readonly lists: Room
  readonly #stopping = new AbortController()
  #client: ClusterClient | null = null

  constructor(node: GatewayNode) {
    this.node = node
    this.world = node.world
    this.logger = node.logger
    this.config = node.config
    this.lists = new Room({
      world: node.world,
      most: 4,
      waiting: 200,
      waitMs: 10_000,
      full: 'too many ask for all topics',
    })
  }

  /** Aborted when the node stops: who waits for long ends early. */
  get stopping(): AbortSignal {
    return this.#stopping.signal
  }

  /** The way into the cluster, shared by all doors. */
  get client(): ClusterClient {
    const { broker, addresses } = this.node
    this.#client ??= new ClusterClient({
      world: this.world,
      own: broker === null ? null : { accept: socket => broker.acceptOwn(socket), addresses },
      // Nodes come and go as long as a gateway runs.
      get bootstrap() {
        return addresses()
      },
      stopping: this.stopping,
      limits: {
        bufferBytes: this.config.get('door.push.buffer.bytes'),
        deliveryTimeoutMs: this.config.get('door.delivery.timeout.ms'),
        waiters: this.config.get('door.max.waiting'),
        readBytes: this.config.get('door.read.buffer.bytes'),
      },
    })
    this.metrics.client = this.#client
    return this.#client
  }

  get cluster(): Cluster {
    return this.client.cluster
  }

  get admin(): Admin {
    return this.client.admin
  }

  get groups(): GroupAdmin {
    return new GroupAdmin(this.cluster)
  }

  /** Tells those who wait. */
  stop(): void {
    this.#stopping.abort()
  }

  /** Settles what was sent and closes the connections to the cluster. */
  async close(): Promise<void> {
    this.stop()
    await this.#client?.close()
  }
}
