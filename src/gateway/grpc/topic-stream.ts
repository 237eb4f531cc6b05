import type { Cluster } from '../../client/cluster.ts'
import { type ConsumedRecord, Fetcher } from '../../client/fetcher.ts'
import { findOffsets, type StartAt } from '../../client/offsets.ts'
import { isExpired } from '../../protocol/batches/expiry.ts'
import { KafkaError } from '../../protocol/errors.ts'

export interface TopicStreamOptions {
  readonly topic: string
  /** null: all, also those that are added later. */
  readonly partitions: ReadonlyMap<number, StartAt> | null
  /** Where the others begin. */
  readonly start: StartAt
}

/** ms that one request waits for more. */
const pollMs = 5000
/** Bytes that are fetched ahead of a client that takes them slowly. */
const fetchBytes = 512 * 1024
const pollRecords = 500

/**
 * Reads a topic for one client, in order for each partition: records of committed transactions that have not expired. Nothing
 * is read before the last records have been worked on, but for what one request brings.
 */
export class TopicStream {
  readonly #cluster: Cluster
  readonly #options: TopicStreamOptions
  readonly #fetcher: Fetcher
  #topicId = ''
  #known = 0

  /** Fulfilled when it stands: what is written from then on is read. Throws UNKNOWN_TOPIC_OR_PARTITION. */
  static async open(cluster: Cluster, options: TopicStreamOptions): Promise<TopicStream> {
    const stream = new TopicStream(cluster, options)
    await stream.#begin()
    return stream
  }

  private constructor(cluster: Cluster, options: TopicStreamOptions) {
    this.#cluster = cluster
    this.#options = options
    this.#fetcher = new Fetcher(cluster, {
      isolation: 'read_committed',
      autoOffsetReset: 'none',
      maxWaitMs: pollMs,
      maxBytes: fetchBytes,
      partitionMaxBytes: fetchBytes,
      maxPollRecords: pollRecords,
    })
  }

  /** The next records: some, or after a while none. Throws OFFSET_OUT_OF_RANGE, and what a client cannot retry. */
  async next(): Promise<readonly ConsumedRecord[]> {
    await this.#watchTopic()
    const records = await this.#fetcher.poll(pollMs)
    // The reader below follows the name: what it found may be of another topic.
    if (records.length > 0) await this.#watchTopic()
    const now = this.#cluster.world.clock.now()
    return records.some(record => isExpired(record, now)) ? records.filter(record => !isExpired(record, now)) : records
  }

  async #begin(): Promise<void> {
    const { topic, partitions: wanted, start } = this.#options
    const { topicId, partitions } = await this.#cluster.findTopic(topic)
    this.#topicId = topicId
    this.#known = partitions.length
    const starts = wanted ?? new Map(partitions.map(({ partition }) => [partition, start]))
    for (const partition of starts.keys()) {
      if (partition < 0 || partition >= partitions.length)
        throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${topic} has no partition ${partition}`)
    }
    const assignment = [...starts].map(([partition, at]) => ({ topic, partition, start: at }))
    const named = assignment.flatMap(each => (typeof each.start === 'number' ? [] : [{ ...each, start: each.start }]))
    const found = await findOffsets(this.#cluster, named, 'read_committed')
    const offsets = new Map(found.map(each => [each.partition, each.offset]))
    // No record is that late: whatever comes next is.
    const late = found.filter(({ offset }) => offset < 0).map(each => ({ ...each, start: 'latest' as const }))
    for (const { partition, offset } of await findOffsets(this.#cluster, late, 'read_committed'))
      offsets.set(partition, offset)
    this.#fetcher.assign(assignment.map(each => ({ ...each, start: offsets.get(each.partition) ?? each.start })))
  }

  /** Asks when what is known of the topic has grown old. A new partition is read from its beginning. */
  async #watchTopic(): Promise<void> {
    const { topic, partitions: wanted } = this.#options
    const { topicId, partitions } = await this.#cluster.findTopic(topic)
    if (topicId !== this.#topicId)
      throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${topic} was deleted, and made anew`)
    if (wanted !== null || partitions.length <= this.#known) return
    const added = partitions.slice(this.#known).map(({ partition }) => ({ topic, partition, start: 0 }))
    this.#known = partitions.length
    this.#fetcher.assign([...this.#fetcher.assignment, ...added])
  }
}
