import type { Broker } from '../broker/broker.ts'
import type { DoorName } from '../broker/guest.ts'
import { Admin } from '../client/admin.ts'
import { Cluster } from '../client/cluster.ts'
import { GroupAdmin } from '../client/group-admin.ts'
import type { BrokerConfig } from '../config/broker-config.ts'
import type { Logger } from '../world/logger.ts'
import type { Address, World } from '../world/world.ts'
import { GatewayMetrics } from './door-metrics.ts'

/** The node that a door belongs to, as doors see it. What they do for their users they do as clients of the cluster. */
export interface GatewayNode {
  readonly world: World
  readonly logger: Logger
  readonly config: BrokerConfig
  readonly nodeId: number
  readonly clusterId: string
  /** Takes connections from inside of this process; has the metrics and the committed metadata. */
  readonly broker: Broker
  /** Where the cluster believes to find it, its first listener first. */
  addresses(): readonly Address[]
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
  readonly #stopping = new AbortController()
  #cluster: Cluster | null = null

  constructor(node: GatewayNode) {
    this.node = node
    this.world = node.world
    this.logger = node.logger
    this.config = node.config
  }

  /** Aborted when the node stops: who waits for long ends early. */
  get stopping(): AbortSignal {
    return this.#stopping.signal
  }

  get cluster(): Cluster {
    const { world, node } = this
    this.#cluster ??= new Cluster(world, {
      bootstrap: node.addresses(),
      clientId: 'ottla-gateway',
      apiTimeoutMs: 15_000,
    })
    return this.#cluster
  }

  get admin(): Admin {
    return new Admin(this.cluster)
  }

  get groups(): GroupAdmin {
    return new GroupAdmin(this.cluster)
  }

  /** Tells those who wait. */
  stop(): void {
    this.#stopping.abort()
  }

  /** Closes the connections to the cluster. */
  close(): void {
    this.stop()
    this.#cluster?.close()
  }
}
