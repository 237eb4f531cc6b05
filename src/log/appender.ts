import {
  baseSequence,
  lastOffsetDelta,
  maxTimestamp,
  producerEpoch,
  producerId,
  stamp,
  stampLogAppendTime,
} from '../protocol/batches/header.ts'
import { iterateBatches, validateBatch } from '../protocol/batches/iterate.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { BatchSummary, Segment, Store } from '../store/store.ts'
import { admitProduced } from './admission.ts'
import type { LogCounters } from './counters.ts'
import type { EpochCheckpoint } from './epoch-checkpoint.ts'
import type { LogConfig } from './log-config.ts'
import { checkFitsSegment, checkSize } from './produced-batch.ts'
import { type KnownBatch, sequenceAfter } from './producer-entry.ts'
import { learn, type ProducerSnapshots } from './producer-snapshots.ts'

/** `client`: fully checked. `coordinator`: our own batches, checked for stale epochs only. `replication`: the leader has checked. */
export type AppendOrigin = 'client' | 'coordinator' | 'replication'

export interface AppendContext {
  /** Of the leader that appends; stamped into the batches. Those from `replication` carry their own. */
  readonly leaderEpoch: number
  /** Wall clock, ms. */
  readonly now: number
  readonly origin: AppendOrigin
}

export interface AppendResult {
  readonly baseOffset: number
  readonly lastOffset: number
  /** ms; −1 unless the topic has LogAppendTime. */
  readonly logAppendTime: number
  readonly logStartOffset: number
  /** The batch was in the log already, at these offsets. Whether it is durable yet is another question. */
  readonly duplicate: boolean
}

/** What changes while a log is open, for those who work on it. */
export interface LogState {
  config: LogConfig
  logStartOffset: number
}

/** Snapshots of producers between segments, so that what a crash makes us scan stays short. */
const snapshotEveryBytes = 64 * 1024 * 1024

/** How batches get into one log: judged, placed, handed to the store, and what they say of epochs and producers learnt. */
export class Appender {
  readonly #store: Store
  readonly #epochs: EpochCheckpoint
  readonly #snapshots: ProducerSnapshots
  readonly #counters: LogCounters
  readonly #state: LogState
  #begun = false
  /** As they were after the last append: the store makes a new array when one begins. */
  #segments: readonly Segment[] = []
  #bytesSinceSnapshot = 0

  constructor(
    store: Store,
    epochs: EpochCheckpoint,
    snapshots: ProducerSnapshots,
    counters: LogCounters,
    state: LogState,
  ) {
    this.#store = store
    this.#epochs = epochs
    this.#snapshots = snapshots
    this.#counters = counters
    this.#state = state
  }

  /** See `Log.append`. */
  append(bytes: Uint8Array, context: AppendContext): AppendResult {
    try {
      this.#begin(context)
      if (context.origin === 'client') return this.#appendProduced(bytes, context)
      return context.origin === 'coordinator' ? this.#appendOwn(bytes, context) : this.#appendFetched(bytes, context)
    } catch (error) {
      this.#counters.rejected++
      throw error
    }
  }

  /** The store's segments have changed by other means than an append. */
  segmentsChanged(): void {
    this.#segments = this.#store.segments()
  }

  /** Writes down the producers as they are now, at the log's end. */
  takeSnapshot(): void {
    this.#snapshotAt(this.#store.endOffset)
  }

  /** Now and then: keeps short what a crash would make us scan. */
  checkpoint(): void {
    const producers = this.#snapshots.loaded
    if (this.#bytesSinceSnapshot >= snapshotEveryBytes && producers !== null && producers.size > 0) this.takeSnapshot()
  }

  #begin(context: AppendContext): void {
    if (this.#store.damage !== null) throw new KafkaError('KAFKA_STORAGE_ERROR', this.#store.damage.reason)
    if (!this.#begun) {
      this.#begun = true
      this.#snapshots.beforeFirstAppend()
      this.segmentsChanged()
    }
    if (context.origin !== 'replication' && context.leaderEpoch < this.#epochs.epochs.latestEpoch)
      throw new KafkaError(
        'FENCED_LEADER_EPOCH',
        `The log has batches of leader epoch ${this.#epochs.epochs.latestEpoch}, ${context.leaderEpoch} is over`,
      )
  }

  /** The path of every produce request: one batch, judged by its header, no object made that is not kept or returned. */
  #appendProduced(bytes: Uint8Array, { leaderEpoch, now }: AppendContext): AppendResult {
    const batch = admitProduced(bytes, this.#state.config, now, this.#counters)
    const id = producerId(batch, 0)
    const epoch = producerEpoch(batch, 0)
    const delta = lastOffsetDelta(batch, 0)
    let lastSequence = -1
    if (id >= 0) {
      const firstSequence = baseSequence(batch, 0)
      lastSequence = sequenceAfter(firstSequence, delta)
      const known = this.#snapshots.producers.check(id, epoch, firstSequence, lastSequence)
      if (known !== null) return this.#duplicate(known)
    }
    const baseOffset = this.#store.endOffset
    const logAppendTime = this.#stamp(batch, 0, baseOffset, leaderEpoch, now)
    const summary: BatchSummary = {
      baseOffset,
      lastOffset: baseOffset + delta,
      sizeInBytes: batch.length,
      maxTimestamp: maxTimestamp(batch, 0),
      leaderEpoch,
    }
    this.#hand(batch, [summary])
    this.#epochs.assign(leaderEpoch, baseOffset)
    if (id >= 0)
      this.#snapshots.producers.append(
        id,
        epoch,
        lastSequence,
        summary.lastOffset,
        delta,
        summary.maxTimestamp,
        false,
        now,
      )
    return this.#result(baseOffset, summary.lastOffset, logAppendTime)
  }

  /** Batches that this broker built: groups, cluster metadata, transaction markers. */
  #appendOwn(bytes: Uint8Array, { leaderEpoch, now }: AppendContext): AppendResult {
    const batches = [...iterateBatches(bytes)]
    const end = batches.at(-1)
    if (end === undefined || end.position + end.sizeInBytes !== bytes.length)
      throw new KafkaError('CORRUPT_MESSAGE', 'These bytes are not whole batches')
    for (const batch of batches) {
      checkSize(batch.sizeInBytes, this.#state.config)
      checkFitsSegment(batch.sizeInBytes, this.#state.config)
      if (batch.producerId >= 0) this.#snapshots.producers.checkEpoch(batch.producerId, batch.producerEpoch)
    }
    const first = this.#store.endOffset
    let logAppendTime = -1
    let next = first
    const placed = batches.map(batch => {
      const baseOffset = next
      next += batch.lastOffsetDelta + 1
      logAppendTime = this.#stamp(bytes, batch.position, baseOffset, leaderEpoch, now)
      const timestamp = maxTimestamp(bytes, batch.position)
      return { ...batch, baseOffset, lastOffset: next - 1, maxTimestamp: timestamp, leaderEpoch }
    })
    this.#hand(bytes, placed)
    this.#epochs.assign(leaderEpoch, first)
    for (const batch of placed) if (batch.producerId >= 0) learn(this.#snapshots.producers, batch, now)
    return this.#result(first, next - 1, logAppendTime)
  }

  /** Batches of the leader, with its offsets and epochs. */
  #appendFetched(bytes: Uint8Array, { now }: AppendContext): AppendResult {
    const batches = [...iterateBatches(bytes)]
    let end = this.#store.endOffset
    let epoch = this.#epochs.epochs.latestEpoch
    for (const batch of batches) {
      const problem = validateBatch(bytes, batch.position)
      if (problem !== null) throw new KafkaError('CORRUPT_MESSAGE', problem)
      if (batch.baseOffset < end || batch.leaderEpoch < epoch)
        throw new KafkaError(
          'OFFSET_OUT_OF_RANGE',
          `Offset ${batch.baseOffset} in epoch ${batch.leaderEpoch} cannot follow on ${end} in epoch ${epoch}`,
        )
      end = batch.lastOffset + 1
      epoch = batch.leaderEpoch
      // What cannot be learnt must not be in the log: a log that cannot be read throws here.
      if (batch.producerId >= 0) void this.#snapshots.producers
    }
    const last = batches.at(-1)
    if (last === undefined) throw new KafkaError('CORRUPT_MESSAGE', 'There is no whole batch')
    this.#hand(bytes.subarray(0, last.position + last.sizeInBytes), batches)
    for (const batch of batches) {
      this.#epochs.assign(batch.leaderEpoch, batch.baseOffset)
      if (batch.producerId >= 0) learn(this.#snapshots.producers, batch, now)
    }
    return this.#result(batches[0]!.baseOffset, last.lastOffset, -1)
  }

  #stamp(bytes: Uint8Array, at: number, baseOffset: number, leaderEpoch: number, now: number): number {
    stamp(bytes, at, baseOffset, leaderEpoch)
    if (this.#state.config.messageTimestampType === 'CreateTime') return -1
    stampLogAppendTime(bytes, at, now)
    return now
  }

  /** To the store; and when that began a new segment, the producers as they were before it are written down. */
  #hand(bytes: Uint8Array, batches: readonly BatchSummary[]): void {
    this.#store.append(bytes, batches)
    this.#counters.batchesAppended += batches.length
    this.#counters.bytesAppended += bytes.length
    this.#bytesSinceSnapshot += bytes.length
    const segments = this.#store.segments()
    if (segments === this.#segments) return
    const rolled = segments.length > this.#segments.length
    this.#segments = segments
    if (rolled) this.#snapshotAt(batches[0]!.baseOffset)
  }

  #snapshotAt(offset: number): void {
    this.#bytesSinceSnapshot = 0
    this.#snapshots.take(offset)
  }

  #duplicate(known: KnownBatch): AppendResult {
    this.#counters.duplicates++
    return {
      baseOffset: known.baseOffset,
      lastOffset: known.lastOffset,
      logAppendTime: this.#state.config.messageTimestampType === 'CreateTime' ? -1 : known.timestamp,
      logStartOffset: this.#state.logStartOffset,
      duplicate: true,
    }
  }

  #result(baseOffset: number, lastOffset: number, logAppendTime: number): AppendResult {
    return { baseOffset, lastOffset, logAppendTime, logStartOffset: this.#state.logStartOffset, duplicate: false }
  }
}
