import { recordSize } from '../protocol/batches/build.ts'
import type { RecordHeader } from '../protocol/batches/records.ts'
import { compressionId, compressionReady, loadCompression } from '../protocol/compression/compression.ts'
import { ErrorCode, KafkaError } from '../protocol/errors.ts'
import { InitProducerId } from '../protocol/messages/init-producer-id.ts'
import { Produce } from '../protocol/messages/produce.ts'
import type { Broker, Cluster } from './cluster.ts'
import { failure, isStale, mayRetry, throwIf } from './failures.ts'
import { type Entry, type Identity, type InFlight, Lane, type Receiver } from './lane.ts'
import { Partitioner } from './partitioner.ts'
import { answersOf, type PartitionAnswer, topicData } from './produce-request.ts'
import {
  defaultProducerOptions,
  type PlacedRecord,
  type ProducerOptions,
  type RecordToSend,
  type SendOutcome,
} from './producer-options.ts'
import { backoffMs } from './retry.ts'

export * from './producer-options.ts'

/** Answers after which a batch may or may not be written. */
const doubtful = new Set(['NETWORK_EXCEPTION', 'REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'])
/** The broker does not know our sequence (any more). */
const strangers = new Set(['UNKNOWN_PRODUCER_ID', 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'INVALID_PRODUCER_EPOCH'])
/** Beyond what the broker itself waits for replicas, ms. */
const graceMs = 2_000

const noHeaders: readonly RecordHeader[] = []

/** Writes records: batched by partition, retried until delivered or out of time. */
export class Producer {
  readonly #cluster: Cluster
  readonly #options: ProducerOptions
  readonly #partitioner: Partitioner
  readonly #lanes = new Map<string, Lane>()
  /** Lanes that have something to send, or had. */
  #due: Lane[] = []
  /** With so many lanes the idle ones are forgotten. */
  #mostLanes: number
  /** Records that wait for room, in the order they came. */
  #intake: Entry[] = []
  /** Records whose topic has to be looked up, by topic: one that is missing holds up nobody else. */
  readonly #strays = new Map<string, Entry[]>()
  readonly #flushing: (() => void)[] = []
  readonly #hungry: (() => void)[] = []
  #scheduled = false
  #lingering = false
  #identity: Identity | null = null
  #identifying: Promise<Identity> | null = null
  /** Bytes and records that are not settled. */
  #bytes = 0
  #records = 0
  /** Of those in `#intake` and `#strays`. */
  #intakeBytes = 0
  #closed = false

  constructor(cluster: Cluster, options: Partial<ProducerOptions> = {}) {
    const merged = { ...defaultProducerOptions, ...options }
    if (merged.idempotent && merged.acks !== -1) {
      if (options.idempotent) throw new RangeError('an idempotent producer needs acks −1')
      merged.idempotent = false
    }
    this.#cluster = cluster
    this.#options = merged
    this.#partitioner = new Partitioner(cluster.world)
    this.#mostLanes = merged.maxIdlePartitions
  }

  /**
   * Fulfilled when the record is written as `acks` asks. Records of one partition are written in the order of the calls.
   * Whoever does not wait for the promises waits for `ready` now and then: beyond twice `bufferBytes` records are refused.
   */
  send(record: RecordToSend): Promise<PlacedRecord> {
    return new Promise((resolve, reject) => this.#take(record, this.#deadline, new Single(resolve, reject), 0))
  }

  /** As `send`, for records that are waited for together: fulfilled when each is written, or has failed. */
  sendAll(records: readonly RecordToSend[]): Promise<SendOutcome[]> {
    if (records.length === 0) return Promise.resolve([])
    return new Promise(resolve => {
      const all = new Together(records.length, resolve)
      const deadline = this.#deadline
      for (let i = 0; i < records.length; i++) {
        try {
          this.#take(records[i]!, deadline, all, i)
        } catch (error) {
          all.failed(i, error)
        }
      }
    })
  }

  #take(record: RecordToSend, deadline: number, receiver: Receiver, index: number): void {
    if (this.#closed) throw new KafkaError('NETWORK_EXCEPTION', 'the producer is closed')
    const entry = this.#entry(record, deadline, receiver, index)
    if (this.#intakeBytes + entry.size > this.#options.bufferBytes && !this.#isHungry) {
      throw new KafkaError('THROTTLING_QUOTA_EXCEEDED', 'the producer is full; wait for ready() between records')
    }
    this.#records++
    const strays = this.#strays.size === 0 ? undefined : this.#strays.get(entry.topic)
    if (strays === undefined && this.#intake.length === 0 && this.#hasRoom(entry) && this.#place(entry)) return
    this.#intakeBytes += entry.size
    if (strays !== undefined) strays.push(entry)
    else {
      this.#intake.push(entry)
      this.#admit()
    }
  }

  /** Monotonic ms, of a record that comes now. */
  get #deadline(): number {
    return this.#cluster.world.clock.mono() + this.#options.deliveryTimeoutMs
  }

  /** Fulfilled at once while there is room, else as soon as there is. */
  ready(): Promise<void> {
    if (this.#isHungry) return Promise.resolve()
    return new Promise(resolve => this.#hungry.push(resolve))
  }

  /** Of records that are not settled. */
  get bytes(): number {
    return this.#bytes + this.#intakeBytes
  }

  /** Bytes of records that `send` would certainly take now. */
  get room(): number {
    return this.#options.bufferBytes - this.#intakeBytes
  }

  /** Fulfilled when everything that was sent before is settled. */
  flush(): Promise<void> {
    if (this.#records === 0) return Promise.resolve()
    return new Promise(resolve => this.#flushing.push(resolve))
  }

  /** Settles what was sent; takes nothing more. The cluster's connections stay open. */
  async close(): Promise<void> {
    this.#closed = true
    await this.flush()
  }

  #entry(record: RecordToSend, deadline: number, receiver: Receiver, index: number): Entry {
    const { topic, partition = -1, key = null, value = null, headers = noHeaders } = record
    const timestamp = record.timestamp ?? this.#cluster.world.clock.now()
    const entry = { topic, partition, key, value, headers, timestamp, size: 0, deadline, receiver, index }
    entry.size = recordSize(entry)
    return entry
  }

  #hasRoom(entry: Entry): boolean {
    return this.#bytes === 0 || this.#bytes + entry.size <= this.#options.bufferBytes
  }

  /** Lets records in, one after the other, as room allows. */
  #admit(): void {
    for (let entry = this.#intake[0]; entry !== undefined && this.#hasRoom(entry); entry = this.#intake[0]) {
      if (this.#place(entry)) {
        this.#intake.shift()
        this.#intakeBytes -= entry.size
      } else this.#stray(entry.topic)
    }
    this.#feed()
  }

  /** What waits for room and goes to this topic waits for its metadata now, and so do those that come after. */
  #stray(topic: string): void {
    const strays = this.#intake.filter(entry => entry.topic === topic)
    this.#intake = this.#intake.filter(entry => entry.topic !== topic)
    this.#strays.set(topic, strays)
    this.#lookUp(topic, strays)
  }

  #lookUp(topic: string, strays: readonly Entry[]): void {
    this.#cluster.topic(topic, true).then(
      () => {
        // Forgotten again, before we could look.
        if (this.#cluster.knownTopic(topic) === null) return this.#lookUp(topic, strays)
        this.#leftStrays(topic, strays)
        // They waited long enough, and are no more than may wait for room.
        for (const entry of strays) this.#place(entry)
        this.#feed()
      },
      error => {
        this.#leftStrays(topic, strays)
        for (const entry of strays) {
          entry.receiver.failed(entry.index, error)
          this.#settled()
        }
        this.#feed()
      },
    )
  }

  #leftStrays(topic: string, strays: readonly Entry[]): void {
    this.#strays.delete(topic)
    for (const { size } of strays) this.#intakeBytes -= size
  }

  get #isHungry(): boolean {
    return this.#intake.length === 0 && this.#bytes + this.#intakeBytes < this.#options.bufferBytes
  }

  #feed(): void {
    if (!this.#isHungry) return
    for (const run of this.#hungry.splice(0)) run()
  }

  /** Puts a record into its partition's lane; false when the topic is not known yet. */
  #place(entry: Entry): boolean {
    const topic = this.#cluster.knownTopic(entry.topic)
    if (topic === null) return false
    if (entry.partition < 0) entry.partition = this.#partitioner.choose(topic, entry.key, entry.size)
    const name = `${entry.topic}-${entry.partition}`
    let lane = this.#lanes.get(name)
    if (lane === undefined) {
      this.#forgetIdle()
      lane = new Lane(entry.topic, entry.partition, this.#options.maxBatchBytes)
      this.#lanes.set(name, lane)
    }
    this.#bytes += entry.size
    lane.add(entry)
    this.#isDue(lane)
    this.#linger()
    return true
  }

  #isDue(lane: Lane): void {
    if (lane.due) return
    lane.due = true
    this.#due.push(lane)
  }

  /** Topics come and go. A lane that is forgotten has lost its sequence numbers, so those of a new identity follow. */
  #forgetIdle(): void {
    if (this.#lanes.size < this.#mostLanes) return
    for (const [name, lane] of this.#lanes) if (lane.empty && !lane.busy) this.#lanes.delete(name)
    this.#mostLanes = Math.max(this.#options.maxIdlePartitions, 2 * this.#lanes.size)
    this.#identity = null
  }

  #schedule(ms: number): void {
    if (ms > 0) {
      this.#cluster.world.timers.after(ms, () => this.#schedule(0))
      return
    }
    if (this.#scheduled) return
    this.#scheduled = true
    this.#cluster.world.timers.soon(() => {
      this.#scheduled = false
      void this.#dispatch()
    })
  }

  /** One wait for all records that come while it lasts. */
  #linger(): void {
    const { lingerMs } = this.#options
    if (lingerMs === 0) this.#schedule(0)
    if (lingerMs === 0 || this.#lingering) return
    this.#lingering = true
    this.#cluster.world.timers.after(lingerMs, () => {
      this.#lingering = false
      this.#schedule(0)
    })
  }

  /** Sends a batch of every lane that has something and nothing under way, one request to each leader. */
  async #dispatch(): Promise<void> {
    const now = this.#cluster.world.clock.mono()
    const lanes: Lane[] = []
    const due = this.#due
    this.#due = []
    for (const lane of due) {
      lane.due = false
      // A busy one comes again when it is free.
      if (lane.busy) continue
      if (lane.notBefore > now) {
        this.#isDue(lane)
        continue
      }
      this.#expire(lane, now)
      if (lane.empty) continue
      lane.busy = true
      lanes.push(lane)
    }
    if (lanes.length === 0) return
    let identity: Identity | null
    try {
      identity = await this.#prepare()
    } catch (error) {
      for (const lane of lanes) this.#failed(lane, error)
      return
    }
    const leaders = new Map<number, Lane[]>()
    for (const lane of lanes) {
      const leaderId = this.#leaderOf(lane)
      if (leaderId === null) continue
      const led = leaders.get(leaderId)
      if (led === undefined) leaders.set(leaderId, [lane])
      else led.push(lane)
    }
    for (const [leaderId, led] of leaders) void this.#produce(leaderId, led, identity)
  }

  /** Null when it must be looked for: the lane comes again then. */
  #leaderOf(lane: Lane): number | null {
    const topic = this.#cluster.knownTopic(lane.topic)
    if (topic === null) {
      this.#lookForTopic(lane)
      return null
    }
    const leaderId = topic.partitions.find(each => each.partition === lane.partition)?.leaderId ?? null
    if (leaderId !== null && leaderId >= 0) return leaderId
    const what = `${lane.topic}-${lane.partition}`
    if (leaderId === null) this.#failed(lane, new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `there is no ${what}`))
    else this.#failed(lane, new KafkaError('LEADER_NOT_AVAILABLE', `${what} has no leader now`))
    return null
  }

  #lookForTopic(lane: Lane): void {
    const { topic } = lane
    if (!this.#options.remakesTopics) {
      this.#cluster.topic(topic).then(
        () => this.#free(lane),
        error => this.#failed(lane, error),
      )
      return
    }
    this.#cluster.findTopic(topic, true).then(
      () => this.#free(lane),
      error => {
        const isGone = error instanceof KafkaError && error.errorName === 'UNKNOWN_TOPIC_OR_PARTITION'
        if (!isGone || lane.inFlight?.doubtful === true) return this.#failed(lane, error)
        const entries = lane.inFlight?.entries ?? lane.expire(Number.POSITIVE_INFINITY)
        if (lane.inFlight !== null) lane.drop()
        this.#giveUp(lane, entries, error)
      },
    )
  }

  /**
   * What batches need before they can be built: their identity. Another lane, or somebody who sends, may lose it meanwhile;
   * for those that are sent now it stays good.
   */
  async #prepare(): Promise<Identity | null> {
    const codec = compressionId(this.#options.compression)
    if (!compressionReady(codec)) await loadCompression(codec)
    if (!this.#options.idempotent || this.#identity !== null) return this.#identity
    this.#identifying ??= this.#identify().finally(() => {
      this.#identifying = null
    })
    return this.#identifying
  }

  async #identify(): Promise<Identity> {
    const answer = await this.#cluster.retry(async () => {
      const connection = await this.#cluster.any()
      const answer = await connection.request(InitProducerId, { transactionalId: null, transactionTimeoutMs: 0 })
      throwIf(answer.errorCode, 'InitProducerId')
      return answer
    })
    this.#identity = { producerId: answer.producerId, producerEpoch: answer.producerEpoch }
    return this.#identity
  }

  async #produce(leaderId: number, lanes: readonly Lane[], identity: Identity | null): Promise<void> {
    const { acks } = this.#options
    const { requestTimeoutMs } = this.#cluster.options
    try {
      const connection = await this.#cluster.broker(leaderId)
      const topics = topicData(this.#cluster, lanes, identity, this.#options)
      if (acks === 0) {
        await connection.sendOnly(Produce, { acks, timeoutMs: requestTimeoutMs, topicData: topics })
        for (const lane of lanes) this.#written(lane, -1, -1)
        return
      }
      const timeoutMs = requestTimeoutMs + graceMs
      const answer = await connection.request(
        Produce,
        { acks, timeoutMs: requestTimeoutMs, topicData: topics },
        { timeoutMs },
      )
      const answers = answersOf(topics, lanes, answer)
      for (const lane of lanes) this.#answered(lane, answers.get(lane), answer.nodeEndpoints)
    } catch (error) {
      for (const lane of lanes) this.#failed(lane, error)
    }
  }

  #answered(lane: Lane, answer: PartitionAnswer | undefined, endpoints: readonly Broker[]): void {
    if (answer === undefined) {
      if (lane.inFlight !== null) lane.inFlight.doubtful = true
      this.#failed(lane, new KafkaError('UNKNOWN_TOPIC_ID', `no answer for ${lane.topic}-${lane.partition}`))
    } else if (answer.errorCode === 0 || answer.errorCode === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) {
      this.#written(lane, answer.baseOffset, answer.logAppendTimeMs)
    } else if (this.#cluster.leaderMoved(lane.topic, lane.partition, answer.currentLeader, endpoints)) {
      this.#free(lane)
    } else {
      this.#failed(lane, failure(answer.errorCode, `${lane.topic}-${lane.partition}`, answer.errorMessage))
    }
  }

  #written(lane: Lane, baseOffset: number, logAppendTime: number): void {
    const entries = lane.inFlight?.entries ?? []
    lane.done()
    this.#free(lane)
    for (const [i, entry] of entries.entries()) {
      const offset = baseOffset < 0 ? -1 : baseOffset + i
      const timestamp = logAppendTime < 0 ? entry.timestamp : logAppendTime
      entry.receiver.placed(entry.index, { partition: lane.partition, offset, timestamp })
      this.#left(entry)
    }
    this.#admit()
  }

  /** Decides whether a batch is sent again, sent differently, or given up. */
  #failed(lane: Lane, error: unknown): void {
    if (isStale(error)) this.#cluster.forget([lane.topic])
    const batch = lane.inFlight
    if (batch === null) {
      this.#failedBefore(lane, error)
      return
    }
    const name = error instanceof KafkaError ? error.errorName : ''
    if (doubtful.has(name)) batch.doubtful = true

    if (name === 'MESSAGE_TOO_LARGE' && lane.split()) {
      this.#free(lane)
    } else if (strangers.has(name) && this.#options.idempotent && !batch.doubtful) {
      this.#identity = null
      lane.rebuild()
      this.#again(lane, 1)
    } else if (this.#isWorthIt(error) && this.#inTime(batch)) {
      this.#again(lane, ++batch.failures)
    } else {
      // Whether its sequence numbers are used up nobody knows, so those of a new identity follow. The batch itself is not
      // sent under one: it would be written twice, had an earlier attempt got through.
      if (batch.doubtful || strangers.has(name)) this.#identity = null
      lane.drop()
      this.#giveUp(lane, batch.entries, error)
    }
  }

  /** No batch was built yet: records wait in their lane until they are out of time. */
  #failedBefore(lane: Lane, error: unknown): void {
    if (this.#isWorthIt(error)) this.#again(lane, 1)
    else this.#giveUp(lane, lane.expire(Number.POSITIVE_INFINITY), error)
  }

  #giveUp(lane: Lane, entries: readonly Entry[], error: unknown): void {
    for (const entry of entries) {
      entry.receiver.failed(entry.index, error)
      this.#left(entry)
    }
    this.#free(lane)
    this.#admit()
  }

  /** With a closed client nothing is. */
  #isWorthIt(error: unknown): boolean {
    return mayRetry(error) && !this.#cluster.closed
  }

  #inTime(batch: InFlight): boolean {
    return batch.entries[0]!.deadline > this.#cluster.world.clock.mono()
  }

  #again(lane: Lane, failures: number): void {
    const pause = Math.ceil(backoffMs(this.#cluster.world, this.#cluster.options, failures - 1))
    lane.notBefore = this.#cluster.world.clock.mono() + pause
    this.#free(lane, pause + 1)
  }

  #free(lane: Lane, afterMs = 0): void {
    lane.busy = false
    if (lane.empty) return
    this.#isDue(lane)
    this.#schedule(afterMs)
  }

  #expire(lane: Lane, now: number): void {
    const expired = lane.inFlight === null ? lane.expire(now) : []
    if (expired.length === 0) return
    this.#giveUp(lane, expired, new KafkaError('REQUEST_TIMED_OUT', `${lane.topic}-${lane.partition}: too late`))
  }

  /** An entry of a lane has been told how it ended. */
  #left(entry: Entry): void {
    this.#bytes -= entry.size
    this.#settled()
  }

  #settled(): void {
    this.#records--
    if (this.#records === 0) for (const run of this.#flushing.splice(0)) run()
  }
}

class Single implements Receiver {
  readonly #resolve: (place: PlacedRecord) => void
  readonly #reject: (error: unknown) => void

  constructor(resolve: (place: PlacedRecord) => void, reject: (error: unknown) => void) {
    this.#resolve = resolve
    this.#reject = reject
  }

  placed(_index: number, place: PlacedRecord): void {
    this.#resolve(place)
  }

  failed(_index: number, error: unknown): void {
    this.#reject(error)
  }
}

class Together implements Receiver {
  readonly #outcomes: SendOutcome[]
  readonly #resolve: (outcomes: SendOutcome[]) => void
  #left: number

  constructor(count: number, resolve: (outcomes: SendOutcome[]) => void) {
    this.#outcomes = new Array(count)
    this.#resolve = resolve
    this.#left = count
  }

  placed(index: number, place: PlacedRecord): void {
    this.#told(index, place)
  }

  failed(index: number, error: unknown): void {
    this.#told(index, error instanceof Error ? error : new Error(String(error)))
  }

  #told(index: number, outcome: SendOutcome): void {
    this.#outcomes[index] = outcome
    this.#left--
    if (this.#left === 0) this.#resolve(this.#outcomes)
  }
}
