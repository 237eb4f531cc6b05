import type { Voter } from '../orderer.ts'
import type { ReplicaKey } from './types.ts'
import { includes, majority } from './voters.ts'

/** One election: who has said yes, and who could not be asked yet. */
export class Ballot {
  /** Only asks whether an election could be won (KIP-996). */
  readonly preVote: boolean
  readonly granted: ReplicaKey[]
  #unreached: ReplicaKey[] = []
  #askAgainAt = Number.POSITIVE_INFINITY

  constructor(preVote: boolean, self: ReplicaKey) {
    this.preVote = preVote
    this.granted = [self]
  }

  get deadline(): number {
    return this.#askAgainAt
  }

  /** A voter counts once, however often it answers. */
  grant(voter: ReplicaKey): void {
    if (!includes(this.granted, voter)) this.granted.push(voter)
  }

  isWon(voters: readonly Voter[]): boolean {
    return voters.filter(voter => includes(this.granted, voter)).length >= majority(voters)
  }

  /** Asked again at `at`. */
  notReached(voter: ReplicaKey, at: number): void {
    this.#unreached.push(voter)
    this.#askAgainAt = Math.min(this.#askAgainAt, at)
  }

  /** Whom to ask again now. */
  takeUnreached(now: number): ReplicaKey[] {
    if (now < this.#askAgainAt) return []
    this.#askAgainAt = Number.POSITIVE_INFINITY
    return this.#unreached.splice(0)
  }
}
