import { ErrorCode } from '../../../protocol/errors.ts'
import { AddRaftVoter } from '../../../protocol/messages/add-raft-voter.ts'
import { UpdateRaftVoter } from '../../../protocol/messages/update-raft-voter.ts'
import type { Logger } from '../../../world/logger.ts'
import type { Clock, Timer, Timers } from '../../../world/world.ts'
import type { Peers } from '../../peers.ts'
import type { Voter } from '../orderer.ts'
import type { OwnVote } from './own-vote.ts'
import type { QuorumNode } from './quorum-node.ts'
import { VoterChanges } from './voter-changes.ts'
import { includes, isSame } from './voters.ts'

export interface ApplicantOptions {
  readonly orderer: QuorumNode
  readonly vote: OwnVote
  readonly peers: Pick<Peers, 'send'>
  readonly clusterId: string
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
  /** Whether we may become a voter by ourselves (`controller.quorum.auto.join.enable`). */
  readonly applies: boolean
}

/** ms to the first application, and between two. */
const firstMs = 100
const againMs = 1000

/**
 * A node that has no vote tells the leader that it would take one (after KIP-1186); one that has, where it is now. Whoever
 * was removed hears from the leader whether that was meant to last, and does not apply again then.
 */
export class Applicant {
  readonly #options: ApplicantOptions
  #timer: Timer | null = null
  #stopped = false

  constructor(options: ApplicantOptions) {
    this.#options = options
    this.#later(firstMs)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  #later(ms: number): void {
    if (this.#stopped) return
    this.#timer = this.#options.timers.after(ms, () => {
      this.#look()
        .catch(error => this.#options.logger.warn('nobody was asked for a vote', { error }))
        .finally(() => this.#later(againMs))
    })
  }

  async #look(): Promise<void> {
    const { orderer, vote, applies, logger } = this.#options
    const { raft, voter } = orderer
    if (raft === null) return
    if (raft.mayAppend) await this.#writeWhereWeAre()
    if (raft.role !== 'follower') return
    const committed = raft.voterHistory.at(raft.highWatermark)
    if (includes(committed, voter)) {
      if (vote.hasLeftQuorum) vote.rejoinQuorum()
      await this.#tellWhereWeAre(committed)
      return
    }
    if (!applies || vote.hasLeftQuorum || raft.isVoter) return
    try {
      await this.#apply(raft.leaderId)
    } catch (error) {
      logger.debug('the leader did not take the application for a vote', { error })
    }
  }

  async #apply(leaderId: number): Promise<void> {
    const { peers, clusterId, orderer, vote } = this.#options
    const { id: voterId, directoryId: voterDirectoryId, endpoints: listeners } = orderer.voter
    const request = { clusterId, timeoutMs: againMs, voterId, voterDirectoryId, listeners, ackWhenCommitted: false }
    const options = { lane: 'admin', timeoutMs: againMs * 5 }
    const { errorCode } = await peers.send(leaderId, AddRaftVoter, request, options)
    if (errorCode === ErrorCode.POLICY_VIOLATION) vote.leaveQuorum()
  }

  /** Who leads need not ask. */
  async #writeWhereWeAre(): Promise<void> {
    const { orderer, clock, timers, logger } = this.#options
    const { voter, raft } = orderer
    const known = raft?.voters.find(other => isSame(other, voter))
    if (known === undefined || voter.endpoints.length === 0 || show(known.endpoints) === show(voter.endpoints)) return
    const changes = new VoterChanges({ orderer, clock, timers, fetchTimeoutMs: againMs })
    const { error, message } = await changes.update(voter, againMs * 5)
    if (error !== null) logger.debug('our address among the voters could not be changed', { error, message })
  }

  async #tellWhereWeAre(voters: readonly Voter[]): Promise<void> {
    const { peers, clusterId, orderer, logger } = this.#options
    const { raft, voter } = orderer
    const known = voters.find(other => isSame(other, voter))
    const { endpoints: listeners, id: voterId, directoryId: voterDirectoryId } = voter
    if (raft === null || listeners.length === 0 || show(known?.endpoints ?? []) === show(listeners)) return
    const kRaftVersionFeature = { minSupportedVersion: 0, maxSupportedVersion: 1 }
    const { epoch: currentLeaderEpoch } = raft
    const request = { clusterId, currentLeaderEpoch, voterId, voterDirectoryId, listeners, kRaftVersionFeature }
    try {
      await peers.send(raft.leaderId, UpdateRaftVoter, request, { lane: 'own-vote', timeoutMs: againMs * 10 })
    } catch (error) {
      logger.debug('the leader did not take our address', { error })
    }
  }
}

const show = (endpoints: Voter['endpoints']): string =>
  endpoints.map(({ name, host, port }) => `${name} ${host} ${port}`).join()
