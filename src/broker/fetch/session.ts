import { KafkaError } from '../../protocol/errors.ts'
import type { ReplicaReport } from '../../replication/relay.ts'

/** One partition that a client wants to read, as its session remembers it. */
export interface FetchPartition {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  currentLeaderEpoch: number
  fetchOffset: number
  lastFetchedEpoch: number
  /** Of a follower; −1: it did not say. */
  logStartOffset: number
  maxBytes: number
  /** What a follower says of those behind it in a chain; null: nothing new. */
  downstream: readonly ReplicaReport[] | null
  /** False when the session alone remembers it, and its follower has counted already. */
  fresh: boolean
  /** Number of the session's change that named it last: an answer to an earlier Fetch does not speak of it. */
  namedIn: number
  /** What the client was last told, to leave out what did not change; −1: nothing yet. */
  toldHighWatermark: number
  toldLogStartOffset: number
}

export const finalEpoch = -1
export const initialEpoch = 0

function key(partition: { topic: string; topicId: string; partition: number }, byId: boolean): string {
  return `${byId ? partition.topicId : partition.topic}:${partition.partition}`
}

/** What a client fetches, kept between its requests, so that an idle partition costs no bytes (KIP-227). */
export class FetchSession {
  readonly id: number
  /** True when the client names topics by id (Fetch v13+); it may not change within a session. */
  readonly byId: boolean
  /** Of another node, which copies from us. */
  readonly ofNode: boolean
  epoch = 1
  lastUsed: number
  /** How often its partitions were changed. */
  changes = 0
  /** Bytes of its last answers: of the last one half, of the one before a quarter, and so on. */
  recentBytes = 0
  readonly #partitions = new Map<string, FetchPartition>()
  /** As they are served. Beside the map, so that turning them costs no deletions in it (see `Line`). */
  #order: FetchPartition[] = []

  constructor(id: number, byId: boolean, now: number, ofNode = false) {
    this.id = id
    this.byId = byId
    this.ofNode = ofNode
    this.lastUsed = now
  }

  get size(): number {
    return this.#partitions.size
  }

  update(
    changes: readonly FetchPartition[],
    forgotten: readonly { topic: string; topicId: string; partition: number }[],
  ) {
    this.changes++
    for (const change of changes) {
      change.namedIn = this.changes
      const known = this.#partitions.get(key(change, this.byId))
      if (known === undefined) {
        this.#partitions.set(key(change, this.byId), change)
        this.#order.push(change)
      } else {
        // Who asks in a new term, or begins anew, must be answered, though nothing has changed: by that it learns that its log
        // is a prefix of ours, for which those behind it in a chain wait.
        if (change.currentLeaderEpoch !== known.currentLeaderEpoch || change.fetchOffset < known.fetchOffset) {
          known.toldHighWatermark = -1
          known.toldLogStartOffset = -1
        }
        known.currentLeaderEpoch = change.currentLeaderEpoch
        known.fetchOffset = change.fetchOffset
        known.lastFetchedEpoch = change.lastFetchedEpoch
        known.maxBytes = change.maxBytes
        known.logStartOffset = change.logStartOffset
        known.downstream = change.downstream
        known.fresh = true
        known.namedIn = this.changes
      }
    }
    if (forgotten.length > 0) this.#forget(forgotten.map(partition => key(partition, this.byId)))
  }

  #forget(names: readonly string[]): void {
    for (const name of names) this.#partitions.delete(name)
    const left = new Set(this.#partitions.values())
    this.#order = this.#order.filter(partition => left.has(partition))
  }

  partitions(): readonly FetchPartition[] {
    return this.#order
  }

  /** Those that gave data come last the next time. */
  rotate(served: ReadonlySet<FetchPartition>): void {
    if (served.size === 0 || this.#order.length < 2) return
    const hungry = this.#order.filter(partition => !served.has(partition))
    this.#order = [...hungry, ...this.#order.filter(partition => served.has(partition))]
  }

  advance(now: number): void {
    this.epoch = this.epoch === 0x7fffffff ? 1 : this.epoch + 1
    this.lastUsed = now
  }
}

/** ms that a session is safe from being pushed out by a new one (Kafka's `MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS`). */
const safeMs = 120_000

/**
 * Partitions that are remembered, over all sessions of clients, which may name any number of them, also such as do not exist;
 * and over all of other nodes.
 */
const defaultMostPartitions = 500_000

/** The sessions of one broker, at most `slots` (`max.incremental.fetch.session.cache.slots`). */
export class FetchSessions {
  readonly #slots: number
  readonly #mostPartitions: number
  readonly #random: { int(below: number): number }
  readonly #sessions = new Map<number, FetchSession>()
  /** Partitions of all sessions together: no client pushes out another node's. */
  readonly #partitions = { ofClients: 0, ofNodes: 0 }
  evictions = 0

  constructor(slots: number, random: { int(below: number): number }, mostPartitions = defaultMostPartitions) {
    this.#slots = slots
    this.#mostPartitions = mostPartitions
    this.#random = random
  }

  get count(): number {
    return this.#sessions.size
  }

  /**
   * A new session, or null when all slots are taken by sessions that are in use: the client then fetches without one. Other
   * nodes always get one: there are few of them, and they fetch many partitions all the time.
   */
  open(byId: boolean, now: number, ofNode = false): FetchSession | null {
    if (this.#slots === 0) return null
    if (this.#sessions.size >= this.#slots && !this.#evict(now) && !ofNode) return null
    let id: number
    do id = 1 + this.#random.int(0x7ffffffe)
    while (this.#sessions.has(id))
    const session = new FetchSession(id, byId, now, ofNode)
    this.#sessions.set(id, session)
    return session
  }

  /** The session for an incremental request; throws the error the client must hear. */
  continue(id: number, epoch: number, byId: boolean, now: number): FetchSession {
    const session = this.#sessions.get(id)
    if (session === undefined) throw new KafkaError('FETCH_SESSION_ID_NOT_FOUND')
    if (session.epoch !== epoch) throw new KafkaError('INVALID_FETCH_SESSION_EPOCH')
    if (session.byId !== byId) throw new KafkaError('FETCH_SESSION_TOPIC_ID_ERROR')
    session.advance(now)
    // Sessions stand in the order of their last use: the first is the one to push out.
    this.#sessions.delete(id)
    this.#sessions.set(id, session)
    return session
  }

  /**
   * What a session holds from now on. False when all sessions together would remember too much: the session is closed
   * then, and its client goes on without one.
   */
  update(
    session: FetchSession,
    changes: readonly FetchPartition[],
    forgotten: readonly { topic: string; topicId: string; partition: number }[],
  ): boolean {
    const before = session.size
    session.update(changes, forgotten)
    if (this.#count(session, session.size - before) <= this.#mostPartitions) return true
    this.close(session.id)
    return false
  }

  close(id: number): void {
    const session = this.#sessions.get(id)
    if (session === undefined) return
    this.#count(session, -session.size)
    this.#sessions.delete(id)
  }

  #count({ ofNode }: FetchSession, partitions: number): number {
    const whose = ofNode ? 'ofNodes' : 'ofClients'
    this.#partitions[whose] += partitions
    return this.#partitions[whose]
  }

  #evict(now: number): boolean {
    for (const session of this.#sessions.values()) {
      if (now - session.lastUsed < safeMs) return false
      this.close(session.id)
      this.evictions++
      return true
    }
    return false
  }
}
