import type { Voter } from '../orderer.ts'
import { Assurance } from './assurance.ts'
import type { Copy } from './copy.ts'
import { Replicas } from './replicas.ts'
import type { BeginRequest, FetchAnswer, FetchRequest, RaftError, RaftIo, RaftRequest, ReplicaKey } from './types.ts'
import { isSame, othersThan } from './voters.ts'

/** What a leader needs of the replica that it is. */
export interface LeadingContext {
  readonly self: ReplicaKey
  readonly epoch: number
  readonly fetchTimeoutMs: number
  readonly copy: Copy
  readonly io: Pick<RaftIo<never>, 'lead'>
  send(to: { readonly id: number }, request: RaftRequest): void
  /** It leads no longer. */
  step(now: number): void
}

/** ms that a leader which wants to go gives to what is not committed yet. */
const goMs = 300

/** One epoch of a leader: what is committed, who follows, and for how long it may believe that it leads. */
export class Leading {
  readonly replicas: Replicas
  readonly #context: LeadingContext
  readonly #assurance: Assurance
  /** Where the first batch of our epoch begins, and ends. */
  readonly #start: number
  readonly #changeEnd: number
  #begun = false
  #over = false
  /** When voters that were not heard are told (again) that we lead. */
  #beginAt: number
  /** When a leader that wants to go does so, come what may. */
  #goAt = Number.POSITIVE_INFINITY

  /** The first batch of the epoch was just appended, at `start`. */
  constructor(context: LeadingContext, start: number, now: number) {
    this.#context = context
    this.#start = start
    this.#changeEnd = context.copy.log.endOffset
    this.#beginAt = now
    this.#assurance = new Assurance(context.self)
    this.replicas = new Replicas(context.self, context.fetchTimeoutMs, now)
  }

  /** The first batch of the epoch is committed: commands may be decided. */
  get begun(): boolean {
    return this.#begun
  }

  get going(): boolean {
    return this.#goAt !== Number.POSITIVE_INFINITY
  }

  get deadline(): number {
    return Math.min(this.#beginAt, this.#goAt, this.replicas.nextParkedDeadline(), this.#checkDeadline)
  }

  /** Without word from a majority a leader cannot know that it still is one. */
  get #checkDeadline(): number {
    return this.#others.length === 0 ? Number.POSITIVE_INFINITY : this.replicas.checkDeadline
  }

  get #voters(): readonly Voter[] {
    return this.#context.copy.voters.latest
  }

  get #others(): readonly Voter[] {
    return othersThan(this.#context.self, this.#voters)
  }

  /** Monotonic ms: nobody else had been elected by then. */
  leadsAsOf(now: number): number {
    if (this.#others.length === 0) return now
    return this.#assurance.asOf(this.replicas.majorityHeardAt(this.#voters, now))
  }

  /** We were stopped for a while: others are not to blame for what we did not hear, and may have elected somebody else. */
  paused(now: number): void {
    const { endOffset } = this.#context.copy.log
    this.#assurance.doubt(now, this.replicas.majorityHeardAt(this.#voters, now), endOffset)
    this.replicas.forgive(now)
    this.#beginAt = now
  }

  /** A voter has answered that it follows us. */
  saidLoyal({ voter, askedAt = 0 }: BeginRequest): void {
    this.#assurance.answered(voter, askedAt, this.#voters)
  }

  tick(now: number): void {
    for (const { answer } of this.replicas.take(({ deadline }) => now >= deadline)) answer(this.#answer({}))
    if (now >= this.#goAt || now >= this.#checkDeadline) this.#context.step(now)
    else if (now >= this.#beginAt) this.#introduce(now)
  }

  /** Records were appended. */
  appended(now: number): void {
    const { endOffset } = this.#context.copy.log
    for (const { request, answer } of this.replicas.take(({ request }) => request.fetchOffset < endOffset))
      answer(this.#answer({ readFrom: request.fetchOffset }))
    this.advance(now)
  }

  /** Commits what a majority has on stable storage, as soon as something of our own epoch is among it. */
  advance(now: number): void {
    const { copy, io, epoch, self } = this.#context
    const { endOffset } = copy.log
    const offset = Math.min(this.replicas.majorityOffset(this.#voters, copy.flushed), endOffset)
    if (offset > this.#start && copy.commit(offset)) {
      this.#assurance.committed(offset)
      for (const { answer } of this.replicas.take(({ request }) => request.highWatermark < offset))
        answer(this.#answer({}))
    }
    if (this.#over) return
    if (!this.#begun && copy.highWatermark >= this.#changeEnd) {
      this.#begun = true
      io.lead(epoch)
    }
    if (copy.highWatermark < endOffset) return
    const removed = !this.#voters.some(voter => isSame(voter, self))
    if (removed || this.going) this.#context.step(now)
  }

  /** `answer` may be called later: a Fetch to which there is nothing new to say is kept for a while. */
  fetch(request: FetchRequest, now: number, answer: (answer: FetchAnswer) => void): void {
    const { replica, fetchOffset } = request
    this.replicas.unpark(replica)?.answer(this.#answer({}))
    this.replicas.heard(replica, this.#voters, now)
    const elsewhere = this.#elsewhere(request)
    if (elsewhere !== null) {
      answer(this.#answer(elsewhere))
      return
    }
    const { endOffset } = this.#context.copy.log
    this.replicas.fetched(replica, fetchOffset, endOffset, now)
    this.advance(now)
    // That may have been what a leader had waited for that wants to go.
    if (this.#over) answer(this.#answer({ error: 'NOT_LEADER_OR_FOLLOWER', leaderId: -1 }))
    else if (!request.keepAlive && fetchOffset < endOffset) answer(this.#answer({ readFrom: fetchOffset }))
    else if (request.keepAlive || request.maxWaitMs <= 0 || request.highWatermark < this.#context.copy.highWatermark)
      answer(this.#answer({}))
    else this.replicas.park({ request, deadline: now + request.maxWaitMs, answer })
  }

  /** Another voter was heard lately that has what lies at `offset`; and we do not go yet. */
  hasHeir(offset: number, now: number): boolean {
    const { fetchTimeoutMs } = this.#context
    return (
      !this.going &&
      this.#others.some(voter => {
        const { offset: end = -1, lastFetch = -1 } = this.replicas.ofVoter(voter) ?? {}
        return end > offset && lastFetch >= 0 && now - lastFetch <= fetchTimeoutMs
      })
    )
  }

  /** Gives the lead away as soon as all that was appended is committed. */
  go(now: number): void {
    this.#goAt = now + goMs
    this.advance(now)
  }

  /** The voters have changed: the new ones hear of us at once. */
  votersChanged(now: number): void {
    this.#beginAt = now
    // Who was alone has not counted who was heard.
    this.replicas.forgive(now)
    this.tick(now)
  }

  /** Who should lead next: those who have most. */
  candidates(): ReplicaKey[] {
    const known = this.#others.map(({ id, directoryId }) => {
      return { id, directoryId, offset: this.replicas.ofVoter({ id, directoryId })?.offset ?? -1 }
    })
    return known
      .filter(({ offset }) => offset >= 0)
      .sort((a, b) => b.offset - a.offset || a.id - b.id)
      .map(({ id, directoryId }) => ({ id, directoryId }))
  }

  /** Returns how all who wait are told, once that may be told. */
  end(): (() => void)[] {
    this.#over = true
    const error: RaftError = 'NOT_LEADER_OR_FOLLOWER'
    return this.replicas
      .take(() => true)
      .map(
        ({ answer }) =>
          () =>
            answer(this.#answer({ error, leaderId: -1 })),
      )
  }

  #introduce(now: number): void {
    const { epoch, self, fetchTimeoutMs, send } = this.#context
    const again = fetchTimeoutMs / 2
    const others = this.#others
    this.#beginAt = others.length === 0 ? Number.POSITIVE_INFINITY : now + again
    for (const { id, directoryId } of others) {
      const lastFetch = this.replicas.ofVoter({ id, directoryId })?.lastFetch ?? -1
      if (lastFetch >= 0 && now - lastFetch < again && !this.#assurance.doubted) continue
      send({ id }, { type: 'begin', epoch, leaderId: self.id, voter: { id, directoryId }, askedAt: now })
    }
  }

  /** What a Fetch is told that does not go on where our log does; null: it does. */
  #elsewhere({ fetchOffset, lastFetchedEpoch }: FetchRequest): Partial<FetchAnswer> | null {
    const { snapshot, startOffset, startEpoch } = this.#context.copy.log
    if (fetchOffset === 0 && startOffset === 0) return null
    const gone =
      fetchOffset < startOffset ||
      lastFetchedEpoch < startEpoch ||
      (fetchOffset === startOffset && lastFetchedEpoch !== startEpoch)
    if (gone && snapshot !== null) return { snapshot }
    const { epoch, endOffset } = this.#context.copy.log.endOffsetFor(lastFetchedEpoch)
    return epoch !== lastFetchedEpoch || endOffset < fetchOffset ? { diverging: { epoch, endOffset } } : null
  }

  #answer(more: Partial<FetchAnswer>): FetchAnswer {
    const { epoch, self, copy } = this.#context
    return {
      epoch,
      leaderId: self.id,
      error: null,
      highWatermark: copy.highWatermark,
      diverging: null,
      snapshot: null,
      readFrom: -1,
      ...more,
    }
  }
}
