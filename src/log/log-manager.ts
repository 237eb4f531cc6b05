import type { TopicPartition, Volume } from '../store/store.ts'
import type { Logger } from '../world/logger.ts'
import type { Timer, World } from '../world/world.ts'
import { type LogCounters, newCounters } from './counters.ts'
import { Log } from './log.ts'
import { type LogConfig, storeOptions } from './log-config.ts'
import { defaultProducerLimits, type ProducerLimits } from './producers.ts'

export interface LogManagerOptions {
  /** `log.retention.check.interval.ms`. */
  readonly retentionCheckMs: number
  /** `log.flush.offset.checkpoint.interval.ms`: how far recovery points and log starts may lag. */
  readonly checkpointMs: number
  /** `producer.id.expiration.check.interval.ms`. */
  readonly producerCheckMs: number
  readonly producerLimits: ProducerLimits
  /** Retention spares what lies above: the high watermark of who owns the log. */
  readonly committed: (log: Log) => number
  /** Stable storage can no longer be promised: the node must stop. Called once. */
  readonly failed: (error: Error) => void
}

export const defaultLogManagerOptions: LogManagerOptions = {
  retentionCheckMs: 5 * 60 * 1000,
  checkpointMs: 5 * 1000,
  producerCheckMs: 10 * 60 * 1000,
  producerLimits: defaultProducerLimits,
  committed: log => log.flushedOffset,
  failed: () => {},
}

/** Logs that one turn of the event loop looks at when all are visited. */
const logsPerTurn = 50
/** Logs that are closed at the same time: each may wait for the disk. */
const closingAtOnce = 64

/**
 * All logs of one node, on one volume. Opening it touches no log; `create` opens one that is there. Retention, checkpoints
 * and the expiry of producers go round by themselves.
 */
export class LogManager {
  readonly #volume: Volume
  readonly #world: Pick<World, 'clock' | 'timers' | 'random'>
  readonly #logger: Logger
  readonly #options: LogManagerOptions
  readonly #logs = new Map<string, Map<number, Log>>()
  readonly #timers = new Map<string, Timer>()
  readonly counters: LogCounters = newCounters()
  #checkpointed = ''
  #checkpointing: Promise<void> = Promise.resolve()
  /** Logs are searched for expired records one after the other. */
  readonly #searched = new Set<Log>()
  #startsMoved = 0
  #failed = false
  #closing: Promise<void> | null = null

  static open(
    volume: Volume,
    world: Pick<World, 'clock' | 'timers' | 'random'>,
    logger: Logger,
    options: Partial<LogManagerOptions> = {},
  ): LogManager {
    return new LogManager(volume, world, logger, { ...defaultLogManagerOptions, ...options })
  }

  private constructor(
    volume: Volume,
    world: Pick<World, 'clock' | 'timers' | 'random'>,
    logger: Logger,
    options: LogManagerOptions,
  ) {
    this.#volume = volume
    this.#world = world
    this.#logger = logger
    this.#options = options
    this.#every('retention', options.retentionCheckMs, () => this.#inTurns(log => this.#retain(log)))
    this.#every('checkpoint', options.checkpointMs, () => this.#checkpoint())
    this.#every('producers', options.producerCheckMs, () => this.#inTurns(log => log.expireProducers(this.#now())))
  }

  get volume(): Volume {
    return this.#volume
  }

  get count(): number {
    let count = 0
    for (const partitions of this.#logs.values()) count += partitions.size
    return count
  }

  get(topic: string, partition: number): Log | undefined {
    return this.#logs.get(topic)?.get(partition)
  }

  /** The log of a partition: the one that is open, the one on the volume, or a new one. */
  create(topic: string, partition: number, topicId: string, config: LogConfig): Log {
    const open = this.get(topic, partition)
    if (open !== undefined) return open
    const topicPartition: TopicPartition = { topic, partition }
    const store = this.#volume.open(topicPartition, topicId, storeOptions(config, this.#world.random))
    const log = Log.open(store, topicPartition, topicId, config, this.#world, this.#logger, {
      clean: this.#volume.clean,
      logStartOffset: this.#volume.logStartOffset(topicPartition),
      startMoved: offset => this.#noteStart(topicPartition, offset),
      producerLimits: this.#options.producerLimits,
      counters: this.counters,
    })
    log.observe({ progress() {}, dropped() {}, failed: error => this.#fail(error) })
    const partitions = this.#logs.get(topic) ?? new Map<number, Log>()
    this.#logs.set(topic, partitions.set(partition, log))
    return log
  }

  /** Kafka's `replication-offset-checkpoint`, written with the next checkpoint. */
  noteHighWatermark(log: Log, offset: number): void {
    if (this.#volume.highWatermark(log.topicPartition) === offset) return
    // A checkpoint is due, although nothing was appended.
    this.#startsMoved++
    this.#volume.setHighWatermark(log.topicPartition, offset)
  }

  highWatermark(log: Log): number {
    return this.#volume.highWatermark(log.topicPartition)
  }

  /** As `delete`, but the bytes stay, under a name that nobody looks at. */
  setAside(topic: string, partition: number): Promise<void> {
    return this.delete(topic, partition, true)
  }

  /** Gone at once for everybody; the bytes follow. Nothing happens when there is no such log. */
  async delete(topic: string, partition: number, keep = false): Promise<void> {
    const partitions = this.#logs.get(topic)
    partitions?.get(partition)?.discard()
    partitions?.delete(partition)
    if (partitions?.size === 0) this.#logs.delete(topic)
    await (keep ? this.#volume.setAside({ topic, partition }) : this.#volume.remove({ topic, partition }))
  }

  *all(): Iterable<Log> {
    for (const partitions of this.#logs.values()) yield* partitions.values()
  }

  /** What lies on the volume and has not been opened, with its topic id where one was noted. */
  unopened(): (TopicPartition & { readonly topicId: string | null })[] {
    return this.#volume.list().filter(({ topic, partition }) => this.get(topic, partition) === undefined)
  }

  /** Producers remembered in all logs, and how many were forgotten because one log had too many. */
  producerCounts(): { remembered: number; evicted: number } {
    const sum = { remembered: 0, evicted: 0 }
    for (const { producerCounts } of this.all()) {
      sum.remembered += producerCounts.remembered
      sum.evicted += producerCounts.evicted
    }
    return sum
  }

  /** Writes and syncs all logs and marks the volume as clean, left by the broker of that epoch (KIP-966). */
  close(brokerEpoch?: number): Promise<void> {
    this.#closing ??= this.#close(brokerEpoch)
    return this.#closing
  }

  async #close(brokerEpoch: number | undefined): Promise<void> {
    for (const timer of this.#timers.values()) timer.cancel()
    await this.#checkpointing
    const logs = this.all()[Symbol.iterator]()
    const closer = async (): Promise<void> => {
      for (let next = logs.next(); !next.done; next = logs.next()) await this.#closeOne(next.value)
    }
    await Promise.all(Array.from({ length: closingAtOnce }, closer))
    await this.#volume.close(brokerEpoch)
  }

  /** One that cannot (a full disk) keeps nobody else from it; the volume then leaves no clean mark. */
  async #closeOne(log: Log): Promise<void> {
    try {
      await log.close()
    } catch (error) {
      this.#logger.error('A log could not be closed in order', { ...log.topicPartition, error })
    }
  }

  #now(): number {
    return this.#world.clock.now()
  }

  #noteStart(topicPartition: TopicPartition, offset: number): void {
    this.#startsMoved++
    this.#volume.setLogStartOffset(topicPartition, offset)
  }

  #retain(log: Log): void {
    log.applyRetention(this.#now(), this.#options.committed(log))
    const isIdle = this.#searched.size === 0
    this.#searched.add(log)
    if (isIdle) void this.#search()
  }

  /** What is found to have expired goes at once. */
  async #search(): Promise<void> {
    for (const log of this.#searched) {
      try {
        const looking = log.lookForExpired(this.#now(), this.#options.committed(log))
        if (looking !== null) {
          await looking
          this.#visit(log, () => log.applyRetention(this.#now(), this.#options.committed(log)))
        }
      } catch (error) {
        if (this.#closing === null)
          this.#logger.warn('A log could not be searched for expired records', { ...log.topicPartition, error })
      }
      this.#searched.delete(log)
      if (this.#closing !== null) this.#searched.clear()
    }
  }

  /** Only when something happened since the last one: an idle node writes nothing. */
  #checkpoint(): void {
    this.#inTurns(log => log.checkpoint())
    const state = `${this.counters.batchesAppended} ${this.#startsMoved} ${this.counters.dropped}`
    if (state === this.#checkpointed) return
    this.#checkpointed = state
    this.#checkpointing = this.#checkpointing
      .then(() => this.#volume.checkpoint())
      .catch(error => this.#logger.warn('The recovery points could not be written', { error }))
  }

  #every(name: string, ms: number, run: () => void): void {
    const again = (): void => {
      run()
      this.#every(name, ms, run)
    }
    if (this.#closing === null) this.#timers.set(name, this.#world.timers.after(ms, again))
  }

  /** Visits all logs, a few in each turn of the event loop. */
  #inTurns(visit: (log: Log) => void): void {
    const logs = [...this.all()]
    const turn = (from: number): void => {
      if (this.#closing !== null) return
      for (const log of logs.slice(from, from + logsPerTurn)) this.#visit(log, visit)
      if (from + logsPerTurn < logs.length) this.#world.timers.soon(() => turn(from + logsPerTurn))
    }
    turn(0)
  }

  #visit(log: Log, visit: (log: Log) => void): void {
    if (this.get(log.topicPartition.topic, log.topicPartition.partition) !== log) return
    try {
      visit(log)
    } catch (error) {
      this.#logger.error('Work on a log failed', { ...log.topicPartition, error })
    }
  }

  #fail(error: Error): void {
    if (this.#failed) return
    this.#failed = true
    this.#options.failed(error)
  }
}
