import type { CommittedMetadata } from '../cluster/committed.ts'
import type { FencedLog } from '../cluster/orderer/fenced/fenced-log.ts'
import type { Orderer } from '../cluster/orderer/orderer.ts'
import type { ResolvedConfig } from '../config/sources.ts'
import type { Replicas } from '../replication/replicas.ts'
import type { Volume } from '../store/store.ts'
import type { Logger } from '../world/logger.ts'
import type { Address, World } from '../world/world.ts'

export interface NodeOptions {
  readonly config: ResolvedConfig
  readonly world: World
  readonly logger: Logger
  /** Told the floors below as soon as they stand: the simulator looks at them after every step, and touches nothing. */
  readonly inspect?: (inside: Inside) => void
  /** What stands in for a Redis where the settings name one: the simulator's. */
  readonly fencedLog?: () => FencedLog
}

/** What a node is made of, to look at. */
export interface Inside {
  readonly nodeId: number
  readonly metadata: CommittedMetadata
  readonly orderer: Orderer
  readonly replicas: Replicas
  readonly volume: Volume
}

export interface RunningNode {
  /** `host:port`, for each listener, as clients on this machine may use it. */
  readonly bootstrap: string
  readonly addresses: readonly Address[]
  readonly port: number
  readonly nodeId: number
  readonly clusterId: string
  /** What another node needs to join: a secret. */
  readonly joinToken: string
  /** Where other nodes find this one, `host:port`. */
  readonly joinAddress: string
  /** Rejects when stable storage can no longer be promised: the node has closed all connections and must not go on. */
  readonly failed: Promise<never>
  /** Others lead what it led, what is in flight is answered, everything is written down, the data marked as clean. */
  stop(): Promise<void>
}
