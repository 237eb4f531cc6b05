import type { Voter } from '../orderer.ts'
import type { ReplicaKey } from './types.ts'
import { isSame, majority } from './voters.ts'

/**
 * As of when a leader knows that it still was one. Commonly the Fetches of a majority say it; after a pause they do not,
 * since they may have waited in our sockets while others elected somebody else: then a majority must answer a question
 * that was asked since.
 */
export class Assurance {
  readonly #self: ReplicaKey
  #doubtedAt: number | null = null
  readonly #answered: ReplicaKey[] = []
  #asOf = Number.NEGATIVE_INFINITY

  constructor(self: ReplicaKey) {
    this.#self = self
  }

  get doubted(): boolean {
    return this.#doubtedAt !== null
  }

  /** Monotonic ms. `heardAt`: when a majority was heard. */
  asOf(heardAt: number): number {
    return this.#doubtedAt === null ? Math.max(this.#asOf, heardAt) : this.#asOf
  }

  /** We were stopped until `now`; `heardAt`: before. */
  doubt(now: number, heardAt: number): void {
    this.#asOf = this.asOf(heardAt)
    this.#doubtedAt = now
    this.#answered.length = 0
  }

  /** A voter follows us still, in answer to what we asked at `askedAt`. */
  answered(voter: ReplicaKey, askedAt: number, voters: readonly Voter[]): void {
    if (this.#doubtedAt === null || askedAt < this.#doubtedAt) return
    this.#answered.push(voter)
    const loyal = voters.filter(each => isSame(each, this.#self) || this.#answered.some(key => isSame(each, key)))
    if (loyal.length < majority(voters)) return
    this.#asOf = Math.max(this.#asOf, this.#doubtedAt)
    this.#doubtedAt = null
  }
}
