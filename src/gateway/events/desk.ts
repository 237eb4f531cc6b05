import type { Cluster } from '../../client/cluster.ts'
import type { ClientOptions, ClientWorld } from '../../client/options.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Logger } from '../../world/logger.ts'
import type { Timer } from '../../world/world.ts'
import type { JsonFormat } from '../record-json.ts'
import type { Wanted } from './batches.ts'
import type { EventCodec } from './codec.ts'
import { GroupSubscription } from './group-subscription.ts'
import { Hub } from './hub.ts'
import { Pace } from './pace.ts'
import { SharedReads } from './shared-reads.ts'
import type { EventStream } from './stream.ts'
import { type EventCounters, type Start, Subscription } from './subscription.ts'

export interface EventLimits {
  /** Streams at one time. */
  readonly streams: number
  /** ms of silence after which a stream shows a sign of life. */
  readonly heartbeatMs: number
  /** ms that a subscriber may take nothing before its stream is cut. */
  readonly stallMs: number
  /** Bytes that all streams together may hold for subscribers who do not take them; the slowest go first. */
  readonly unsentBytes: number
  /** Bytes of events that are kept for subscribers who are a little late, of all topics together. */
  readonly keptBytes: number
}

export interface EventDeskOptions {
  readonly world: ClientWorld
  readonly logger: Logger
  readonly limits: EventLimits
  /** A client of its own, with connections of its own. */
  open(options: Partial<ClientOptions>): Client
}

interface Client {
  readonly cluster: Cluster
  close(): void
}

/** What a subscriber asked for. */
export interface Wish extends Partial<Wanted> {
  readonly topic: string
  readonly codec: EventCodec
  /** After so many records the stream ends. Left out: never. */
  readonly most?: number
}

/** What a subscriber asked for that shares the topic with others of its group. */
export interface GroupWish {
  readonly topic: string
  readonly format: JsonFormat
  readonly keys: ReadonlySet<string> | null
}

/** More streams than the node takes. */
export class TooManyStreams extends Error {}

const batchBytes = 64 * 1024
/** Bytes of events that one topic keeps at most. */
const mostKept = 4 * 1024 * 1024
/** ms between two lines in the log about streams that failed. */
const quietMs = 10_000
/** ms between looks at all streams. */
const tickMs = 500
/** After so many ms a topic that is gone ends its streams, and new partitions are seen. */
const topicClient = { apiTimeoutMs: 5_000, metadataMaxAgeMs: 5_000 }
const memberClient = { apiTimeoutMs: 30_000, metadataMaxAgeMs: 5_000 }
const behindClient = { apiTimeoutMs: 30_000 }
/** Few read at a time, and others wait: what cannot be read now is given up soon. */
const readingClient = { apiTimeoutMs: 500, connectTimeoutMs: 1_000, requestTimeoutMs: 3_000 }

/** The topic is gone, or what the subscriber wanted of it. */
const subscribersOwn: ReadonlySet<string> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'OFFSET_OUT_OF_RANGE'])

type AnySubscription = Subscription | GroupSubscription

/** A hub, and how many use it or are about to. */
interface Source {
  readonly name: string
  readonly opening: Promise<Hub>
  hub: Hub | null
  users: number
}

/** All streams of events of one node, and what they share. */
export class EventDesk {
  /** For subscribers who are behind. */
  readonly reads = new SharedReads()
  readonly counters: EventCounters = { delivered: 0, bytes: 0 }
  /** Since the start: streams begun, refused because there were too many, cut because nobody took anything. */
  opened = 0
  refused = 0
  cut = 0
  /** Streams that could not go on. */
  failed = 0
  /** Monotonic ms before which nothing is said of those. */
  #quietUntil = 0
  readonly #options: EventDeskOptions
  readonly #subscriptions = new Set<AnySubscription>()
  readonly #sources = new Map<string, Source>()
  #behind: Client | null = null
  #reading: Client | null = null
  readonly #pace: Pace
  /** Streams that are being prepared: they count. */
  #coming = 0
  #timer: Timer | null = null
  #closed = false

  constructor(options: EventDeskOptions) {
    this.#options = options
    this.#pace = new Pace({
      timers: options.world.timers,
      unsent: () => this.unsentBytes,
      mostUnsent: () => this.limits.unsentBytes,
    })
  }

  get limits(): EventLimits {
    return this.#options.limits
  }

  get streams(): number {
    return this.#subscriptions.size
  }

  /** Topics (and codecs) that are read for streams. */
  get hubs(): number {
    return this.#sources.size
  }

  /** Bytes of events that are kept for who is a little late. */
  get keptBytes(): number {
    let bytes = 0
    for (const { hub } of this.#sources.values()) bytes += hub?.ring.bytes ?? 0
    return bytes
  }

  /** Streams that read by themselves, because they are not at the end of their topic. */
  get behind(): number {
    let behind = 0
    for (const each of this.#subscriptions) if (each instanceof Subscription && each.behind) behind++
    return behind
  }

  /** Those of them that are given nothing as long as too much waits for others. */
  get patient(): number {
    return this.#pace.patient
  }

  get unsentBytes(): number {
    let bytes = 0
    for (const { stream } of this.#subscriptions) bytes += stream.unsent
    return bytes
  }

  /**
   * Begins a stream. `start` says where, when the topic is known to be there; `open` then begins the answer. Throws
   * TooManyStreams, and KafkaError for what keeps a client from reading the topic.
   */
  subscribe(
    wish: Wish,
    start: (hub: Hub, cluster: Cluster) => Promise<Start>,
    open: () => EventStream,
  ): Promise<Subscription> {
    return this.#take(() => this.#begin(wish, start, open, true))
  }

  async #begin(
    wish: Wish,
    start: (hub: Hub, cluster: Cluster) => Promise<Start>,
    open: () => EventStream,
    mayRetry: boolean,
  ): Promise<Subscription> {
    const { topic, codec, keys = null, partitions = null, most = Number.POSITIVE_INFINITY } = wish
    const source = this.#source(topic, codec)
    source.users++
    try {
      const hub = await source.opening
      const { cluster } = this.#forBehind()
      // Now, when it can be told that there is no room for another: any stream may fall behind later.
      const readers = { quick: this.#forReading().cluster, patient: cluster }
      const where = await start(hub, cluster)
      // Nobody would tell a new reader.
      if (hub.closed) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${topic} is gone`)
      const { counters } = this
      const done = (made: AnySubscription, error: unknown) => {
        this.#leave(source)
        this.#done(made, error)
      }
      const made = new Subscription({
        hub,
        stream: open(),
        start: where,
        codec,
        wanted: { keys, partitions },
        most,
        cluster,
        readers,
        reads: this.reads,
        pace: this.#pace,
        counters,
        done,
      })
      this.#begun(made)
      return made
    } catch (error) {
      this.#leave(source)
      // What was known of the topic turned out to be of a former one.
      if (mayRetry && source.hub?.closed === true) return this.#begin(wish, start, open, false)
      throw error
    }
  }

  /** Begins a stream that shares the topic with others of its group. Throws as `subscribe`. */
  subscribeGroup(
    { topic, format, keys }: GroupWish,
    groupId: string,
    from: 'earliest' | 'latest',
    open: () => EventStream,
  ): Promise<GroupSubscription> {
    return this.#take(async () => {
      const { cluster, close } = this.#options.open(memberClient)
      try {
        await cluster.findTopic(topic)
        const made = new GroupSubscription({
          topic,
          groupId,
          stream: open(),
          from,
          format,
          keys,
          cluster,
          closeCluster: close,
          counters: this.counters,
          stallMs: this.limits.stallMs,
          done: (made, error) => this.#done(made, error),
        })
        this.#begun(made)
        void made.run()
        return made
      } catch (error) {
        close()
        throw error
      }
    })
  }

  /** Ends all streams: their subscribers come back, here or elsewhere, with their last id. */
  close(): void {
    this.#closed = true
    for (const subscription of [...this.#subscriptions]) subscription.close()
    this.#rest()
  }

  /** Takes a place for what is being prepared. */
  async #take<T>(prepare: () => Promise<T>): Promise<T> {
    const { streams } = this.limits
    if (this.#closed || this.#subscriptions.size + this.#coming >= streams) {
      this.refused++
      throw new TooManyStreams(`This node has ${streams} streams of events already`)
    }
    this.#coming++
    try {
      return await prepare()
    } finally {
      this.#coming--
      // It failed, and nobody else is here: what was opened for it would stay.
      if (this.#timer === null && this.#subscriptions.size + this.#coming === 0) this.#rest()
    }
  }

  #begun(subscription: AnySubscription): void {
    this.opened++
    if (!subscription.over) this.#subscriptions.add(subscription)
    // The node began to stop while it was prepared.
    if (this.#closed) {
      subscription.close()
      this.#rest()
      return
    }
    this.#timer ??= this.#options.world.timers.after(tickMs, () => this.#tick())
  }

  #done(subscription: AnySubscription, error: unknown): void {
    this.#subscriptions.delete(subscription)
    if (error === null || (error instanceof KafkaError && subscribersOwn.has(error.errorName))) return
    this.failed++
    // All streams of a topic may fail at once, and come back to fail again.
    const now = this.#options.world.clock.mono()
    if (now < this.#quietUntil) return
    this.#quietUntil = now + quietMs
    this.#options.logger.warn('a stream of events failed', { topic: subscription.topic, error: String(error) })
  }

  #source(topic: string, codec: EventCodec): Source {
    const name = `${codec.name} ${topic}`
    const known = this.#sources.get(name)
    if (known !== undefined && known.hub?.closed !== true) return known
    const { open, logger } = this.#options
    const { cluster, close } = open(topicClient)
    const ringBytes = () => Math.min(mostKept, this.limits.keptBytes / Math.max(1, this.#sources.size))
    const opening = Hub.open({ topic, codec, cluster, closeCluster: close, logger, batchBytes, ringBytes })
    const source: Source = { name, opening, hub: null, users: 0 }
    opening.then(
      hub => {
        source.hub = hub
      },
      () => {},
    )
    this.#sources.set(name, source)
    return source
  }

  #leave(source: Source): void {
    source.users--
    if (source.users > 0) return
    if (this.#sources.get(source.name) === source) this.#sources.delete(source.name)
    source.hub?.close()
  }

  #forBehind(): Client {
    this.#behind ??= this.#options.open(behindClient)
    return this.#behind
  }

  #forReading(): Client {
    this.#reading ??= this.#options.open(readingClient)
    return this.#reading
  }

  #tick(): void {
    this.#timer = null
    const now = this.#options.world.clock.mono()
    const { heartbeatMs, stallMs } = this.limits
    for (const subscription of this.#subscriptions) {
      const { stream } = subscription
      if (stream.stalledMs(now) >= stallMs) this.#cut(subscription)
      else if (stream.silentMs(now) >= heartbeatMs && stream.ready) subscription.beat()
    }
    this.#keepLimit(now)
    this.#pace.again()
    if (this.#subscriptions.size + this.#coming === 0) this.#rest()
    else this.#timer = this.#options.world.timers.after(tickMs, () => this.#tick())
  }

  /** When too much waits for those who do not take it, who has taken nothing for the longest time goes first. */
  #keepLimit(now: number): void {
    let unsent = this.unsentBytes
    if (unsent <= this.limits.unsentBytes) return
    const slowest = [...this.#subscriptions].sort((a, b) => b.stream.stalledMs(now) - a.stream.stalledMs(now))
    for (const subscription of slowest) {
      if (unsent <= this.limits.unsentBytes) return
      unsent -= subscription.stream.unsent
      this.#cut(subscription)
    }
  }

  #cut(subscription: AnySubscription): void {
    this.cut++
    this.#options.logger.debug('a subscriber took nothing and was cut', { topic: subscription.topic })
    subscription.stream.cut()
  }

  /** Nobody is here. */
  #rest(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#behind?.close()
    this.#behind = null
    this.#reading?.close()
    this.#reading = null
    this.reads.clear()
    this.#pace.again()
  }
}
