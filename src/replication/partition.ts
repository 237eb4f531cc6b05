import type { AppendResult, Log } from '../log/log.ts'
import { KafkaError } from '../protocol/errors.ts'
import { Line } from './line.ts'
import { type Done, Waiters } from './waiters.ts'

/** What the cluster decided about a partition (KIP-497, KIP-966), as far as its replicas must know it. */
export interface PartitionRole {
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

/** Topics that only coordinators write to. */
const internalTopics: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
])

export const isInternal = (topic: string): boolean => internalTopics.has(topic)

/** One replica of a partition on this node, and its part in replicating it. */
export class Partition {
  readonly topic: string
  readonly topicId: string
  readonly index: number
  readonly internal: boolean
  readonly log: Log
  readonly #node: number
  #role: PartitionRole
  #highWatermark: number
  readonly #written = new Waiters()
  readonly #committed = new Waiters()
  /** Fetches that wait for more. */
  readonly #watchers = new Line<() => void>()
  #closed: KafkaError | null = null

  /** `node`: our own id. */
  constructor(topic: string, topicId: string, index: number, log: Log, node: number, role: PartitionRole) {
    this.topic = topic
    this.topicId = topicId
    this.index = index
    this.internal = isInternal(topic)
    this.log = log
    this.#node = node
    this.#role = role
    // What a crash left in the page cache only is not committed before it is as safe as the topic asks for.
    this.#highWatermark = Math.max(log.flushedOffset, log.logStartOffset)
    log.observe({
      progress: () => this.#progress(),
      dropped: (from, error) => this.#dropped(from, error),
      failed: error => this.#dropped(-1, error),
    })
    this.#progress()
  }

  get leaderEpoch(): number {
    return this.#role.leaderEpoch
  }

  get role(): PartitionRole {
    return this.#role
  }

  /** Offset after the last committed record: what consumers may see. */
  get highWatermark(): number {
    return this.#highWatermark
  }

  /** Offset below which every transaction is decided. Without transactions the high watermark (KIP-98). */
  get lastStableOffset(): number {
    return this.#highWatermark
  }

  get isLeader(): boolean {
    return this.#role.leader === this.#node
  }

  setRole(role: PartitionRole): void {
    this.#role = role
    if (!this.isLeader) this.#fail(0, new KafkaError('NOT_LEADER_OR_FOLLOWER'))
  }

  /**
   * Throws what a client must hear before it may use this replica as the leader in `currentLeaderEpoch`
   * (−1: it does not know one; KIP-320).
   */
  checkLeader(currentLeaderEpoch = -1): void {
    if (this.#closed !== null) throw this.#closed
    if (currentLeaderEpoch !== -1) {
      if (currentLeaderEpoch < this.#role.leaderEpoch) throw new KafkaError('FENCED_LEADER_EPOCH')
      if (currentLeaderEpoch > this.#role.leaderEpoch) throw new KafkaError('UNKNOWN_LEADER_EPOCH')
    }
    if (!this.isLeader) throw new KafkaError('NOT_LEADER_OR_FOLLOWER')
  }

  /**
   * Appends batches as they came from a client; throws KafkaError and then nothing was appended. The acknowledgement is
   * a second step: `whenWritten` for acks=1, `whenCommitted` for acks=all.
   */
  append(bytes: Uint8Array, acks: number, now: number, origin: 'client' | 'coordinator' = 'client'): AppendResult {
    this.checkLeader()
    const minIsr = this.log.config.minInsyncReplicas
    if (acks === -1 && this.#role.isr.length < minIsr)
      throw new KafkaError(
        'NOT_ENOUGH_REPLICAS',
        `${this.#role.isr.length} in-sync replicas; min.insync.replicas is ${minIsr}`,
      )
    return this.log.append(bytes, { leaderEpoch: this.#role.leaderEpoch, now, origin })
  }

  /** `done` when everything below `offset` is in the leader's page cache. */
  whenWritten(offset: number, done: Done): void {
    this.#when(this.#written, this.log.writtenOffset, offset, done)
  }

  /** `done` when everything below `offset` is committed: as durable as the topic's `flush` asks for. */
  whenCommitted(offset: number, done: Done): void {
    this.#when(this.#committed, this.#highWatermark, offset, done)
  }

  #when(waiters: Waiters, reached: number, offset: number, done: Done): void {
    if (this.#closed !== null) done(this.#closed)
    else if (offset <= reached) done(null)
    else waiters.add(offset, done)
  }

  /** Committed batches from the one that holds `from`; see `Log.read`. Rejects with KafkaError. */
  read(from: number, maxBytes: number): Uint8Array[] | Promise<Uint8Array[]> {
    const read = this.log.read(from, maxBytes, this.#highWatermark)
    return read instanceof Promise ? read.catch(error => this.#readFailed(error)) : read
  }

  /** While the disk was read, the head may have been let go, or everything. */
  #readFailed(error: unknown): never {
    if (this.#closed !== null) throw this.#closed
    if (error instanceof RangeError) throw new KafkaError('OFFSET_OUT_OF_RANGE')
    // EIO, EMFILE: bad for this partition, not for the others of a request.
    if (typeof (error as { code?: unknown }).code === 'string' && !(error instanceof KafkaError))
      throw new KafkaError('KAFKA_STORAGE_ERROR', (error as Error).message)
    throw error
  }

  /** Lets the head go up to `offset` (−1: all that is committed); returns the first offset that is left (KIP-107). */
  async deleteRecords(offset: number): Promise<number> {
    this.checkLeader()
    if (!this.log.config.delete && !this.internal)
      throw new KafkaError('POLICY_VIOLATION', 'records can be deleted only where cleanup.policy contains delete')
    const target = offset === -1 ? this.#highWatermark : offset
    if (target < 0 || target > this.#highWatermark) throw new KafkaError('OFFSET_OUT_OF_RANGE')
    await this.log.deleteRecordsBefore(target)
    this.#wake()
    return this.log.logStartOffset
  }

  /**
   * `wake` at every change of what can be read, also when the partition goes away. It must only take note. Returns what
   * ends it.
   */
  watch(wake: () => void): () => void {
    const place = this.#watchers.add(wake)
    return () => this.#watchers.leave(place)
  }

  #progress(): void {
    const log = this.log
    this.#written.reached(log.writtenOffset)
    const committed = log.flushedOffset
    if (committed <= this.#highWatermark) return
    this.#highWatermark = committed
    this.#committed.reached(committed)
    this.#wake()
  }

  #dropped(from: number, error: Error): void {
    this.#fail(from, new KafkaError('KAFKA_STORAGE_ERROR', error.message))
  }

  #fail(from: number, error: KafkaError): void {
    this.#written.fail(from, error)
    this.#committed.fail(from, error)
    this.#wake()
  }

  #wake(): void {
    this.#watchers.each(wake => wake())
  }

  /** The partition is deleted or the node stops: everybody who waits is told. */
  close(reason: KafkaError): void {
    this.#closed = reason
    this.#fail(-1, reason)
  }
}
