import { loadCompression } from '../protocol/compression/compression.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Damage, Store, TopicPartition } from '../store/store.ts'
import type { Logger } from '../world/logger.ts'
import type { World } from '../world/world.ts'
import { codecToLoad } from './admission.ts'
import { type AppendContext, Appender, type AppendResult, type LogState } from './appender.ts'
import { type LogCounters, newCounters } from './counters.ts'
import { EpochCheckpoint } from './epoch-checkpoint.ts'
import { ExpiredHead } from './expired-head.ts'
import { FlushPolicy } from './flush-policy.ts'
import type { EpochEndOffset } from './leader-epochs.ts'
import { type LogConfig, storeOptions } from './log-config.ts'
import type { LogObserver, LogOpening, ProducerDescription, RetentionResult } from './log-types.ts'
import { findMaxTimestamp, findTimestamp, type TimestampOffset } from './offset-lookup.ts'
import { ProducerSnapshots } from './producer-snapshots.ts'
import { defaultProducerLimits, type ProducerLimits } from './producers.ts'
import { expiredSegments } from './retention.ts'

export type { AppendContext, AppendOrigin, AppendResult } from './appender.ts'
export type * from './log-types.ts'

const retryMs = 1000
/** An active segment with deleted records is closed from this size on. */
const closeFromBytes = 1024 * 1024

/**
 * One partition's log with Kafka's meaning: offsets, leader epochs, producers, retention. Bytes are the store's business,
 * the high watermark and who may read up to where are the replica's. Transactions (KIP-98) will bring an index of aborted
 * ones and the first unstable offset, in a file of their own beside `producers.ts`, which notes where each one begins.
 */
export class Log {
  readonly topicPartition: TopicPartition
  readonly topicId: string
  readonly #store: Store
  readonly #world: Pick<World, 'clock' | 'timers' | 'random'>
  readonly #logger: Logger
  readonly #counters: LogCounters
  readonly #startMoved: (logStartOffset: number) => void
  readonly #epochs: EpochCheckpoint
  readonly #snapshots: ProducerSnapshots
  readonly #flush: FlushPolicy
  readonly #expired: ExpiredHead
  readonly #observers: LogObserver[] = []
  readonly #appender: Appender
  readonly #state: LogState
  #flushedOffset: number
  #closed = false

  /** Touches no file: epochs and producers are read when they are first needed. */
  static open(
    store: Store,
    topicPartition: TopicPartition,
    topicId: string,
    config: LogConfig,
    world: Pick<World, 'clock' | 'timers' | 'random'>,
    logger: Logger,
    opening: LogOpening = {},
  ): Log {
    return new Log(store, topicPartition, topicId, config, world, logger, opening)
  }

  private constructor(
    store: Store,
    topicPartition: TopicPartition,
    topicId: string,
    config: LogConfig,
    world: Pick<World, 'clock' | 'timers' | 'random'>,
    logger: Logger,
    opening: LogOpening,
  ) {
    const clean = opening.clean ?? false
    const failed = (error: Error): void => this.#failed(error)
    this.#store = store
    this.topicPartition = topicPartition
    this.topicId = topicId
    this.#world = world
    this.#logger = logger
    this.#counters = opening.counters ?? newCounters()
    const logStartOffset = Math.max(store.startOffset, Math.min(opening.logStartOffset ?? 0, store.endOffset))
    this.#state = { config, logStartOffset }
    this.#startMoved = opening.startMoved ?? (() => {})
    const later = (run: () => void): void => void world.timers.after(retryMs, () => this.#closed || run())
    const start = (): number => this.#state.logStartOffset
    const saved = (): void => this.#moved()
    this.#epochs = new EpochCheckpoint(store, clean, { logStartOffset: start, saved, failed, later }, logger)
    const limits = opening.producerLimits ?? defaultProducerLimits
    const now = (): number => world.clock.now()
    this.#snapshots = new ProducerSnapshots(store, clean, limits, { now, failed }, logger)
    this.#appender = new Appender(store, this.#epochs, this.#snapshots, this.#counters, this.#state)
    this.#flush = new FlushPolicy(store, world.timers, config)
    this.#expired = new ExpiredHead(store, world.timers)
    this.#flushedOffset = this.#flush.vouchedFor(store.durableOffset, 0)
    store.observe({
      written: () => this.#written(),
      durable: () => this.#moved(),
      dropped: (from, error) => this.#dropped(from, error),
      failed,
    })
  }

  get config(): LogConfig {
    return this.#state.config
  }

  /** Offset of the first record that may be read. */
  get logStartOffset(): number {
    return this.#state.logStartOffset
  }

  /** Offset that the next record gets. */
  get logEndOffset(): number {
    return this.#store.endOffset
  }

  /** Everything below survives the end of this process. */
  get writtenOffset(): number {
    return this.#store.writtenOffset
  }

  /** Everything below is on stable storage, and so is what must be known about it. */
  get durableOffset(): number {
    return Math.min(this.#store.durableOffset, this.#epochs.unsavedFrom)
  }

  /** Everything below is as safe as the topic's `flush`, `flush.messages` and `flush.ms` want it before it is acknowledged. */
  get flushedOffset(): number {
    return this.#flushedOffset
  }

  /** Why appends are refused until another copy has made the log whole again; null: all is well. */
  get damage(): Damage | null {
    return this.#store.damage
  }

  get sizeInBytes(): number {
    return this.#store.sizeInBytes
  }

  /** Leader epoch of the last batch; −1 when there is none. */
  get latestEpoch(): number {
    return this.#epochs.epochs.latestEpoch
  }

  /** Where the latest epoch begins when it is `epoch`; else the log's end, where `epoch` is to begin. */
  startOfEpoch(epoch: number): number {
    const { epochs } = this.#epochs
    return epochs.latestEpoch === epoch ? epochs.latestStart : this.logEndOffset
  }

  observe(observer: LogObserver): void {
    this.#observers.push(observer)
  }

  /**
   * Appends whole batches of magic 2, or old message sets from clients, all or none; they can be read at once. Base offset
   * and leader epoch are stamped into `bytes`, of which the log keeps a copy. Throws KafkaError: CORRUPT_MESSAGE,
   * MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE, INVALID_TIMESTAMP, INVALID_RECORD, UNSUPPORTED_COMPRESSION_TYPE,
   * OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE, FENCED_LEADER_EPOCH (a newer leader has
   * written), KAFKA_STORAGE_ERROR (the log is closed); then nothing has changed.
   */
  append(bytes: Uint8Array, context: AppendContext): AppendResult {
    if (this.#closed) throw new KafkaError('KAFKA_STORAGE_ERROR', 'The log is closed')
    return this.#appender.append(bytes, context)
  }

  /** Null when `append` can take these bytes at once; else what to wait for first: a codec that is not loaded yet. */
  beforeAppend(bytes: Uint8Array): Promise<unknown> | null {
    const codec = codecToLoad(bytes, this.#state.config)
    return codec === null ? null : loadCompression(codec)
  }

  /**
   * Whole batches from the one that holds `from` on, as views; see `Store.read`. Throws KafkaError OFFSET_OUT_OF_RANGE below
   * the log's start and above its end.
   */
  read(from: number, maxBytes: number, upTo = this.logEndOffset): Uint8Array[] | Promise<Uint8Array[]> {
    if (from < this.#state.logStartOffset || from > this.logEndOffset)
      throw new KafkaError(
        'OFFSET_OUT_OF_RANGE',
        `Offset ${from} is not within ${this.#state.logStartOffset} to ${this.logEndOffset}`,
      )
    return this.#store.read(from, maxBytes, upTo)
  }

  /** The first record whose timestamp is ≥ `timestamp` (ms), by offset; null when there is none. */
  offsetForTimestamp(timestamp: number): Promise<TimestampOffset | null> {
    return findTimestamp(this.#store, timestamp, this.#state.logStartOffset)
  }

  /** The first record with the newest timestamp of all; null when no record has one. */
  maxTimestampOffset(): Promise<TimestampOffset | null> {
    return findMaxTimestamp(this.#store, this.#state.logStartOffset)
  }

  /** Where `epoch`, or the largest epoch below it, ends (KIP-101, KIP-279, KIP-320). */
  endOffsetForEpoch(epoch: number): EpochEndOffset {
    return this.#epochs.epochs.endOffsetFor(epoch, this.logEndOffset)
  }

  /** Leader epoch of the record at `offset`; −1 when it is not known. */
  epochForOffset(offset: number): number {
    return this.#epochs.epochs.epochFor(offset)
  }

  /** For DescribeProducers. */
  activeProducers(): ProducerDescription[] {
    return [...this.#snapshots.producers.all()].map(entry => ({
      producerId: entry.producerId,
      producerEpoch: entry.epoch,
      lastSequence: entry.lastSequence,
      lastTimestamp: entry.lastTimestamp,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTxnStartOffset: entry.currentTxnFirstOffset,
    }))
  }

  /** Producers in memory, and those forgotten because there were too many. */
  get producerCounts(): { remembered: number; evicted: number } {
    const producers = this.#snapshots.loaded
    return { remembered: producers?.size ?? 0, evicted: producers?.evicted ?? 0 }
  }

  /** Forgets producers that have been silent for `producer.id.expiration.ms`. */
  expireProducers(now: number): void {
    this.#snapshots.loaded?.expire(now)
  }

  setProducerLimits(limits: ProducerLimits): void {
    this.#snapshots.setLimits(limits)
  }

  /** Drops the batch that holds `offset` and all that follow, durably. For followers: nothing committed may be dropped. */
  async truncateTo(offset: number): Promise<void> {
    // A damaged log ends where the damage begins: what lies behind it goes, too.
    if (offset >= this.logEndOffset && this.damage === null) {
      // Of epochs in which nothing was written the leader may know otherwise.
      if (offset === this.logEndOffset) this.#epochs.truncateFromEnd(offset)
      return
    }
    if (offset <= this.#store.startOffset) return this.resetTo(offset)
    let boundary = offset
    for (const batch of this.#store.scan(offset)) {
      boundary = Math.min(offset, batch.baseOffset)
      break
    }
    const truncated = this.#store.truncate(boundary)
    this.#forget(boundary)
    await truncated
  }

  /** Forgets everything and goes on, empty, at `offset`. */
  async resetTo(offset: number): Promise<void> {
    const reset = this.#store.reset(offset)
    this.#epochs.clear()
    this.#snapshots.reset()
    this.#flushedOffset = offset
    this.#moveStart(offset)
    await reset
  }

  /** What was learnt from batches at and above `end` is forgotten with them. */
  #forget(end: number): void {
    // First what is promised.
    this.#flushedOffset = Math.min(this.#flushedOffset, end)
    this.#epochs.truncateFromEnd(end)
    this.#snapshots.truncated(end)
    this.#appender.segmentsChanged()
    if (this.#state.logStartOffset > end) this.#moveStart(end)
  }

  /**
   * Lets the log begin at `offset`; whole segments below go. Returns the log's start. `offset` must be committed: the caller
   * knows the high watermark. Throws OFFSET_OUT_OF_RANGE above the log's end.
   */
  deleteRecordsBefore(offset: number): number {
    if (offset > this.logEndOffset)
      throw new KafkaError('OFFSET_OUT_OF_RANGE', `The log ends at ${this.logEndOffset}, before ${offset}`)
    if (offset <= this.#state.logStartOffset) return this.#state.logStartOffset
    // So that a log which is cut short again and again, as a group's is by its snapshots, never keeps a whole segment of
    // what nobody can read.
    const active = this.#store.segments().at(-1)!
    if (offset > active.baseOffset && active.sizeInBytes >= closeFromBytes) this.roll()
    this.#moveStart(offset)
    this.#epochs.truncateFromStart(offset)
    this.#trim()
    return offset
  }

  /** Begins a new segment, so that all before it can go once `deleteRecordsBefore` says so. */
  roll(): void {
    this.#store.roll()
    this.#appender.segmentsChanged()
    if (this.logEndOffset > this.#store.startOffset) this.#appender.takeSnapshot()
  }

  /**
   * Finds out how far the head of the log has expired record by record, in closed segments and below `limit`, the high
   * watermark; retention then lets it go. Null when there is nothing to find.
   */
  lookForExpired(now: number, limit: number): Promise<void> | null {
    const active = this.#store.segments().at(-1)!
    const upTo = Math.min(active.baseOffset, limit)
    if (!this.#state.config.delete || !this.#expired.isWorthALook(this.logStartOffset, upTo, now)) return null
    return this.#expired.look(this.logStartOffset, upTo, now)
  }

  /**
   * Lets go what `retention.ms`, `retention.bytes`, the log's start and the expiry of its records no longer want; when that is
   * all there is, the active segment too. `limit` is the high watermark.
   */
  applyRetention(now: number, limit = this.logEndOffset): RetentionResult {
    const segments = this.#store.segments()
    const {
      segments: count,
      bytes,
      reason,
    } = expiredSegments(segments, this.#state.config, this.#state.logStartOffset, limit, now, this.#expired.end)
    if (count > 0) {
      const start = segments[count]?.baseOffset ?? this.logEndOffset
      if (count === segments.length) this.roll()
      if (start > this.#state.logStartOffset) this.deleteRecordsBefore(start)
      else this.#trim()
      this.#counters.segmentsRemoved += count
      this.#counters.bytesRemoved += bytes
      this.#logger.info('Retention removed segments', { ...this.topicPartition, segments: count, bytes, reason })
    }
    return { segments: count, bytes, logStartOffset: this.#state.logStartOffset, reason }
  }

  setConfig(config: LogConfig): void {
    this.#state.config = config
    this.#store.options = storeOptions(config, this.#world.random)
    this.#flush.setConfig(config)
    this.#moved()
  }

  /** Now and then: keeps short what a crash would make us scan. */
  checkpoint(): void {
    this.#appender.checkpoint()
  }

  /** The partition is deleted: nothing is written any more. */
  discard(): void {
    this.#closed = true
    this.#flush.close()
  }

  /** Writes and syncs everything; a clean log needs no recovery. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#flush.close()
    this.#snapshots.takeLast()
    await Promise.all([this.#epochs.close(), this.#snapshots.settled()])
    await this.#store.close()
  }

  #moveStart(offset: number): void {
    this.#state.logStartOffset = offset
    this.#startMoved(offset)
  }

  #trim(): void {
    this.#store.trim(this.#state.logStartOffset).then(
      () => this.#closed || this.#snapshots.prune(),
      error => this.#logger.warn('Old segments could not be removed', { ...this.topicPartition, error }),
    )
  }

  #written(): void {
    this.#flush.written()
    this.#moved()
  }

  #moved(): void {
    this.#flushedOffset = Math.max(this.#flushedOffset, this.#flush.vouchedFor(this.durableOffset, this.#flushedOffset))
    for (const observer of this.#observers) observer.progress()
  }

  #dropped(from: number, error: Error): void {
    this.#counters.dropped++
    this.#forget(from)
    for (const observer of this.#observers) observer.dropped(from, error)
  }

  #failed(error: Error): void {
    this.#flush.close()
    if (this.#closed) return
    for (const observer of this.#observers) observer.failed(error)
  }
}
