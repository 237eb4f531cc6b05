import type { Cluster, TopicMetadata } from '../client/cluster.ts'
import {
  type PlacedRecord,
  Producer,
  type ProducerOptions,
  type RecordToSend,
  type SendOutcome,
} from '../client/producer.ts'
import { KafkaError } from '../protocol/errors.ts'
import { pushOnce } from './push-once.ts'
import { recordBytes, sizeOf } from './record-size.ts'
import { TopicRoom } from './topic-room.ts'
import { isThere, noPartition, topicWith } from './topic-with.ts'

/** Writes records for everybody, as they come. Batches form by themselves while a request is under way. */
export class Pusher {
  readonly #cluster: Cluster
  readonly #producer: Producer
  readonly #bufferBytes: number
  readonly #rooms: TopicRoom
  /** Of requests that are written once by their keys. */
  #onceBytes = 0
  #refused = 0

  constructor(cluster: Cluster, options: Pick<ProducerOptions, 'acks' | 'bufferBytes' | 'deliveryTimeoutMs'>) {
    this.#cluster = cluster
    this.#producer = new Producer(cluster, { ...options, idempotent: options.acks === -1, remakesTopics: true })
    this.#bufferBytes = options.bufferBytes
    this.#rooms = new TopicRoom(options.bufferBytes / 2)
  }

  /** Bytes of records that would certainly be taken now. */
  get room(): number {
    return this.#producer.room
  }

  /** Bytes of records that wait or are under way. */
  get bytes(): number {
    return this.#producer.bytes + this.#onceBytes
  }

  /** Requests that found no room. */
  get refused(): number {
    return this.#refused
  }

  /** Looks the topic up, or makes it where topics are made by themselves. Throws UNKNOWN_TOPIC_OR_PARTITION at once. */
  topic(name: string): Promise<TopicMetadata> {
    return this.#cluster.findTopic(name, true)
  }

  /**
   * Fulfilled when the record is written as the acks ask. Throws UNKNOWN_TOPIC_OR_PARTITION at once, THROTTLING_QUOTA_EXCEEDED
   * when there is no room, MESSAGE_TOO_LARGE, and what could not be retried away in time.
   */
  send(record: RecordToSend): Promise<PlacedRecord> {
    const topic = this.#cluster.knownTopic(record.topic)
    if (topic === null || !isThere(topic, record)) return this.#find(record)
    return this.#send(record)
  }

  #send(record: RecordToSend): Promise<PlacedRecord> {
    const bytes = sizeOf(record)
    if (!this.#rooms.take(record.topic, bytes)) return Promise.reject(this.#full())
    const sent = this.#producer.send(record)
    const settled = () => this.#rooms.give(record.topic, bytes)
    sent.then(settled, settled)
    return sent
  }

  /** As `send`, for records of one topic that are waited for together. Throws UNKNOWN_TOPIC_OR_PARTITION for the topic alone. */
  async sendAll(topic: string, records: readonly RecordToSend[]): Promise<SendOutcome[]> {
    const found = await topicWith(this.#cluster, topic, records)
    if (!records.every(record => isThere(found, record)))
      return Promise.all(records.map(record => this.send(record).catch((error: Error) => error)))
    let all = 0
    for (const record of records) all += sizeOf(record)
    // One with very many small records need not wait until its topic has nothing under way; what they hold counts wholly.
    const bytes = Math.max(all - recordBytes * records.length, Math.min(all, this.#bufferBytes / 4))
    if (!this.#rooms.take(topic, bytes)) {
      const error = this.#full()
      return records.map(() => error)
    }
    const outcomes = await this.#producer.sendAll(records)
    this.#rooms.give(topic, bytes)
    return outcomes
  }

  /** Throws THROTTLING_QUOTA_EXCEEDED unless so many bytes of records would be taken: all of a batch, or nothing. */
  mustTake(bytes: number): void {
    if (bytes > this.room && this.room < this.#bufferBytes) throw this.#full()
  }

  /**
   * Writes the records of a request that may come twice; see `pushOnce`. `content` is what it consists of. Throws
   * UNKNOWN_TOPIC_OR_PARTITION, THROTTLING_QUOTA_EXCEEDED.
   */
  async once(
    key: string,
    content: Uint8Array,
    topic: string,
    records: readonly RecordToSend[],
  ): Promise<SendOutcome[]> {
    if (this.#onceBytes > 0 && this.#onceBytes + content.length > this.#bufferBytes) throw this.#full()
    this.#onceBytes += content.length
    try {
      return await pushOnce(this.#cluster, key, content, topic, records)
    } finally {
      this.#onceBytes -= content.length
    }
  }

  /** As soon as there is room for more of this topic. */
  async ready(topic: string): Promise<void> {
    await this.#rooms.ready(topic)
    await this.#producer.ready()
  }

  /** Takes nothing more; fulfilled when everything that was taken is settled. */
  flush(): Promise<void> {
    return this.#producer.close()
  }

  /** What is not settled fails. */
  close(): void {
    this.#cluster.close()
  }

  #full(): KafkaError {
    this.#refused++
    return new KafkaError('THROTTLING_QUOTA_EXCEEDED', 'too many records wait to be written at this node')
  }

  async #find(record: RecordToSend): Promise<PlacedRecord> {
    const found = await topicWith(this.#cluster, record.topic, [record])
    if (!isThere(found, record)) throw noPartition(found, record.partition)
    return this.#send(record)
  }
}
