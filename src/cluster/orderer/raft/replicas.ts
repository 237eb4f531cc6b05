import type { Voter } from '../orderer.ts'
import type { FetchAnswer, FetchRequest, ReplicaKey } from './types.ts'
import { isSame, majority } from './voters.ts'

/** How far a replica is, as its leader knows it. */
export interface ReplicaProgress {
  readonly key: ReplicaKey
  /** On its stable storage; −1: nothing is known in this epoch. */
  offset: number
  /** Monotonic ms; −1: never. */
  lastFetch: number
  lastCaughtUp: number
  /** Since when it has fetched without a pause longer than the fetch timeout. */
  steadySince: number
  /** The leader's end at its last Fetch. */
  endAtLastFetch: number
}

/** A Fetch that waits for something new. */
export interface Parked {
  readonly key: string
  readonly request: FetchRequest
  readonly deadline: number
  readonly answer: (answer: FetchAnswer) => void
}

/** Anybody may ask to read; who is forgotten only loses its line in a list. */
const mostReplicas = 1000
/** ms of silence after which one that does not vote is forgotten, as in Kafka. */
export const observerTimeoutMs = 300_000

const nameOf = ({ id, directoryId }: ReplicaKey): string => `${id} ${directoryId}`

/** What a leader knows of those who follow it, for the time of one epoch. */
export class Replicas {
  readonly #self: ReplicaKey
  readonly #fetchTimeoutMs: number
  readonly #progress = new Map<string, ReplicaProgress>()
  readonly #parked = new Map<string, Parked>()
  /** Voters that were heard since the last time when they were a majority. */
  readonly #heard = new Set<string>()
  #checkDeadline: number

  constructor(self: ReplicaKey, fetchTimeoutMs: number, now: number) {
    this.#self = self
    this.#fetchTimeoutMs = fetchTimeoutMs
    this.#checkDeadline = now + this.#checkMs
  }

  /** Until when a majority must have been heard; it counts from the last time when it was. */
  get checkDeadline(): number {
    return this.#checkDeadline
  }

  get #checkMs(): number {
    return this.#fetchTimeoutMs * 1.5
  }

  all(): Iterable<ReplicaProgress> {
    return this.#progress.values()
  }

  find(key: ReplicaKey): ReplicaProgress | null {
    return this.#progress.get(nameOf(key)) ?? null
  }

  /** Of a voter, whose directory may not be known. */
  ofVoter(voter: ReplicaKey): ReplicaProgress | null {
    for (const progress of this.#progress.values()) if (isSame(voter, progress.key)) return progress
    return null
  }

  /** The clock jumped because we were stopped: nobody is to blame for the silence. */
  forgive(now: number): void {
    this.#checkDeadline = now + this.#checkMs
  }

  /** Somebody was heard; what is asked for was checked against our log already when `offset` is given. */
  heard(key: ReplicaKey, voters: readonly Voter[], now: number): void {
    const name = nameOf(key)
    const progress = this.#of(key, name, now)
    if (now - progress.lastFetch > this.#fetchTimeoutMs) progress.steadySince = now
    progress.lastFetch = now
    if (!voters.some(voter => isSame(voter, key))) return
    this.#heard.add(name)
    let count = voters.some(voter => isSame(voter, this.#self)) ? 1 : 0
    for (const voter of voters) {
      const heard = this.ofVoter(voter)
      if (heard !== null && this.#heard.has(nameOf(heard.key))) count++
    }
    if (count < majority(voters)) return
    this.#heard.clear()
    this.#checkDeadline = now + this.#checkMs
  }

  /** Monotonic ms: a majority, with ourselves `now`, was heard since then. */
  majorityHeardAt(voters: readonly Voter[], now: number): number {
    const never = Number.NEGATIVE_INFINITY
    const heardAt = (voter: Voter): number => {
      const { lastFetch = -1 } = this.ofVoter(voter) ?? {}
      return lastFetch < 0 ? never : lastFetch
    }
    const times = voters.map(voter => (isSame(voter, this.#self) ? now : heardAt(voter))).sort((a, b) => b - a)
    return times[majority(times) - 1] ?? never
  }

  /** A Fetch that passed all checks says how far the replica is. */
  fetched(key: ReplicaKey, offset: number, endOffset: number, now: number): void {
    const progress = this.#of(key, nameOf(key), now)
    if (offset >= endOffset) progress.lastCaughtUp = now
    else if (offset >= progress.endAtLastFetch && progress.endAtLastFetch >= 0) progress.lastCaughtUp = now
    progress.endAtLastFetch = endOffset
    progress.offset = offset
  }

  /** The offset below which a majority of the voters has everything; `ownOffset` is our own, on stable storage. */
  majorityOffset(voters: readonly Voter[], ownOffset: number): number {
    const offsets = voters.map(voter => (isSame(voter, this.#self) ? ownOffset : (this.ofVoter(voter)?.offset ?? -1)))
    offsets.sort((a, b) => b - a)
    return offsets[majority(offsets) - 1] ?? -1
  }

  /** The newer Fetch of a replica is the one that it waits for. */
  park(parked: Omit<Parked, 'key'>): void {
    const key = nameOf(parked.request.replica)
    this.#parked.set(key, { ...parked, key })
  }

  /** What was parked by this replica, no longer parked. */
  unpark(key: ReplicaKey): Parked | null {
    const parked = this.#parked.get(nameOf(key)) ?? null
    this.#parked.delete(nameOf(key))
    return parked
  }

  /** Those for which `due` is true, no longer parked. */
  take(due: (parked: Parked) => boolean): Parked[] {
    const taken = [...this.#parked.values()].filter(due)
    for (const { key } of taken) this.#parked.delete(key)
    return taken
  }

  nextParkedDeadline(): number {
    let next = Number.POSITIVE_INFINITY
    for (const { deadline } of this.#parked.values()) next = Math.min(next, deadline)
    return next
  }

  #of(key: ReplicaKey, name: string, now: number): ReplicaProgress {
    const known = this.#progress.get(name)
    if (known !== undefined) return known
    if (this.#progress.size >= mostReplicas) this.#forgetSilent(now)
    const progress = { key, offset: -1, lastFetch: -1, lastCaughtUp: -1, steadySince: now, endAtLastFetch: -1 }
    this.#progress.set(name, progress)
    return progress
  }

  #forgetSilent(now: number): void {
    let oldest: string | null = null
    let since = Number.POSITIVE_INFINITY
    for (const [name, { lastFetch }] of this.#progress) {
      if (now - lastFetch > observerTimeoutMs) this.#progress.delete(name)
      else if (lastFetch < since) {
        oldest = name
        since = lastFetch
      }
    }
    if (this.#progress.size >= mostReplicas && oldest !== null) this.#progress.delete(oldest)
  }
}
