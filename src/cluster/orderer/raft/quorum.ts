import type { Logger } from '../../../world/logger.ts'
import type { World } from '../../../world/world.ts'
import { Growing } from './growing.ts'
import type { GrowthSettings } from './growth.ts'
import type { QuorumNode } from './quorum-node.ts'
import { QuorumServer } from './serve.ts'
import type { ReplicaKey } from './types.ts'
import { type VoterChange, VoterChanges } from './voter-changes.ts'
import { isSame } from './voters.ts'

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

/** What may come of a removal so that there is no such voter then, or soon. */
const stays: ReadonlySet<VoterChange['error']> = new Set([null, 'VOTER_NOT_FOUND', 'REQUEST_TIMED_OUT'])

/** What others may ask of our part in the quorum: other nodes, and operators. Loaded when the first one asks. */
export class Quorum {
  readonly server: QuorumServer
  readonly changes: VoterChanges
  readonly growth: Growing
  readonly #orderer: QuorumNode

  constructor(options: QuorumOptions) {
    const { orderer, clusterId, world, logger, growth: settings, leaves, fetchTimeoutMs } = options
    const { clock, timers } = world
    this.#orderer = orderer
    this.server = new QuorumServer(orderer, clusterId, logger)
    this.changes = new VoterChanges({ orderer, clock, timers, fetchTimeoutMs })
    // Its own: it waits for no place among those whom operators wait for.
    const changes = new VoterChanges({ orderer, clock, timers, fetchTimeoutMs })
    this.growth = new Growing({ orderer, changes, settings, clock, timers, logger, leaves, goneMs: fetchTimeoutMs })
  }

  /** An operator takes a vote away. Its node does not get it back by itself. */
  async remove(voter: ReplicaKey, timeoutMs: number): Promise<VoterChange> {
    const isNew = this.growth.removed(voter)
    const change = await this.changes.remove(voter, timeoutMs)
    const isSelf = isSame(this.#orderer.voter, voter)
    if (!stays.has(change.error)) {
      if (isNew) this.growth.added(voter)
    } else if (isNew && isSelf && change.error === null) this.#orderer.vote.leaveQuorum()
    return change
  }

  stop(): void {
    this.growth.stop()
  }
}
