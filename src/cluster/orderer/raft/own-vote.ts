import type { MetadataLog } from '../metadata-log.ts'
import type { RaftOrdererOptions } from './orderer-options.ts'
import type { QuorumNode } from './quorum-node.ts'
import type { Raft } from './raft.ts'
import type { Records } from './transport.ts'
import { includes } from './voters.ts'

/** A file beside the log. */
const leftQuorumName = 'left-quorum'

/** Whether this node should have a vote. In a quorum of several it looks after it; alone it has nobody to ask. */
export class OwnVote {
  readonly #orderer: QuorumNode
  readonly #log: MetadataLog
  readonly #options: RaftOrdererOptions
  #hasLeftQuorum = false
  #begun = false
  #applicant: { stop(): void } | null = null

  constructor(orderer: QuorumNode, log: MetadataLog, options: RaftOrdererOptions) {
    this.#orderer = orderer
    this.#log = log
    this.#options = options
  }

  /** This node was removed from the voters on purpose, and does not apply again. */
  get hasLeftQuorum(): boolean {
    return this.#hasLeftQuorum
  }

  leaveQuorum(): void {
    this.#hasLeftQuorum = true
    this.#options.logger.info('this node was removed from the voters; it applies for a vote no more')
    this.#log
      .note(leftQuorumName, 'This node was removed from the voters.\n')
      .catch(error => this.#options.logger.warn('that could not be written down', { error }))
  }

  /** Somebody has made it a voter again. */
  rejoinQuorum(): void {
    this.#hasLeftQuorum = false
    this.#log.dropNote(leftQuorumName)
  }

  /** After every event. */
  watch(raft: Raft<Records>): void {
    const { peers, voter } = this.#options
    if (peers === null || this.#begun || (raft.voters.length === 1 && includes(raft.voters, voter))) return
    this.#begun = true
    void this.#begin()
  }

  stop(): void {
    this.#applicant?.stop()
  }

  async #begin(): Promise<void> {
    const { Applicant } = await import('./applicant.ts')
    if (this.#orderer.raft === null) return
    this.#hasLeftQuorum = this.#log.hasNote(leftQuorumName)
    const { peers, world, logger, clusterId, applies = true } = this.#options
    this.#applicant = new Applicant({
      orderer: this.#orderer,
      vote: this,
      peers: peers!,
      clusterId,
      clock: world.clock,
      timers: world.timers,
      logger,
      applies,
    })
  }
}
