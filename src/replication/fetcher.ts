import { errorName } from '../protocol/errors.ts'
import type { Fetch } from '../protocol/messages/fetch.ts'
import type { RequestInput, ResponseOutput } from '../protocol/schema.ts'
import type { Logger } from '../world/logger.ts'
import type { Clock, Timer, Timers } from '../world/world.ts'
import type { Following, FollowingEvents } from './following.ts'

type FetchRequest = RequestInput<typeof Fetch>
export type FetchResponse = ResponseOutput<typeof Fetch>
type FetchTopics = Exclude<FetchRequest['topics'], undefined>
type FetchPartition = FetchTopics[number]['partitions'][number]

/**
 * How a follower reaches the replicas that it copies from. Requests to one node leave in order and are answered in order;
 * rejects when one is lost, and then all that were sent after it.
 */
export interface FetchPort {
  fetch(node: number, request: FetchRequest, timeoutMs: number): Promise<FetchResponse>
}

/** Kafka's settings of these names; ms and bytes. */
export interface FetcherSettings {
  /** `replica.fetch.wait.max.ms` */
  readonly waitMs: number
  /** `replica.fetch.min.bytes` */
  readonly minBytes: number
  /** `replica.fetch.response.max.bytes` */
  readonly responseBytes: number
  /** `replica.fetch.max.bytes`: of one partition. */
  readonly partitionBytes: number
  /** `replica.socket.timeout.ms`: an answer that is later by so much never comes. */
  readonly timeoutMs: number
  /** `replica.fetch.backoff.ms`: the longest pause after failures. */
  readonly backoffMs: number
}

export interface FetcherOptions {
  /** Our own id, and the epoch in which we are registered. */
  readonly node: number
  brokerEpoch(): number
  readonly port: FetchPort
  readonly settings: FetcherSettings
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
}

/** ms of the first pause after a failure; each further one doubles it. */
const firstBackoffMs = 20

/**
 * Copies partitions from one node: one long poll for all of them (KIP-227), in turns. What came is appended and flushed, all
 * partitions sharing the wait, before the next Fetch goes out: its offsets say what we have as safe as each topic wants it.
 * When the partitions change while a Fetch waits at the source, a second one follows at once; the source then answers the first.
 */
export class Fetcher implements FollowingEvents {
  readonly source: number
  readonly #options: FetcherOptions
  readonly #followings = new Map<string, Map<number, Following>>()
  #count = 0
  /** To be named in the next Fetch. */
  readonly #changed = new Set<Following>()
  readonly #forgotten = new Map<string, Set<number>>()
  #sessionId = 0
  #sessionEpoch = 0
  /** Of the session before: the source need not keep it. */
  #formerSession = 0
  /** The source has no room for a session. */
  #sessionless = false
  /** Raised when the session begins anew: answers to older Fetches are not ours any more. */
  #generation = 0
  #fetches = 0
  #underWay = 0
  #flushing = 0
  #urgent = false
  #scheduled = false
  #failures = 0
  #pause: Timer | null = null
  #closed = false

  constructor(source: number, options: FetcherOptions) {
    this.source = source
    this.#options = options
  }

  /** Partitions that are copied. */
  get size(): number {
    return this.#count
  }

  add(following: Following): void {
    const { topicId, index } = following.partition
    let topic = this.#followings.get(topicId)
    if (topic === undefined) {
      topic = new Map()
      this.#followings.set(topicId, topic)
    }
    if (!topic.has(index)) this.#count++
    topic.set(index, following)
    following.partition.onReport = () => this.#name(following)
    this.#nameWhenFlushed(following)
  }

  remove(following: Following): void {
    const { topicId, index } = following.partition
    const topic = this.#followings.get(topicId)
    if (topic?.get(index) !== following) return
    topic.delete(index)
    this.#count--
    following.partition.onReport = null
    if (topic.size === 0) this.#followings.delete(topicId)
    this.#forget(following)
  }

  /** The partition's role has changed, though not whom it is copied from. */
  roleChanged(following: Following): void {
    if (following.partition.damagedAt === null || following.state === 'busy') return
    this.#forget(following)
    if (!following.heal(this)) this.#name(following)
  }

  close(): void {
    this.#closed = true
    this.#generation++
    this.#pause?.cancel()
    this.#followings.clear()
    this.#count = 0
  }

  ready(): void {
    for (const topic of this.#followings.values())
      for (const following of topic.values())
        if (following.state === 'ready' && !following.inSession) this.#name(following)
  }

  again(following: Following): void {
    following.state = 'resting'
    if (this.#has(following)) this.#rest([following])
  }

  warn(message: string, fields: Record<string, unknown>): void {
    this.#options.logger.warn(message, fields)
  }

  now(): number {
    return this.#options.clock.now()
  }

  /** It may be fetched: the next Fetch names it, which does not wait for the one under way. */
  #name(following: Following): void {
    if (this.#closed || following.state !== 'ready' || !this.#has(following)) return
    if (following.heal(this)) {
      this.#forget(following)
      return
    }
    this.#changed.add(following)
    this.#urgent = true
    if (this.#scheduled) return
    this.#scheduled = true
    // Partitions come in crowds.
    this.#options.timers.soon(() => {
      this.#scheduled = false
      this.#send()
    })
  }

  /** A Fetch says that all before its offset is flushed. */
  #nameWhenFlushed(following: Following): void {
    const { partition } = following
    this.#forget(following)
    if (following.heal(this)) return
    following.state = 'busy'
    partition.whenFlushed(partition.log.logEndOffset, error => {
      if (error !== null) {
        // The end of a term, or no room for what was appended.
        following.state = 'resting'
        this.#rest([following])
        return
      }
      following.state = 'ready'
      this.#name(following)
    })
  }

  #has(following: Following): boolean {
    const { topicId, index } = following.partition
    return this.#followings.get(topicId)?.get(index) === following
  }

  #forget(following: Following): void {
    const { topicId, index } = following.partition
    this.#changed.delete(following)
    if (!following.inSession) return
    following.inSession = false
    const indexes = this.#forgotten.get(topicId)
    if (indexes === undefined) this.#forgotten.set(topicId, new Set([index]))
    else indexes.add(index)
  }

  #send(): void {
    // Until all that came is flushed, no offset that we could name is a promise that we can keep.
    if (this.#closed || this.#flushing > 0 || this.#pause !== null || this.#count === 0) return
    const atOnce = this.#urgent && this.#sessionId !== 0 ? 2 : 1
    if (this.#underWay >= atOnce) return
    this.#urgent = false
    const { port, settings, node } = this.#options
    const fetch = ++this.#fetches
    const full = this.#sessionId === 0
    const request: FetchRequest = {
      replicaState: { replicaId: node, replicaEpoch: this.#options.brokerEpoch() },
      // The answer to the first one brings the session, without which nothing can follow it.
      maxWaitMs: full && !this.#sessionless ? 0 : settings.waitMs,
      minBytes: settings.minBytes,
      maxBytes: settings.responseBytes,
      sessionId: full ? this.#formerSession : this.#sessionId,
      sessionEpoch: full ? 0 : this.#nextEpoch(),
      topics: this.#named(full, fetch),
      forgottenTopicsData: full ? [] : this.#forgottenTopics(),
    }
    this.#forgotten.clear()
    this.#underWay++
    const generation = this.#generation
    port.fetch(this.source, request, settings.waitMs + settings.timeoutMs).then(
      response => generation === this.#generation && this.#received(response, fetch, full),
      error => generation === this.#generation && this.#failed(String(error)),
    )
  }

  #nextEpoch(): number {
    const epoch = this.#sessionEpoch
    this.#sessionEpoch = epoch === 0x7fffffff ? 1 : epoch + 1
    return epoch
  }

  #named(full: boolean, fetch: number): FetchTopics {
    if (full) {
      for (const topic of this.#followings.values())
        for (const following of topic.values()) {
          following.inSession = false
          if (following.state === 'ready') this.#changed.add(following)
        }
    }
    const topics = new Map<string, FetchPartition[]>()
    const later: Following[] = []
    for (const following of this.#changed) {
      const { topicId, index: partition, log } = following.partition
      // Named again in the same Fetch the source would take it for one that has been told everything.
      if (following.namedAt > 0 && !full && this.#forgotten.get(topicId)?.has(partition)) {
        later.push(following)
        continue
      }
      const fetchOffset = following.position
      if (log.flushedOffset < fetchOffset) {
        // Whoever waited for that was told something else: that the term is over, or that the disk is full.
        this.#nameWhenFlushed(following)
        continue
      }
      const lastFetchedEpoch = this.#lastEpoch(following, fetchOffset)
      if (lastFetchedEpoch === null) continue
      if (!following.inSession) following.namedAt = fetch
      following.inSession = true
      following.sentOffsetBefore = following.sentOffset
      following.sentOffset = fetchOffset
      following.sentStart = log.logStartOffset
      following.sentAt = fetch
      this.#forgotten.get(topicId)?.delete(partition)
      const named = {
        partition,
        currentLeaderEpoch: following.leaderEpoch,
        fetchOffset,
        lastFetchedEpoch,
        logStartOffset: log.logStartOffset,
        partitionMaxBytes: this.#options.settings.partitionBytes,
        downstream: following.partition.reports,
      }
      const partitions = topics.get(topicId)
      if (partitions === undefined) topics.set(topicId, [named])
      else partitions.push(named)
    }
    this.#changed.clear()
    for (const following of later) this.#name(following)
    return Array.from(topics, ([topicId, partitions]) => ({ topicId, partitions }))
  }

  /** Of the last batch before `fetchOffset`; null: it cannot be read, at first use, from what tells it. */
  #lastEpoch(following: Following, fetchOffset: number): number | null {
    const { log } = following.partition
    try {
      return fetchOffset === log.logEndOffset ? log.latestEpoch : log.epochForOffset(fetchOffset - 1)
    } catch (error) {
      following.failed(error, 'the log’s epochs could not be read', this)
      this.#forget(following)
      this.again(following)
      return null
    }
  }

  #forgottenTopics() {
    return Array.from(this.#forgotten, ([topicId, partitions]) => ({ topicId, partitions: [...partitions] })).filter(
      ({ partitions }) => partitions.length > 0,
    )
  }

  #received(response: FetchResponse, fetch: number, full: boolean): void {
    this.#underWay--
    if (response.errorCode !== 0) {
      const session = errorName(response.errorCode).includes('FETCH_SESSION')
      if (session) this.#restart()
      else this.#failed(errorName(response.errorCode))
      this.#send()
      return
    }
    this.#failures = 0
    if (full) {
      this.#sessionId = response.sessionId
      this.#sessionEpoch = 1
      this.#sessionless = response.sessionId === 0
    }
    const resting: Following[] = []
    // Not before all of it is looked at.
    this.#flushing++
    for (const { topicId, partitions } of response.responses) {
      const topic = this.#followings.get(topicId)
      for (const answer of partitions) {
        const following = topic?.get(answer.partitionIndex)
        if (following !== undefined) this.#receive(following, answer, fetch, resting)
      }
    }
    this.#flushing--
    this.#rest(resting)
    this.#send()
  }

  #receive(
    following: Following,
    answer: FetchResponse['responses'][number]['partitions'][number],
    fetch: number,
    resting: Following[],
  ): void {
    const received = following.receive(answer, following.askedIn(fetch), this)
    // Who deletes records at the source waits for us to let them go, too.
    if (received === 'nothing' && following.inSession && following.sentStart !== following.partition.log.logStartOffset)
      this.#changed.add(following)
    if (received === 'appended') {
      this.#changed.add(following)
      this.#flushing++
      following.partition.whenFlushed(following.partition.log.logEndOffset, error => {
        this.#flushing--
        // A full disk: what was refused would be refused again at once.
        if (error !== null && this.#has(following)) {
          this.#forget(following)
          following.state = 'resting'
          this.#rest([following])
        }
        if (this.#flushing === 0) this.#send()
      })
    } else if (received !== 'nothing') {
      this.#forget(following)
      if (received === 'again') resting.push(following)
      if (received !== 'busy') following.state = 'resting'
    }
  }

  /** What failed is tried again after a pause, unless it has been taken from us by then. */
  #rest(followings: readonly Following[]): void {
    if (followings.length === 0) return
    let failures = 0
    for (const following of followings) failures = Math.max(failures, following.failures++)
    this.#options.timers.after(this.#backoff(failures), () => {
      for (const following of followings) {
        if (following.state !== 'resting' || !this.#has(following)) continue
        following.state = 'ready'
        this.#name(following)
      }
    })
  }

  #backoff(failures: number): number {
    return Math.min(firstBackoffMs * 2 ** Math.min(failures, 16), this.#options.settings.backoffMs)
  }

  #failed(why: string): void {
    this.#options.logger.debug('a fetch from another node failed', { node: this.source, why })
    this.#restart()
    this.#pause = this.#options.timers.after(this.#backoff(this.#failures++), () => {
      this.#pause = null
      this.#send()
    })
  }

  /** What the source remembers of us is not known any more. */
  #restart(): void {
    this.#generation++
    this.#underWay = 0
    if (this.#sessionId !== 0) this.#formerSession = this.#sessionId
    this.#sessionId = 0
    this.#forgotten.clear()
  }
}
