import type { Cluster } from '../../client/cluster.ts'
import { type ConsumedRecord, Consumer } from '../../client/consumer.ts'
import type { TopicPartition } from '../../client/offsets.ts'
import { within } from '../../client/retry.ts'
import { isExpired } from '../../protocol/batches/expiry.ts'
import type { JsonFormat } from '../record-json.ts'
import { isWanted, keyText } from './batches.ts'
import { greeting, heartbeat, noticeEvent, recordEvent } from './encode.ts'
import { showGroupPosition } from './position.ts'
import { type EventStream, PacedStream } from './stream.ts'
import type { EventCounters } from './subscription.ts'

export interface GroupSubscriptionOptions {
  readonly topic: string
  readonly groupId: string
  readonly stream: EventStream
  /** Where a group begins that has committed nothing. */
  readonly from: 'earliest' | 'latest'
  readonly format: JsonFormat
  readonly keys: ReadonlySet<string> | null
  /** A client of its own: joining a group waits for others. */
  readonly cluster: Cluster
  /** Closes it. */
  readonly closeCluster: () => void
  readonly counters: EventCounters
  /** ms that a subscriber may take nothing before it is cut. */
  readonly stallMs: number
  readonly done: (subscription: GroupSubscription, error: unknown) => void
}

/** ms between looks at the membership. */
const pollMs = 500
const membership = { sessionTimeoutMs: 10_000, heartbeatIntervalMs: 1_000 }

/**
 * One subscriber of a group: a member of a consumer group of Kafka, which sees it as any other. The group gives it
 * partitions, whose records it gets from what the group has committed on. It commits nothing by itself: the subscriber sends
 * back an id, which names offsets, generation and member. What was not acknowledged when the group shares its partitions out
 * anew is given out again.
 */
export class GroupSubscription {
  readonly stream: PacedStream
  readonly #options: GroupSubscriptionOptions
  readonly #consumer: Consumer
  /** Of this generation: offset after the last record given out. */
  readonly #offsets = new Map<number, number>()
  #over = false

  constructor(options: GroupSubscriptionOptions) {
    const { stream, cluster, groupId, from, stallMs, topic } = options
    this.#options = options
    this.stream = new PacedStream(
      stream,
      () => cluster.world.clock.mono(),
      () => {
        if (this.stream.closed) this.#end(null)
      },
    )
    this.#consumer = new Consumer(cluster, {
      ...membership,
      groupId,
      autoCommit: false,
      autoOffsetReset: from,
      isolation: 'read_committed',
      maxPollIntervalMs: stallMs + 10_000,
      maxPollRecords: 100,
      maxWaitMs: pollMs,
      maxBytes: 1024 * 1024,
      partitionMaxBytes: 256 * 1024,
      onAssigned: partitions => this.#assigned(partitions),
    })
    this.#consumer.subscribe([topic])
  }

  get topic(): string {
    return this.#options.topic
  }

  get over(): boolean {
    return this.#over
  }

  /** Runs until it is over. */
  async run(): Promise<void> {
    // Without an id: where it begins is for the group to say.
    this.#write(Buffer.from(greeting('', this.#options.cluster.world.random)))
    try {
      while (!this.#over) await this.#step()
    } catch (error) {
      this.#end(error)
    }
  }

  beat(): void {
    this.#write(Buffer.from(heartbeat))
  }

  close(): void {
    this.#end(null)
  }

  async #step(): Promise<void> {
    if (!this.stream.ready) await within(this.#options.cluster.world, pollMs, this.stream.room())
    const full = !this.stream.ready
    // Who takes nothing keeps its place in the group, and is read nothing for.
    for (const { topic, partition } of this.#consumer.assignment)
      this.#consumer[full ? 'pause' : 'resume'](topic, partition)
    const records = await this.#consumer.poll(full ? 0 : pollMs)
    if (!this.#over) this.#give(records)
  }

  #assigned(partitions: readonly TopicPartition[]): void {
    this.#offsets.clear()
    const mine = partitions.map(({ partition }) => partition).sort((a, b) => a - b)
    this.#write(noticeEvent(this.#id(), 'assigned', { topic: this.topic, partitions: mine }))
  }

  #give(records: readonly ConsumedRecord[]): void {
    const { topic, format, keys, counters } = this.#options
    const events: Buffer[] = []
    const now = this.#options.cluster.world.clock.now()
    for (const record of records) {
      const { partition } = record
      this.#offsets.set(partition, record.offset + 1)
      if (!isWanted({ keys, partitions: null }, keyText(record.key), partition) || isExpired(record, now)) continue
      events.push(recordEvent(this.#id(), topic, partition, record, format))
    }
    if (events.length === 0) return
    counters.delivered += events.length
    this.#write(events.length === 1 ? events[0]! : Buffer.concat(events))
  }

  #id(): string {
    const { memberId, generationId } = this.#consumer.membership
    return showGroupPosition({ offsets: this.#offsets, memberId, generationId })
  }

  #write(bytes: Uint8Array): void {
    this.#options.counters.bytes += bytes.length
    this.stream.write(bytes)
  }

  #end(error: unknown): void {
    if (this.#over) return
    this.#over = true
    this.stream.end()
    const { closeCluster, done } = this.#options
    // It leaves its group, so that others need not wait for it.
    this.#consumer.close().then(closeCluster, closeCluster)
    done(this, error)
  }
}
