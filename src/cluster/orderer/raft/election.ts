import { Absence } from './absence.ts'
import { Ballot } from './ballot.ts'
import type { Copy } from './copy.ts'
import type { RaftIo, RaftRequest, RaftSettings, ReplicaKey, Target, VoteRequest } from './types.ts'
import { othersThan } from './voters.ts'

/** What an election needs of the replica that stands for it. */
export interface ElectionContext {
  readonly self: ReplicaKey
  readonly settings: RaftSettings
  readonly copy: Copy
  readonly io: Pick<RaftIo<never>, 'random'>
  /** Addresses at which somebody may know the leader. */
  readonly seeds: number
  epoch(): number
  /** Sends when our epoch and vote are on stable storage, unless our role has ended by then. */
  send(to: Target, request: () => RaftRequest): void
}

/** What a replica does that has no leader: waits, asks for votes, or, without a vote of its own, for the leader. */
export class Election {
  readonly absence = new Absence()
  /** When it stands, or looks further. */
  standAt = Number.POSITIVE_INFINITY
  readonly #context: ElectionContext
  #ballot: Ballot | null = null

  constructor(context: ElectionContext) {
    this.#context = context
  }

  get deadline(): number {
    return Math.min(this.standAt, this.#ballot?.deadline ?? Number.POSITIVE_INFINITY)
  }

  /** Waits a full time from now on. */
  wait(now: number): void {
    this.standAt = now + this.waitMs(now)
  }

  waitMs(now: number): number {
    const wait = this.absence.waitMs(now, this.#context.settings.electionTimeoutMs)
    return wait + this.#context.io.random(Math.max(1, wait))
  }

  /** Asks all others. `preVote`: only whether they would vote for us (KIP-996). */
  ask(preVote: boolean): Ballot {
    const { self, copy } = this.#context
    const ballot = new Ballot(preVote, self)
    this.#ballot = ballot
    for (const voter of othersThan(self, copy.voters.latest)) this.#ask(voter, preVote)
    return ballot
  }

  /** Asks again who could not be reached. */
  tick(now: number): void {
    const ballot = this.#ballot
    for (const voter of ballot?.takeUnreached(now) ?? []) this.#ask(voter, ballot!.preVote)
  }

  notReached(voter: ReplicaKey, now: number): void {
    this.#ballot?.notReached(voter, now + this.#context.settings.retryMs)
  }

  /** A voter said yes. Returns the ballot when it is won; null: not yet. */
  grant(voter: ReplicaKey): Ballot | null {
    const ballot = this.#ballot
    ballot?.grant(voter)
    return ballot?.isWon(this.#context.copy.voters.latest) ? ballot : null
  }

  /** Decided, or given up: answers do not count any more. */
  end(): void {
    this.#ballot = null
  }

  /** Who has no vote asks somebody, by dice, who leads; a Fetch tells. */
  lookForLeader(now: number): void {
    const { self, settings, copy, io, seeds, epoch, send } = this.#context
    const others = othersThan(self, copy.voters.latest)
    const count = others.length + seeds
    this.standAt = now + settings.fetchTimeoutMs
    if (count === 0) return
    const pick = io.random(count)
    const voter = others[pick]
    const to = voter === undefined ? { seed: pick - others.length } : { id: voter.id }
    const { flushed, flushedEpoch, highWatermark } = copy
    const sign = { type: 'fetch', replica: self, maxWaitMs: 0, keepAlive: true } as const
    const have = { epoch: epoch(), fetchOffset: flushed, lastFetchedEpoch: flushedEpoch, highWatermark }
    send(to, () => ({ ...sign, ...have }))
  }

  /** That one did not know, or is not there: another is asked soon. */
  lookFurther(now: number): void {
    this.standAt = Math.min(this.standAt, now + 5 * this.#context.settings.retryMs)
  }

  /** We were stopped for a while: what should have come in the meantime is still to be read. */
  forgive(now: number): void {
    if (this.standAt !== Number.POSITIVE_INFINITY) this.standAt = Math.max(this.standAt, now + this.waitMs(now))
  }

  #ask({ id, directoryId }: ReplicaKey, preVote: boolean): void {
    this.#context.send({ id }, () => this.#request({ id, directoryId }, preVote))
  }

  #request(voter: ReplicaKey, preVote: boolean): VoteRequest {
    const { self, copy, epoch } = this.#context
    const { lastEpoch, endOffset: lastOffset } = copy.log
    return { type: 'vote', epoch: epoch(), candidate: self, voter, lastEpoch, lastOffset, preVote }
  }
}
