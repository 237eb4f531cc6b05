import type { Volume } from '../../../store/store.ts'
import type { Logger } from '../../../world/logger.ts'
import type { Address, World } from '../../../world/world.ts'
import type { Peers } from '../../peers.ts'
import type { Voter } from '../orderer.ts'
import type { RaftSettings } from './types.ts'

/** What the embedded orderer needs. */
export interface RaftOrdererOptions {
  readonly volume: Volume
  readonly world: Pick<World, 'clock' | 'timers' | 'random'>
  readonly logger: Logger
  readonly clusterId: string
  /** This node, with the addresses at which others reach it. */
  readonly voter: Voter
  /** How others are reached; null: there are none. */
  readonly peers: Peers | null
  /** Nodes of the cluster that this one joins; one that joins never begins a cluster of its own. */
  readonly seeds?: readonly Address[]
  readonly joins?: boolean
  readonly settings?: Partial<RaftSettings>
  /** Bytes of records that a follower takes at a time, and of a part of a snapshot. */
  readonly fetchBytes?: number
  /** ms that the answer of another node may take. */
  readonly requestTimeoutMs?: number
  /** Whether this node becomes a voter by itself when one is needed. */
  readonly applies?: boolean
  /** Stable storage can no longer be promised, or the log contradicts that of the others: the node must stop. */
  readonly failed: (error: Error) => void
}
