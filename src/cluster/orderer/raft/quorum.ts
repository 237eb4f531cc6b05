import type { Logger } from '../../../world/logger.ts'
import type { World } from '../../../world/world.ts'
import { Growing } from './growing.ts'
import type { GrowthSettings } from './growth.ts'
import type { QuorumNode } from './quorum-node.ts'
import { QuorumServer } from './serve.ts'
import { VoterChanges } from './voter-changes.ts'

export interface QuorumOptions {
  readonly orderer: QuorumNode
  readonly clusterId: string
  readonly world: Pick<World, 'clock' | 'timers'>
  readonly logger: Logger
  readonly growth: GrowthSettings
  /** Whether a node is drained, or will not come back. */
  readonly leaves: (node: number) => boolean
  readonly fetchTimeoutMs: number
}

/** What others may ask of our part in the quorum: other nodes, and operators. Loaded when the first one asks. */
export class Quorum {
  readonly server: QuorumServer
  readonly changes: VoterChanges
  readonly growth: Growing

  constructor(options: QuorumOptions) {
    const { orderer, clusterId, world, logger, growth: settings, leaves, fetchTimeoutMs } = options
    const { clock, timers } = world
    this.server = new QuorumServer(orderer, clusterId)
    this.changes = new VoterChanges({ orderer, clock, timers, fetchTimeoutMs })
    // Its own: it waits for no place among those whom operators wait for.
    const changes = new VoterChanges({ orderer, clock, timers, fetchTimeoutMs })
    this.growth = new Growing({ orderer, changes, settings, clock, timers, logger, leaves, goneMs: fetchTimeoutMs })
  }

  stop(): void {
    this.growth.stop()
  }
}
