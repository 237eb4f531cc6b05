import type { Volume } from '../../../store/store.ts'
import type { Logger } from '../../../world/logger.ts'
import type { World } from '../../../world/world.ts'
import type { Voter } from '../orderer.ts'
import type { FencedLog } from './fenced-log.ts'

/** What an orderer outside of the cluster needs. */
export interface FencedOrdererOptions {
  readonly log: FencedLog
  /** Where this node keeps what it has seen. */
  readonly volume: Pick<Volume, 'get' | 'put'>
  readonly world: Pick<World, 'clock' | 'timers' | 'random'>
  readonly logger: Logger
  readonly clusterId: string
  /** This node, as others are to reach it when it leads. */
  readonly voter: Voter
  /** ms for which a lease is taken. */
  readonly leaseMs: number
  /** ms between two renewals; well below `leaseMs`. */
  readonly renewMs: number
  /** False: a store without a log is waited for (a node that joins never begins a cluster). Default true. */
  readonly create?: boolean
  /** `Head.source` that a person takes for whole, although nobody who led last says so. */
  readonly accept?: string | null
  /** Stable storage can no longer be promised: the node must stop. */
  readonly failed: (error: Error) => void
  /** ms between two attempts, when something is wrong. Default 500. */
  readonly retryMs?: number
}
