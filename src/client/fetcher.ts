import { defaultMaxDecompressedBytes, type KafkaRecord } from '../protocol/batches/records.ts'
import { ErrorCode, KafkaError } from '../protocol/errors.ts'
import { Fetch } from '../protocol/messages/fetch.ts'
import type { ResponseOutput } from '../protocol/schema.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import type { Cluster } from './cluster.ts'
import { failure, isStale, mayRetry } from './failures.ts'
import { FetchedRecords, loadCodecs } from './fetched.ts'
import { askOffsets, byTopic, type IsolationLevel, type StartAt, type TopicPartition } from './offsets.ts'
import { backoffMs, sleep, within } from './retry.ts'

export interface FetchOptions {
  readonly isolation: IsolationLevel
  /** Where to go on when a position lies outside of the log, and where to begin without one. */
  readonly autoOffsetReset: 'earliest' | 'latest' | 'none'
  /** ms that the broker may wait for `minBytes`. */
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly partitionMaxBytes: number
  /** Records that one `poll` gives at most. */
  readonly maxPollRecords: number
  /** What one batch may decompress to. */
  readonly maxDecompressedBytes: number
  /** ms after which an epoch of a topic whose id is not known, and that no leader has heard of, is taken for a former topic's. */
  readonly unheardEpochMs: number
}

export const defaultFetchOptions: FetchOptions = {
  isolation: 'read_uncommitted',
  autoOffsetReset: 'latest',
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: 50 * 1024 * 1024,
  partitionMaxBytes: 1024 * 1024,
  maxPollRecords: 500,
  maxDecompressedBytes: defaultMaxDecompressedBytes,
  unheardEpochMs: 60_000,
}

/** Between looks at partitions of which none can be fetched right now. */
const idleMs = 20

export interface ConsumedRecord extends KafkaRecord, TopicPartition {
  /** Of the leader that wrote it; −1: not told. */
  readonly leaderEpoch: number
}

/** What is read, and from where. `leaderEpoch`: of the record before `start`, where that is a number and it is known. */
export interface Assigned extends TopicPartition {
  readonly start?: StartAt
  readonly leaderEpoch?: number
}

/** A partition that is read. */
interface Track extends TopicPartition {
  /** What is not yet turned into an offset. */
  start: StartAt
  /** Offset of the next record to give. −1 while `start` is being looked up. */
  position: number
  /** Of the record before `position`: a node that has not heard of it knows less of the log than we do (KIP-320). */
  leaderEpoch: number
  /** The topic that had that epoch; null: not known, whichever was committed for. */
  topicId: string | null
  /** Monotonic ms since when nobody has heard of `leaderEpoch`; null: not in doubt. */
  unheardSince: number | null
  records: FetchedRecords | null
  paused: boolean
  highWatermark: number
  /** Monotonic ms before which it is not fetched: after a failure. */
  notBefore: number
  failures: number
}

/** How a partition was asked for. */
interface Asked {
  readonly position: number
  /** −1: metadata tell none. */
  readonly leaderEpoch: number
  readonly topicId: string
}

type Answered = ResponseOutput<typeof Fetch>['responses'][number]['partitions'][number]

/** Reads partitions from wherever they are led: one request at a time to each broker, for all partitions that ran empty. */
export class Fetcher {
  readonly #cluster: Cluster
  readonly #options: FetchOptions
  readonly #tracks = new Map<string, Track>()
  /** What is being asked: of each broker records and starts, and where topics are. */
  readonly #underWay = new Map<string, Promise<void>>()
  /** What `poll` must throw. */
  #error: unknown = null
  #turn = 0
  #fetching: Promise<void> | null = null
  /** There is more to ask for than when `#fetching` began to wait. */
  #wake: () => void = () => {}

  constructor(cluster: Cluster, options: Partial<FetchOptions> = {}) {
    this.#cluster = cluster
    this.#options = { ...defaultFetchOptions, ...options }
  }

  /** Replaces what is read. Partitions that stay keep their position and what was fetched. */
  assign(partitions: readonly Assigned[]): void {
    const before = new Map(this.#tracks)
    this.#tracks.clear()
    for (const each of partitions) {
      const name = `${each.topic}-${each.partition}`
      const kept = each.start === undefined ? before.get(name) : undefined
      this.#tracks.set(name, kept ?? this.#track(each))
    }
    this.#wake()
  }

  get assignment(): TopicPartition[] {
    return [...this.#tracks.values()].map(({ topic, partition }) => ({ topic, partition }))
  }

  /** The offset of the next record that `poll` gives; null while it has to be looked up. */
  position(topic: string, partition: number): number | null {
    const track = this.#get(topic, partition)
    return track.position < 0 ? null : track.position
  }

  /** Offset after the last record that could be read when last fetched; −1 before the first fetch. */
  highWatermark(topic: string, partition: number): number {
    return this.#get(topic, partition).highWatermark
  }

  seek(topic: string, partition: number, start: StartAt): void {
    const { paused } = this.#get(topic, partition)
    this.#tracks.set(`${topic}-${partition}`, { ...this.#track({ topic, partition, start }), paused })
    this.#wake()
  }

  pause(topic: string, partition: number): void {
    this.#get(topic, partition).paused = true
  }

  resume(topic: string, partition: number): void {
    const track = this.#get(topic, partition)
    if (!track.paused) return
    track.paused = false
    this.#wake()
  }

  /**
   * The next records, as soon as there are any; empty after `timeoutMs`. Throws OFFSET_OUT_OF_RANGE (with
   * `autoOffsetReset` none), CORRUPT_MESSAGE, and what can not be retried, such as TOPIC_AUTHORIZATION_FAILED.
   */
  async poll(timeoutMs: number): Promise<ConsumedRecord[]> {
    const { clock } = this.#cluster.world
    const deadline = clock.mono() + timeoutMs
    for (;;) {
      const records = this.#drain()
      if (records.length === 0 && this.#error !== null) {
        const error = this.#error
        this.#error = null
        throw error
      }
      const fetching = this.#keepFetching()
      if (records.length > 0) return records
      const left = deadline - clock.mono()
      if (left <= 0) return []
      await within(this.#cluster.world, left, fetching)
    }
  }

  /** Fetches what ran empty, also while the caller works on what it got. */
  #keepFetching(): Promise<void> {
    this.#fetching ??= this.#fetch()
      .catch(error => {
        this.#error = error
      })
      .finally(() => {
        this.#fetching = null
      })
    return this.#fetching
  }

  #track({ topic, partition, start, leaderEpoch = -1 }: Assigned): Track {
    const position = typeof start === 'number' ? start : -1
    const where = start ?? (this.#options.autoOffsetReset === 'none' ? 0 : this.#options.autoOffsetReset)
    return {
      topic,
      partition,
      start: where,
      position,
      leaderEpoch,
      topicId: null,
      unheardSince: null,
      records: null,
      paused: false,
      highWatermark: -1,
      notBefore: 0,
      failures: 0,
    }
  }

  #get(topic: string, partition: number): Track {
    const track = this.#tracks.get(`${topic}-${partition}`)
    if (track === undefined) throw new RangeError(`${topic}-${partition} is not assigned to this consumer`)
    return track
  }

  /** Takes fetched records, beginning with another partition each time so that none has to wait for ever. */
  #drain(): ConsumedRecord[] {
    const taken: ConsumedRecord[] = []
    const tracks = [...this.#tracks.values()]
    this.#turn++
    for (let i = 0; i < tracks.length; i++) this.#drainTrack(tracks[(i + this.#turn) % tracks.length]!, taken)
    return taken
  }

  #drainTrack(track: Track, taken: ConsumedRecord[]): void {
    const { topic, partition, records } = track
    if (records === null || track.paused) return
    try {
      while (taken.length < this.#options.maxPollRecords) {
        const record = records.take()
        const { leaderEpoch } = records
        track.leaderEpoch = Math.max(track.leaderEpoch, leaderEpoch)
        if (record === null) {
          track.position = Math.max(track.position, records.end)
          track.records = null
          this.#wake()
          return
        }
        taken.push({ topic, partition, leaderEpoch, ...record })
        track.position = record.offset + 1
      }
    } catch (error) {
      track.records = null
      this.#error = error
    }
  }

  /** Fulfilled when something that was asked has been answered, or nothing can be asked for a while. */
  async #fetch(): Promise<void> {
    const now = this.#cluster.world.clock.mono()
    const hungry = new Map<number, Track[]>()
    const lost = new Map<number, Track[]>()
    for (const track of [...this.#tracks.values()]) {
      if (track.notBefore > now) continue
      const group = track.position < 0 ? lost : hungry
      if (group === hungry && (track.records !== null || track.paused)) continue
      const leaderId = this.#leaderOf(track)
      if (leaderId === null) continue
      const led = group.get(leaderId)
      if (led === undefined) group.set(leaderId, [track])
      else led.push(track)
    }
    for (const [leaderId, tracks] of hungry) this.#begin(`fetch ${leaderId}`, () => this.#ask(leaderId, tracks))
    for (const [leaderId, tracks] of lost) this.#begin(`start ${leaderId}`, () => this.#lookUp(leaderId, tracks))
    const hungrier = new Promise<void>(resolve => {
      this.#wake = resolve
    })
    const waits: Promise<unknown>[] = [...this.#underWay.values(), hungrier]
    let next = this.#underWay.size === 0 ? now + idleMs : Number.POSITIVE_INFINITY
    // Those whose pause is over first are not kept waiting by a broker, or for a topic, that says nothing.
    for (const { notBefore } of this.#tracks.values()) if (notBefore > now) next = Math.min(next, notBefore)
    if (next < Number.POSITIVE_INFINITY) waits.push(sleep(this.#cluster.world, next - now))
    await Promise.race(waits)
  }

  /** Whoever waits for one broker, or for news of one topic, does not keep the others waiting. */
  #begin(what: string, ask: () => Promise<void>): void {
    if (this.#underWay.has(what)) return
    this.#underWay.set(
      what,
      ask().finally(() => this.#underWay.delete(what)),
    )
  }

  /** Null while it must be looked for, or there is none. */
  #leaderOf(track: Track): number | null {
    const topic = this.#cluster.knownTopic(track.topic)
    if (topic === null) {
      this.#begin(`topic ${track.topic}`, () => this.#lookForTopic(track.topic))
      return null
    }
    try {
      return this.#cluster.leaderIn(topic, track.partition)
    } catch (error) {
      this.#failed(track, error)
      return null
    }
  }

  async #lookForTopic(name: string): Promise<void> {
    try {
      await this.#cluster.topic(name)
    } catch (error) {
      for (const track of this.#tracks.values()) if (track.topic === name) this.#failed(track, error)
    }
  }

  /** Turns names and times into offsets. */
  async #lookUp(leaderId: number, tracks: readonly Track[]): Promise<void> {
    const sought = tracks.flatMap(track => (typeof track.start === 'number' ? [] : [{ track, start: track.start }]))
    try {
      const asked = sought.map(({ track: { topic, partition }, start }) => ({ topic, partition, start }))
      const found = await askOffsets(this.#cluster, leaderId, asked, this.#options.isolation)
      for (const [i, { track }] of sought.entries()) {
        const each = found[i]!
        if (each instanceof KafkaError) this.#failed(track, each)
        else {
          track.position = each.offset
          // No record is that late: whatever comes next is.
          if (each.offset < 0) track.start = 'latest'
          else track.failures = 0
        }
      }
    } catch (error) {
      for (const { track } of sought) this.#failed(track, error)
    }
  }

  async #ask(leaderId: number, tracks: readonly Track[]): Promise<void> {
    const { maxWaitMs, minBytes, maxBytes, partitionMaxBytes, isolation } = this.#options
    try {
      const connection = await this.#cluster.broker(leaderId)
      const from = new Map(tracks.map(track => [track, this.#asked(track)]))
      const topics = byTopic(tracks, track => ({
        partition: track.partition,
        currentLeaderEpoch: from.get(track)!.leaderEpoch,
        fetchOffset: track.position,
        partitionMaxBytes,
      }))
      const ids = new Map(topics.map(({ name }) => [this.#cluster.knownTopic(name)?.topicId ?? '', name]))
      if (ids.has('')) return
      const names = new Map([...ids].map(([id, name]) => [name, id]))
      const answer = await connection.request(
        Fetch,
        {
          maxWaitMs,
          minBytes,
          maxBytes,
          isolationLevel: isolation === 'read_committed' ? 1 : 0,
          topics: topics.map(({ name, partitions }) => ({ topic: name, topicId: names.get(name)!, partitions })),
        },
        { timeoutMs: maxWaitMs + this.#cluster.options.requestTimeoutMs },
      )
      if (answer.errorCode !== 0) throw failure(answer.errorCode, 'Fetch')
      for (const { topic, topicId, partitions } of answer.responses) {
        const name = topic || (ids.get(topicId) ?? '')
        for (const part of partitions) {
          const track = this.#tracks.get(`${name}-${part.partitionIndex}`)
          // Meanwhile it may have been taken away, or sent elsewhere.
          const asked = track && from.get(track)
          if (track === undefined || asked?.position !== track.position) continue
          const isNews =
            part.errorCode !== 0 &&
            this.#cluster.leaderMoved(name, part.partitionIndex, part.currentLeader, answer.nodeEndpoints)
          if (!isNews) await this.#received(track, part, asked)
        }
      }
    } catch (error) {
      for (const track of tracks) this.#failed(track, error)
    }
  }

  #asked({ topic, partition, position }: Track): Asked {
    const leaderEpoch = this.#cluster.leaderEpoch(topic, partition)
    return { position, leaderEpoch, topicId: this.#cluster.knownTopic(topic)?.topicId ?? '' }
  }

  async #received(track: Track, part: Answered, asked: Asked): Promise<void> {
    const { topic, partition } = track
    if (isBehind(track, part, asked)) {
      this.#unheard(track)
      this.#failed(track, failure(ErrorCode.UNKNOWN_LEADER_EPOCH, `${topic}-${partition} at ${track.position}`))
      return
    }
    track.unheardSince = null
    if (part.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE && this.#options.autoOffsetReset !== 'none') {
      track.start = this.#options.autoOffsetReset
      track.position = -1
      return
    }
    if (part.errorCode !== 0) {
      this.#failed(track, failure(part.errorCode, `${topic}-${partition} at ${track.position}`))
      return
    }
    track.failures = 0
    track.highWatermark = part.highWatermark
    if (track.topicId !== null && track.topicId !== asked.topicId) track.leaderEpoch = -1
    // Without ids one that was made anew looks as if it were the same.
    track.topicId = asked.topicId === ZERO_UUID ? null : asked.topicId
    const bytes = part.records
    if (bytes === null || bytes.length === 0) return
    try {
      await loadCodecs(bytes)
      const aborted = this.#options.isolation === 'read_committed' ? (part.abortedTransactions ?? []) : null
      track.records = new FetchedRecords(bytes, track.position, aborted, this.#options.maxDecompressedBytes)
    } catch (error) {
      this.#error = error
    }
  }

  #unheard(track: Track): void {
    const now = this.#cluster.world.clock.mono()
    track.unheardSince ??= now
    if (track.topicId === null && now - track.unheardSince >= this.#options.unheardEpochMs) track.leaderEpoch = -1
  }

  #failed(track: Track, error: unknown): void {
    if (isStale(error)) this.#cluster.forget([track.topic])
    if (!mayRetry(error)) this.#error = error
    const pause = backoffMs(this.#cluster.world, this.#cluster.options, track.failures++)
    track.notBefore = this.#cluster.world.clock.mono() + pause
  }
}

/**
 * The node leads in an epoch before the one that we have read from: it has not heard of its successor, and if our position is
 * behind the end of its log that does not mean that we must begin anew (KIP-320).
 */
function isBehind({ leaderEpoch, topicId }: Track, { errorCode }: Answered, asked: Asked): boolean {
  if (errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.OFFSET_OUT_OF_RANGE) return false
  return asked.leaderEpoch >= 0 && asked.leaderEpoch < leaderEpoch && (topicId === null || topicId === asked.topicId)
}
