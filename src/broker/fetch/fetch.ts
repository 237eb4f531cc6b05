import { KafkaError } from '../../protocol/errors.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { Partition, ReplicaFetch } from '../../replication/partition.ts'
import type { Replicas } from '../../replication/replicas.ts'
import type { TokenBucket } from '../../replication/throttle.ts'
import { asStorageError } from '../../store/disk-error.ts'
import type { Volume } from '../../store/store.ts'
import type { Timer, Timers } from '../../world/world.ts'
import type { Delayed, DelayedOperations } from '../delayed.ts'
import type { FetchPartition } from './session.ts'

/** What one partition gave. */
export interface FetchResult {
  readonly wanted: FetchPartition
  error: KafkaError | null
  highWatermark: number
  lastStableOffset: number
  logStartOffset: number
  diverging: { epoch: number; endOffset: number } | null
  /** The copy that the consumer should read instead; −1: this one. */
  preferredReadReplica: number
  records: Uint8Array[]
  bytes: number
  /** Views to give back: `records` as they were read. */
  lent: readonly Uint8Array[]
}

export interface FetchLimits {
  readonly maxWaitMs: number
  readonly minBytes: number
  /** Bytes over all partitions; the first batch is given however large it is, so that a consumer never stands still. */
  readonly maxBytes: number
  /** The follower that asks; null: a consumer does. */
  readonly replica: ReplicaFetch | null
  /** Consumers read from followers, which must hear at once what is committed; else they do with the next data. */
  readonly tellsCommitted: boolean
  /** What a busy follower waits with, so that it copies in fewer and larger parts; null: it gets what there is at once. */
  readonly gather: Timers | null
  /** What copies that are being moved may take; null: as much as they like. */
  readonly moves: { readonly bucket: TokenBucket; readonly timers: Timers } | null
  /** A consumer that may read from followers (Fetch 11 and newer, KIP-392). */
  readonly anyReplica: boolean
  /** The copy that is nearer to the consumer, for those that we lead; −1: there is none. Null: nobody asks. */
  readonly nearer: ((partition: Partition, fetchOffset: number) => number) | null
  /** Partitions that a later Fetch of the same session has named are left to that one (`FetchPartition.namedIn`). */
  readonly namedUpTo: number
}

const none: Uint8Array[] = []

/**
 * For a follower of a busy leader what comes within the next moment goes along, unless there is much already: each part
 * costs both sides some system calls and the follower a sync, however small it is.
 */
const gatherMs = 1
const gatherBytes = 64 * 1024

/**
 * Reads from many partitions, and when there is too little, waits for more: one delayed operation, woken by its
 * partitions, bounded by `maxWaitMs`.
 */
export class DelayedFetch {
  readonly #replicas: Replicas
  readonly #delayed: DelayedOperations
  readonly #memory: Pick<Volume, 'release'>
  readonly #wanted: readonly FetchPartition[]
  /** What was read last: lent to us until it is sent. */
  #read: FetchResult[] = []
  readonly #limits: FetchLimits
  /** A follower's offsets count once: as they were when it asked. */
  #counted = false
  /** One of our partitions cannot say yet whether the follower's log fits. */
  #unready = false
  #gathering = false
  /** ms until copies that are being moved may have more; 0: none waits for that. */
  #restMs = 0
  #rest: Timer | null = null
  #checking = false
  #again = false
  #expired = false
  #cancelled = false
  #finish: ((results: FetchResult[]) => void) | null = null
  #fail: ((error: unknown) => void) | null = null
  #watched: (() => void)[] = []
  #deadline: Delayed | null = null
  readonly #wake = (): void => this.#woken()

  constructor(
    replicas: Replicas,
    delayed: DelayedOperations,
    memory: Pick<Volume, 'release'>,
    wanted: readonly FetchPartition[],
    limits: FetchLimits,
  ) {
    this.#replicas = replicas
    this.#delayed = delayed
    this.#memory = memory
    this.#wanted = wanted
    this.#limits = limits
  }

  /** Synchronous when memory has enough. */
  run(): FetchResult[] | Promise<FetchResult[]> {
    const results = this.#collect()
    if (!(results instanceof Promise)) return this.#enough(results) ? this.#give(results) : this.#wait()
    return results.then(collected => {
      if (this.#cancelled) return new Promise<never>(() => {})
      if (this.#enough(collected)) return this.#give(collected)
      const more = this.#wait()
      // Something may have come while the disk was read.
      this.#woken()
      return more
    })
  }

  #give(results: FetchResult[]): FetchResult[] | Promise<FetchResult[]> {
    if (!this.#mayGather(results)) return results
    return new Promise((resolve, reject) => {
      this.#finish = resolve
      this.#fail = reject
      this.#limits.gather?.after(gatherMs, () => this.hurry())
    })
  }

  /** Once, and when there is some, but not much. */
  #mayGather(results: readonly FetchResult[]): boolean {
    if (this.#limits.gather === null || this.#limits.maxWaitMs <= 0 || this.#gathering) return false
    let bytes = 0
    for (const result of results) {
      if (result.error !== null || result.diverging !== null) return false
      bytes += result.bytes
    }
    if (bytes === 0 || bytes >= gatherBytes) return false
    this.#gathering = true
    return true
  }

  /** The client is gone: nothing is given any more, since what was read is released. */
  cancel(): void {
    this.#cancelled = true
    this.#stop()
  }

  /** The next request is there already: whoever waits gets what there is. */
  hurry(): void {
    this.#expired = true
    if (this.#finish !== null) this.#woken()
  }

  /** What was read is sent, or not wanted: its memory may be used again. */
  release(): void {
    for (const { lent } of this.#read) this.#memory.release(lent)
    this.#read = []
  }

  #wait(): Promise<FetchResult[]> {
    return new Promise((resolve, reject) => {
      this.#finish = resolve
      this.#fail = reject
      for (const { topic, topicId, partition } of this.#wanted) {
        const replica =
          topicId === ZERO_UUID ? this.#replicas.find(topic, partition) : this.#replicas.findById(topicId, partition)
        if (replica === undefined) continue
        if (this.#limits.replica !== null) this.#watched.push(replica.watchEnd(this.#wake))
        if (this.#limits.replica === null || this.#limits.tellsCommitted) this.#watched.push(replica.watch(this.#wake))
      }
      this.#wakeAfterRest()
      this.#deadline = this.#delayed.after(
        this.#limits.maxWaitMs,
        () => {
          this.#expired = true
          this.#woken()
        },
        true,
      )
    })
  }

  /** Many partitions may wake us in one turn; one look serves them all. */
  #woken(): void {
    if (this.#checking) {
      this.#again = true
      return
    }
    this.#checking = true
    queueMicrotask(() => this.#check())
  }

  #check(): void {
    if (this.#finish === null) return
    this.#again = false
    try {
      const results = this.#collect()
      if (results instanceof Promise)
        results.then(
          collected => this.#decide(collected),
          error => this.#broken(error),
        )
      else this.#decide(results)
    } catch (error) {
      this.#broken(error)
    }
  }

  #decide(results: FetchResult[]): void {
    this.#checking = false
    if (this.#finish === null) return
    if (!this.#expired && this.#gathering) return
    if (!this.#expired && this.#mayGather(results)) this.#limits.gather?.after(gatherMs, () => this.hurry())
    else if (this.#expired || this.#enough(results)) {
      const finish = this.#finish
      this.#stop()
      finish(results)
    } else if (this.#again) this.#woken()
    else this.#wakeAfterRest()
  }

  /** One alarm at most, however often other partitions wake us meanwhile; none for what comes after the deadline. */
  #wakeAfterRest(): void {
    const { moves, maxWaitMs } = this.#limits
    if (moves !== null && this.#restMs > 0 && this.#restMs < maxWaitMs)
      this.#rest ??= moves.timers.after(Math.ceil(this.#restMs), () => {
        this.#rest = null
        this.#woken()
      })
    this.#restMs = 0
  }

  #broken(error: unknown): void {
    const fail = this.#fail
    this.#stop()
    fail?.(error)
  }

  #stop(): void {
    this.#finish = null
    this.#fail = null
    if (this.#deadline !== null) this.#delayed.cancel(this.#deadline)
    this.#rest?.cancel()
    this.#rest = null
    for (const unwatch of this.#watched) unwatch()
    this.#watched = []
  }

  #enough(results: readonly FetchResult[]): boolean {
    if (this.#limits.maxWaitMs <= 0 || this.#expired) return true
    // A follower without partitions waits for some; the next request names them.
    if (results.length === 0) return this.#limits.replica === null
    let bytes = 0
    for (const result of results) {
      if (result.error !== null || result.diverging !== null || result.preferredReadReplica >= 0) return true
      if (this.#limits.replica !== null && isAhead(result)) return true
      if (this.#limits.tellsCommitted && result.highWatermark > result.wanted.toldHighWatermark) return true
      bytes += result.bytes
    }
    return bytes >= this.#limits.minBytes
  }

  #collect(): FetchResult[] | Promise<FetchResult[]> {
    this.release()
    const results: FetchResult[] = []
    this.#read = results
    this.#unready = false
    const collected = this.#collectFrom(0, results, this.#limits.maxBytes)
    if (collected instanceof Promise) return collected.then(all => this.#collected(all))
    return this.#collected(collected)
  }

  #collected(results: FetchResult[]): FetchResult[] {
    this.#counted = !this.#unready
    return results
  }

  /** Synchronous until the first partition that must be read from the disk. */
  #collectFrom(from: number, results: FetchResult[], budget: number): FetchResult[] | Promise<FetchResult[]> {
    let left = budget
    for (let i = from; i < this.#wanted.length; i++) {
      const wanted = this.#wanted[i] as FetchPartition
      if (wanted.namedIn > this.#limits.namedUpTo || (!wanted.fresh && this.#isQuiet(wanted))) continue
      const result = emptyResult(wanted)
      results.push(result)
      let records: Uint8Array[] | Promise<Uint8Array[]>
      try {
        records = this.#readOne(wanted, result, left)
      } catch (error) {
        this.#refused(result, error)
        continue
      }
      if (records instanceof Promise) {
        const first = left === this.#limits.maxBytes
        return records
          .then(
            read => take(result, read, left, first),
            error => this.#refused(result, error),
          )
          .then(() => this.#collectFrom(i + 1, results, left - result.bytes))
      }
      take(result, records, left, left === this.#limits.maxBytes)
      left -= result.bytes
    }
    return results
  }

  /** A follower has all of it and was told all of it: nearly all partitions that two nodes share, nearly always. */
  #isQuiet(wanted: FetchPartition): boolean {
    const replica = this.#replicas.findById(wanted.topicId, wanted.partition)
    return (
      replica !== undefined &&
      replica.leaderEpoch === wanted.currentLeaderEpoch &&
      replica.isLeader &&
      replica.log.logEndOffset === wanted.fetchOffset &&
      replica.highWatermark === wanted.toldHighWatermark &&
      replica.log.logStartOffset === wanted.toldLogStartOffset
    )
  }

  #readOne(wanted: FetchPartition, result: FetchResult, left: number): Uint8Array[] | Promise<Uint8Array[]> {
    const replicas = this.#replicas
    // Who asks by id does not mean a later topic of the same name.
    const replica =
      wanted.topicId === ZERO_UUID
        ? replicas.get(wanted.topic, wanted.partition)
        : replicas.getById(wanted.topicId, wanted.partition)
    const { log } = replica
    if (this.#limits.replica !== null) replica.checkSource(wanted.currentLeaderEpoch)
    else if (this.#limits.anyReplica) replica.checkEpoch(wanted.currentLeaderEpoch)
    else replica.checkLeader(wanted.currentLeaderEpoch)
    if (this.#limits.replica !== null) return this.#readForReplica(replica, this.#limits.replica, wanted, result, left)
    result.logStartOffset = log.logStartOffset
    result.highWatermark = replica.highWatermark
    result.lastStableOffset = replica.lastStableOffset
    if (wanted.lastFetchedEpoch >= 0) {
      result.diverging = replica.divergence(wanted.lastFetchedEpoch, wanted.fetchOffset)
      if (result.diverging !== null) return none
    }
    // Also an empty answer must say when the offset is out of range.
    if (wanted.fetchOffset < log.logStartOffset || wanted.fetchOffset > log.logEndOffset)
      // A follower may not have got so far yet.
      throw new KafkaError(
        replica.isLeader || wanted.fetchOffset < log.logStartOffset ? 'OFFSET_OUT_OF_RANGE' : 'OFFSET_NOT_AVAILABLE',
      )
    if (this.#limits.nearer !== null && replica.isLeader) {
      result.preferredReadReplica = this.#limits.nearer(replica, wanted.fetchOffset)
      if (result.preferredReadReplica >= 0) return none
    }
    if (left <= 0 || wanted.fetchOffset >= replica.highWatermark) return none
    return replica.read(wanted.fetchOffset, Math.min(wanted.maxBytes, left))
  }

  /** Only a fetch whose log is a prefix of ours says what the follower has (KIP-320, KIP-595). */
  #readForReplica(
    partition: Partition,
    replica: ReplicaFetch,
    wanted: FetchPartition,
    result: FetchResult,
    left: number,
  ): Uint8Array[] | Promise<Uint8Array[]> {
    const { lastFetchedEpoch, fetchOffset, maxBytes } = wanted
    const { log } = partition
    // Without a high watermark an answer says nothing of the follower's log either.
    if (!partition.isVerified) {
      this.#unready = true
      return none
    }
    result.logStartOffset = log.logStartOffset
    result.highWatermark = partition.highWatermark
    if (lastFetchedEpoch >= 0) {
      result.diverging = partition.divergence(lastFetchedEpoch, fetchOffset)
      if (result.diverging !== null) return none
    }
    if (fetchOffset < log.logStartOffset || fetchOffset > log.logEndOffset) throw new KafkaError('OFFSET_OUT_OF_RANGE')
    if (!this.#counted) {
      partition.replicaHas(replica, fetchOffset, wanted.downstream ?? [])
      if (wanted.fresh) partition.replicaStartsAt(replica.replicaId, wanted.logStartOffset)
      wanted.downstream = null
      wanted.fresh = false
    }
    result.highWatermark = partition.highWatermark
    result.lastStableOffset = partition.lastStableOffset
    if (left <= 0 || fetchOffset >= log.logEndOffset) return none
    const { moves } = this.#limits
    if (moves === null || !partition.isMoving(replica.replicaId))
      return partition.readForReplica(fetchOffset, Math.min(maxBytes, left))
    const restMs = moves.bucket.restMs()
    if (restMs > 0) {
      this.#restMs = Math.max(1, restMs)
      return none
    }
    const read = partition.readForReplica(fetchOffset, Math.min(maxBytes, left))
    const spend = (views: Uint8Array[]): Uint8Array[] => {
      for (const { length } of views) moves.bucket.spend(length)
      return views
    }
    return read instanceof Promise ? read.then(spend) : spend(read)
  }

  #refused(result: FetchResult, error: unknown): void {
    result.error = asStorageError(error)
  }
}

/** Our log starts later than the follower was told: records were deleted. */
function isAhead({ wanted, logStartOffset }: FetchResult): boolean {
  return wanted.toldLogStartOffset >= 0 && logStartOffset > wanted.toldLogStartOffset
}

/** Keeps what was read unless its first batch breaks the limit over all partitions, which only the first may. */
function take(result: FetchResult, records: Uint8Array[], left: number, first: boolean): void {
  let bytes = 0
  for (const chunk of records) bytes += chunk.length
  result.lent = records
  if (bytes > left && !first) return
  result.records = records
  result.bytes = bytes
}

function emptyResult(wanted: FetchPartition): FetchResult {
  return {
    wanted,
    error: null,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    diverging: null,
    preferredReadReplica: -1,
    records: none,
    bytes: 0,
    lent: none,
  }
}
