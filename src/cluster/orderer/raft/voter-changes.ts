import type { ErrorName } from '../../../protocol/errors.ts'
import type { Clock, Timers } from '../../../world/world.ts'
import type { Voter } from '../orderer.ts'
import type { QuorumNode } from './quorum-node.ts'
import type { Raft } from './raft.ts'
import type { ReplicaKey } from './types.ts'
import { includes, isSame, majority, othersThan } from './voters.ts'

export interface VoterChangesOptions {
  readonly orderer: QuorumNode
  readonly clock: Clock
  readonly timers: Timers
  /** ms without a Fetch after which a replica counts as gone. */
  readonly fetchTimeoutMs: number
}

/** What came of a change; `error` null: it is done. */
export interface VoterChange {
  readonly error: ErrorName | null
  readonly message: string | null
}

/** ms between looks at whether what we wait for is there. */
const lookMs = 20

/** Changes that operators wait for at once; who asks for one more is told so. */
const mostWaiting = 8

const done: VoterChange = { error: null, message: null }

type AnyRaft = Raft<Uint8Array>

/** Changes of the voters, one at a time, by the leader (KIP-853): what an operator asks for, and what grows by itself. */
export class VoterChanges {
  readonly #options: VoterChangesOptions
  #waiting = 0

  constructor(options: VoterChangesOptions) {
    this.#options = options
  }

  /** The new voter must have all that there is, on its disk. `whenCommitted` false: done when appended. */
  async add(voter: Voter, timeoutMs: number, whenCommitted = true): Promise<VoterChange> {
    const deadline = this.#options.clock.mono() + timeoutMs
    let change: readonly Voter[] | null = null
    const refused = await this.#until(deadline, raft => {
      const known = raft.voters.find(({ id }) => id === voter.id)
      if (known !== undefined) {
        const other = isSame(known, voter) ? '' : ` (with directory ${known.directoryId}: remove that one first)`
        return refuse('DUPLICATE_VOTER', `Node ${voter.id} is a voter already${other}.`)
      }
      const problem = this.#notYet(raft) ?? this.#lagging(raft, voter)
      if (problem === null) change = [...raft.voters.map(other => this.#current(other)), voter]
      return problem
    })
    return refused ?? this.#change(change!, deadline, whenCommitted)
  }

  /** Refused when the voters that are left could not decide anything. */
  async remove(key: ReplicaKey, timeoutMs: number): Promise<VoterChange> {
    const deadline = this.#options.clock.mono() + timeoutMs
    let change: readonly Voter[] | null = null
    const refused = await this.#until(deadline, raft => {
      if (!includes(raft.voters, key))
        return refuse('VOTER_NOT_FOUND', `Node ${key.id} with directory ${key.directoryId} is not a voter.`)
      const left = othersThan(key, raft.voters)
      const problem = this.#notYet(raft) ?? this.#minority(raft, key, left)
      if (problem === null) change = left
      return problem
    })
    return refused ?? this.#change(change!, deadline, true)
  }

  /** A voter has moved. */
  async update(voter: Voter, timeoutMs: number): Promise<VoterChange> {
    const deadline = this.#options.clock.mono() + timeoutMs
    let change: readonly Voter[] | null = null
    const refused = await this.#until(deadline, raft => {
      const known = raft.voters.find(other => isSame(other, voter))
      if (known === undefined) return refuse('VOTER_NOT_FOUND', `Node ${voter.id} is not a voter.`)
      if (sameEndpoints(known, voter)) return done
      const problem = this.#notYet(raft)
      if (problem === null) change = raft.voters.map(other => (isSame(other, voter) ? voter : other))
      return problem
    })
    return refused ?? this.#change(change!, deadline, true)
  }

  async #change(voters: readonly Voter[], deadline: number, whenCommitted: boolean): Promise<VoterChange> {
    const { orderer } = this.#options
    let end: number
    let epoch: number
    try {
      end = orderer.event((raft, now) => raft.changeVoters(voters, now))
      epoch = orderer.raft?.epoch ?? -1
    } catch (error) {
      return refuse('KAFKA_STORAGE_ERROR', (error as Error).message)
    }
    if (!whenCommitted) return done
    for (;;) {
      const { raft, log } = orderer
      if (raft === null) return notLeader
      // Also when we lead no longer: whoever removes itself goes as soon as that is committed.
      const ours = raft.epoch === epoch
      if (raft.highWatermark >= end && (ours || log.epochAt(end - 1) === epoch)) return done
      if (!ours || raft.role !== 'leader') return notLeader
      if (this.#options.clock.mono() >= deadline)
        return refuse('REQUEST_TIMED_OUT', 'The change is not committed yet: a majority of the new voters is missing.')
      await this.#pause()
    }
  }

  /** Looks again and again; null: go on. What is not possible yet is tried until the deadline. */
  async #until(deadline: number, look: (raft: AnyRaft) => VoterChange | Waiting | null): Promise<VoterChange | null> {
    let found = this.#now(look)
    if (!isWaiting(found)) return found
    if (this.#waiting >= mostWaiting) return refuse('REQUEST_TIMED_OUT', found.waitsFor)
    this.#waiting++
    try {
      while (isWaiting(found) && this.#options.clock.mono() < deadline) {
        await this.#pause()
        found = this.#now(look)
      }
    } finally {
      this.#waiting--
    }
    return isWaiting(found) ? refuse('REQUEST_TIMED_OUT', found.waitsFor) : found
  }

  #now(look: (raft: AnyRaft) => VoterChange | Waiting | null): VoterChange | Waiting | null {
    const { raft } = this.#options.orderer
    return raft === null || raft.voterChangeProblem() === 'notLeader' ? notLeader : look(raft)
  }

  #notYet(raft: AnyRaft): Waiting | null {
    const problem = raft.voterChangeProblem()
    if (problem === 'notBegun') return { waitsFor: 'The leader has only just been elected.' }
    return problem === 'changing' ? { waitsFor: 'Another change of the voters is not committed yet.' } : null
  }

  #lagging(raft: AnyRaft, voter: Voter): Waiting | null {
    const now = this.#options.clock.mono()
    const found = [...raft.replicas].find(({ key }) => isSame(voter, key))
    if (found === undefined || now - found.lastFetch > this.#options.fetchTimeoutMs)
      return { waitsFor: `Node ${voter.id} with directory ${voter.directoryId} does not fetch the metadata.` }
    if (now - found.lastCaughtUp <= this.#options.fetchTimeoutMs) return null
    return { waitsFor: `Node ${voter.id} has the metadata up to ${found.offset} only.` }
  }

  #minority(raft: AnyRaft, key: ReplicaKey, left: readonly Voter[]): VoterChange | null {
    if (left.length === 0) return refuse('INVALID_REQUEST', `Node ${key.id} is the only voter: add another one first.`)
    const now = this.#options.clock.mono()
    const own = this.#options.orderer.voter
    const silent = left.filter(voter => {
      const heard = [...raft.replicas].find(found => isSame(voter, found.key))?.lastFetch ?? -1
      return !isSame(voter, own) && (heard < 0 || now - heard > this.#options.fetchTimeoutMs)
    })
    if (left.length - silent.length >= majority(left)) return null
    const names = silent.map(({ id }) => id).join(', ')
    return refuse(
      'INVALID_REQUEST',
      `Without node ${key.id} the cluster would have no majority: of the ${left.length} voters that are left, ` +
        `${names} cannot be reached. Bring them back or remove them first.`,
    )
  }

  /** Our own addresses may have changed since they were written down. */
  #current(voter: Voter): Voter {
    const own = this.#options.orderer.voter
    return isSame(voter, own) && own.endpoints.length > 0 ? own : voter
  }

  #pause(): Promise<void> {
    return new Promise(resolve => this.#options.timers.after(lookMs, resolve))
  }
}

interface Waiting {
  readonly waitsFor: string
}

const isWaiting = (found: VoterChange | Waiting | null): found is Waiting => found !== null && 'waitsFor' in found

const refuse = (error: ErrorName, message: string): VoterChange => ({ error, message })
const notLeader = refuse('NOT_LEADER_OR_FOLLOWER', 'This node does not lead the quorum of the metadata.')

function sameEndpoints(a: Voter, b: Voter): boolean {
  const show = ({ endpoints }: Voter) => endpoints.map(({ name, host, port }) => `${name} ${host} ${port}`).join()
  return show(a) === show(b)
}
