import type { Voter } from '../orderer.ts'
import type { ReplicaKey } from './types.ts'
import { isSame, majority } from './voters.ts'

/**
 * As of when a leader knows that it still was one. Commonly the Fetches of a majority say it; after a pause they do not,
 * since they may have waited in our sockets while others elected somebody else: then a majority must answer a question
 * that was asked since, or have what was appended since.
 */
export class Assurance {
  readonly #self: ReplicaKey
  #doubtedAt: number | null = null
  /** The log's end then. */
  #doubtedEnd = 0
  readonly #loyal = new Set<Voter>()
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

  /** We were stopped until `now`; `heardAt`: before. `endOffset`: of the log. */
  doubt(now: number, heardAt: number, endOffset: number): void {
    this.#asOf = this.asOf(heardAt)
    this.#doubtedAt = now
    this.#doubtedEnd = endOffset
    this.#loyal.clear()
  }

  committed(highWatermark: number): void {
    if (highWatermark > this.#doubtedEnd) this.#trust()
  }

  /** A voter follows us still, in answer to what we asked at `askedAt`. */
  answered(voter: ReplicaKey, askedAt: number, voters: readonly Voter[]): void {
    if (this.#doubtedAt === null || askedAt < this.#doubtedAt) return
    for (const each of voters) if (isSame(each, voter) || isSame(each, this.#self)) this.#loyal.add(each)
    if (voters.filter(each => this.#loyal.has(each)).length >= majority(voters)) this.#trust()
  }

  #trust(): void {
    if (this.#doubtedAt !== null) this.#asOf = Math.max(this.#asOf, this.#doubtedAt)
    this.#doubtedAt = null
  }
}
