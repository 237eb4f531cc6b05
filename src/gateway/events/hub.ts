import type { Cluster, TopicMetadata } from '../../client/cluster.ts'
import { Fetcher } from '../../client/fetcher.ts'
import { findOffsets } from '../../client/offsets.ts'
import { isExpired } from '../../protocol/batches/expiry.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Logger } from '../../world/logger.ts'
import { BatchBuilder } from './batches.ts'
import type { EventCodec } from './codec.ts'
import { type Position, topicTag } from './position.ts'
import { Ring } from './ring.ts'

/** Who reads a hub. */
export interface HubReader {
  /** There may be more. */
  pump(): void
  /** There will be no more: the topic is gone, or cannot be read. */
  hubEnded(error: unknown): void
}

export interface HubOptions {
  readonly topic: string
  readonly codec: EventCodec
  /** A client of its own: its long polls would hold up the answers to others. */
  readonly cluster: Cluster
  /** Closes it. */
  readonly closeCluster: () => void
  readonly logger: Logger
  /** Bytes of one batch of events, about. */
  readonly batchBytes: number
  /** Bytes of events that are kept for readers that are a little late. */
  readonly ringBytes: () => number
}

/** ms that a fetch waits for more: many quiet topics shall cost little. */
const pollMs = 2000

/**
 * Reads the end of a topic once for everybody on this node: one loop of fetches, each record encoded once. It begins where
 * the topic ends; what lies before is not its business.
 */
export class Hub {
  readonly topic: string
  readonly ring = new Ring()
  readonly #options: HubOptions
  readonly #fetcher: Fetcher
  readonly #readers = new Set<HubReader>()
  #position: Position = []
  #topicId = ''
  #closed = false

  /** Rejects with UNKNOWN_TOPIC_OR_PARTITION and what else keeps a client from reading. */
  static async open(options: HubOptions): Promise<Hub> {
    const hub = new Hub(options)
    try {
      const topic = await options.cluster.findTopic(options.topic)
      hub.#topicId = topic.topicId
      await hub.#beginAtEnd(topic)
    } catch (error) {
      hub.close()
      throw error
    }
    void hub.#run()
    return hub
  }

  private constructor(options: HubOptions) {
    this.topic = options.topic
    this.#options = options
    this.#fetcher = new Fetcher(options.cluster, {
      autoOffsetReset: 'none',
      isolation: 'read_committed',
      maxWaitMs: pollMs,
      maxBytes: 4 * 1024 * 1024,
    })
  }

  get topicId(): string {
    return this.#topicId
  }

  /** Of the topic, for ids. */
  get tag(): string {
    return topicTag(this.#topicId)
  }

  /** Where a reader stands who has every batch so far. A new array whenever it changes. */
  get position(): Position {
    return this.#position
  }

  get closed(): boolean {
    return this.#closed
  }

  attach(reader: HubReader): void {
    this.#readers.add(reader)
  }

  detach(reader: HubReader): void {
    this.#readers.delete(reader)
  }

  /** Looks now whether the topic is still the one that we know, and has more partitions. Ends, and throws, when it is not. */
  async refresh(): Promise<void> {
    this.#options.cluster.forget([this.topic])
    try {
      await this.#watchTopic()
    } catch (error) {
      this.#end(error)
      throw error
    }
  }

  close(): void {
    this.#closed = true
    this.#fetcher.assign([])
    this.#options.closeCluster()
    this.#readers.clear()
  }

  async #beginAtEnd({ name, partitions }: TopicMetadata): Promise<void> {
    const wanted = partitions.map(({ partition }) => ({ topic: name, partition, start: 'latest' as const }))
    const found = await findOffsets(this.#options.cluster, wanted, 'read_committed')
    this.#position = found.map(({ offset }) => offset)
    this.#fetcher.assign(found.map(({ topic, partition, offset }) => ({ topic, partition, start: offset })))
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#watchTopic()
        await this.#step()
      } catch (error) {
        if (this.#closed) return
        if (!(error instanceof KafkaError && error.errorName === 'OFFSET_OUT_OF_RANGE')) return this.#end(error)
        await this.#beginAnew().catch(error => this.#end(error))
      }
    }
  }

  /** The log was cut: readers find out for themselves what they have missed, and come back to us. */
  async #beginAnew(): Promise<void> {
    this.#options.logger.warn('the log of a topic was cut off below its readers', { topic: this.topic })
    this.ring.break()
    await this.#watchTopic()
    await this.#beginAtEnd(await this.#options.cluster.topic(this.topic))
    this.#tell()
  }

  async #step(): Promise<void> {
    const { codec, batchBytes, ringBytes, cluster } = this.#options
    const records = await this.#fetcher.poll(pollMs)
    if (records.length === 0) return
    // The reader below follows the name: what it found may be of another topic.
    await this.#watchTopic()
    if (this.#closed) return
    const builder = new BatchBuilder(this.topic, this.tag, codec, batchBytes, this.#position, batch => {
      this.#position = batch.after
      this.ring.push(batch, ringBytes())
      this.#tell()
    })
    const now = cluster.world.clock.now()
    for (const record of records) {
      if (isExpired(record, now)) builder.skip(record.partition, record.offset)
      else builder.add(record.partition, record)
    }
    builder.flush()
  }

  #tell(): void {
    for (const reader of this.#readers) reader.pump()
  }

  /**
   * Asks when what is known of the topic has grown old. A new partition begins at its beginning. Throws
   * UNKNOWN_TOPIC_OR_PARTITION when the topic is gone, or another one has its name.
   */
  async #watchTopic(): Promise<void> {
    const { cluster } = this.#options
    const { topicId, partitions } = cluster.knownTopic(this.topic) ?? (await cluster.topic(this.topic))
    if (topicId !== this.#topicId)
      throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${this.topic} was deleted, and made anew`)
    if (partitions.length <= this.#position.length) return
    const more = partitions.slice(this.#position.length)
    const added = more.map(({ partition }) => ({ topic: this.topic, partition, start: 0 }))
    this.#fetcher.assign([...this.#fetcher.assignment, ...added])
    this.#position = [...this.#position, ...more.map(() => 0)]
  }

  #end(error: unknown): void {
    if (this.#closed) return
    const readers = [...this.#readers]
    this.close()
    for (const reader of readers) reader.hubEnded(error)
  }
}
