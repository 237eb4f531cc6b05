import type { AppendContext, AppendResult } from '../log/appender.ts'
import type { EpochEndOffset } from '../log/leader-epochs.ts'
import type { Log } from '../log/log.ts'
import { KafkaError } from '../protocol/errors.ts'
import { asStorageError } from '../store/disk-error.ts'
import { RottenLog } from '../store/rotten-log.ts'
import { Damage } from './damage.ts'
import { isInternal } from './internal-topics.ts'
import { Leadership, type Surroundings } from './leadership.ts'
import { Line } from './line.ts'
import { Relay, type ReplicaReport } from './relay.ts'
import { enoughInSync, isAlone, type PartitionRole } from './role.ts'
import { type Done, Waiters } from './waiters.ts'

export type { PartitionRole } from './role.ts'

export interface PartitionOptions {
  /** Needed as soon as there are other replicas. */
  readonly around?: Surroundings | undefined
  /** As it was noted last: what a replica among others may take for committed after a start. */
  readonly highWatermark?: number
}

/** Who copies: a follower, by the process that it is. */
export interface ReplicaFetch {
  readonly replicaId: number
  readonly brokerEpoch: number
}

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
  readonly #around: Surroundings | undefined
  /** While we lead and there are other replicas. */
  #leadership: Leadership | null = null
  /** While we stand in the middle of a chain. */
  #relay: Relay | null = null
  /** The epoch in which whom we copy from has found our log a prefix of its own. */
  #verifiedIn = -1
  /** Hears that there is more to report. */
  onReport: (() => void) | null = null
  readonly #written = new Waiters()
  readonly #committed = new Waiters()
  /** Those for whom `min.insync.replicas` is part of the promise. Null as long as nobody else has a copy. */
  #acknowledged: Waiters | null = null
  /** Those who wait for our own copy alone. */
  #flushed: Waiters | null = null
  /** Fetches that wait for more. */
  readonly #watchers = new Line<() => void>()
  /** Followers' fetches: they may read what is not committed. */
  #copiers: Line<() => void> | null = null
  #toldEnd = 0
  readonly #damage: Damage
  /** The disk had no room for what was appended here; −1: it has. */
  #noRoomAt = -1
  #closed: KafkaError | null = null

  /** `node`: our own id. */
  constructor(
    topic: string,
    topicId: string,
    index: number,
    log: Log,
    node: number,
    role: PartitionRole,
    { around, highWatermark = 0 }: PartitionOptions = {},
  ) {
    this.topic = topic
    this.topicId = topicId
    this.index = index
    this.internal = isInternal(topic)
    this.log = log
    this.#node = node
    this.#role = role
    this.#around = around
    this.#damage = new Damage(log)
    // What a crash left in the page cache only is not committed before it is as safe as the topic asks for; and where there
    // are other replicas, no more is known to be committed than was noted.
    const known = isAlone(role, node) ? log.flushedOffset : Math.min(highWatermark, log.flushedOffset)
    this.#highWatermark = Math.max(known, log.logStartOffset)
    log.observe({
      progress: () => this.#progress(),
      dropped: (from, error) => this.#dropped(from, error),
      failed: error => this.#dropped(-1, error),
    })
    this.#takePart(null)
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

  /** What we know of our followers; null unless we lead some. */
  get leadership(): Leadership | null {
    return this.#leadership
  }

  /** What the cluster decided. Decisions that are older than what we know are passed over. */
  setRole(role: PartitionRole): void {
    const before = this.#role
    if (role.partitionEpoch < before.partitionEpoch) return
    this.#role = role
    this.#takePart(before)
    if (!this.isLeader) this.#fail(0, new KafkaError('NOT_LEADER_OR_FOLLOWER'))
    this.#progress()
  }

  #takePart(before: PartitionRole | null): void {
    const role = this.#role
    const newTerm = before === null || before.leaderEpoch !== role.leaderEpoch
    if (newTerm) {
      this.#relay = null
      this.#noRoomAt = -1
    }
    if (newTerm) this.#flushed?.fail(0, new KafkaError('NOT_LEADER_OR_FOLLOWER'))
    if (!this.isLeader || isAlone(role, this.#node)) {
      this.#leadership?.end()
      this.#leadership = null
    } else if (newTerm || this.#leadership === null) {
      this.#leadership?.end()
      this.#leadership = this.#lead(role)
      if (this.damagedAt !== null) this.#leadership.check()
    } else {
      this.#leadership.changed(role)
    }
    const leadership = this.#leadership
    if (leadership !== null && leadership.isr.length < leadership.minIsr)
      this.#acknowledged?.fail(0, new KafkaError('NOT_ENOUGH_REPLICAS_AFTER_APPEND'))
  }

  #lead(role: PartitionRole): Leadership {
    if (this.#around === undefined) throw new Error(`${this.topic}-${this.index} has replicas, and no surroundings`)
    const former = this.#leadership
    return new Leadership(this, this.#around, role, this.#startOfTerm(role.leaderEpoch), former)
  }

  /** What the disk has lost of one log must not keep its node from hearing what else was decided. */
  #startOfTerm(leaderEpoch: number): number {
    try {
      return this.log.startOfEpoch(leaderEpoch)
    } catch (error) {
      const { message } = asStorageError(error)
      if (error instanceof RottenLog) this.#damage.found(error.offset)
      const fields = { topic: this.topic, partition: this.index, leaderEpoch, error: message }
      this.#around?.warn('the log’s epochs could not be read', fields)
      return this.log.logEndOffset
    }
  }

  /** For our leadership: the controller has committed this ISR. */
  isrChanged(isr: readonly number[], partitionEpoch: number): void {
    // Who is eligible besides is known when the metadata says so; also whether who was added counts as a replica now: until
    // then it does, or we would need fewer for the next smaller ISR than the controller does.
    const addingReplicas = this.#role.addingReplicas?.filter(id => !isr.includes(id)) ?? []
    this.setRole({ ...this.#role, isr, addingReplicas, eligibleLeaderReplicas: [], partitionEpoch })
  }

  /** Our own id. */
  get node(): number {
    return this.#node
  }

  /**
   * Throws what a client must hear before it may use this replica as the leader in `currentLeaderEpoch`
   * (−1: it does not know one; KIP-320).
   */
  checkLeader(currentLeaderEpoch = -1): void {
    this.checkEpoch(currentLeaderEpoch)
    if (!this.isLeader) throw new KafkaError('NOT_LEADER_OR_FOLLOWER')
  }

  /** As `checkLeader`, where any replica will do: consumers may read from followers, too (KIP-392). */
  checkEpoch(currentLeaderEpoch: number): void {
    if (this.#closed !== null) throw this.#closed
    // Our log ends where the damage begins. Others have all of it, and one of them leads in a moment.
    if (this.log.damage !== null && this.#leadership !== null && this.#role.isr.length > 1)
      throw new KafkaError('KAFKA_STORAGE_ERROR', 'the copy of the leader is damaged')
    if (currentLeaderEpoch === -1) return
    if (currentLeaderEpoch < this.#role.leaderEpoch) throw new KafkaError('FENCED_LEADER_EPOCH')
    if (currentLeaderEpoch > this.#role.leaderEpoch) throw new KafkaError('UNKNOWN_LEADER_EPOCH')
  }

  /**
   * Throws OFFSET_NOT_AVAILABLE while a new leader does not know yet how much is committed: it may be less than others
   * have been told (KIP-207).
   */
  mustKnowEnd(): void {
    if (this.#leadership !== null && this.#highWatermark < this.#leadership.epochStartOffset)
      throw new KafkaError('OFFSET_NOT_AVAILABLE')
  }

  /**
   * Appends batches as they came from a client; throws KafkaError and then nothing was appended. The acknowledgement is
   * a second step: `whenWritten` for acks=1, `whenCommitted` for acks=all.
   */
  append(bytes: Uint8Array, acks: number, now: number, origin: 'client' | 'coordinator' = 'client'): AppendResult {
    this.checkLeader()
    const minIsr = enoughInSync(this.log.config.minInsyncReplicas, this.#role)
    if (acks === -1 && this.#role.isr.length < minIsr)
      throw new KafkaError(
        'NOT_ENOUGH_REPLICAS',
        `${this.#role.isr.length} in-sync replicas; min.insync.replicas is ${minIsr}`,
      )
    return this.#append(bytes, { leaderEpoch: this.#role.leaderEpoch, now, origin })
  }

  /** `done` when everything below `offset` is in the leader's page cache. */
  whenWritten(offset: number, done: Done): void {
    this.#when(this.#written, this.log.writtenOffset, offset, done)
  }

  /** `done` when everything below `offset` is committed: as durable as the topic's `flush` asks for. */
  whenCommitted(offset: number, done: Done): void {
    this.#when(this.#committed, this.#highWatermark, offset, done)
  }

  /**
   * As `whenCommitted`, for who was promised `min.insync.replicas` copies: NOT_ENOUGH_REPLICAS_AFTER_APPEND as soon as
   * there are fewer in-sync replicas.
   */
  whenAcknowledged(offset: number, done: Done): void {
    const leadership = this.#leadership
    if (leadership === null) this.whenCommitted(offset, done)
    else if (leadership.isr.length < leadership.minIsr) done(new KafkaError('NOT_ENOUGH_REPLICAS_AFTER_APPEND'))
    else {
      this.#acknowledged ??= new Waiters()
      this.#when(this.#acknowledged, this.#highWatermark, offset, done)
    }
  }

  /** `done` when our own copy has everything below `offset` as safe as the topic's `flush` asks for. */
  whenFlushed(offset: number, done: Done): void {
    this.#flushed ??= new Waiters()
    this.#when(this.#flushed, this.log.flushedOffset, offset, done)
  }

  #when(waiters: Waiters, reached: number, offset: number, done: Done): void {
    if (this.#closed !== null) done(this.#closed)
    else if (offset <= reached) done(null)
    else waiters.add(offset, done)
  }

  /** Committed batches from the one that holds `from`; see `Log.read`. Rejects with KafkaError. */
  read(from: number, maxBytes: number): Uint8Array[] | Promise<Uint8Array[]> {
    const read = this.log.read(from, maxBytes, this.#highWatermark)
    if (!(read instanceof Promise)) return read
    const whole = this.#damage.forConsumer(read, from, isAlone(this.#role, this.#node))
    return whole.catch(error => this.#readFailed(error, from))
  }

  /** While the disk was read, the head may have been let go, or everything. */
  #readFailed(error: unknown, from: number): never {
    if (this.#closed !== null) throw this.#closed
    if (error instanceof RangeError) throw new KafkaError('OFFSET_OUT_OF_RANGE')
    if (error instanceof KafkaError && error.errorName === 'CORRUPT_MESSAGE') {
      this.foundRotten(from)
      throw new KafkaError('KAFKA_STORAGE_ERROR', error.message)
    }
    // EIO, EMFILE: bad for this partition, not for the others of a request.
    if (typeof (error as { code?: unknown }).code === 'string' && !(error instanceof KafkaError))
      throw new KafkaError('KAFKA_STORAGE_ERROR', (error as Error).message)
    throw error
  }

  /**
   * As `read`, for a follower: up to where our log is written. What waits to be written is dropped when the disk has no room
   * for it, and its offsets are given again in this epoch: whoever had a copy of it would never be told that it is another.
   */
  readForReplica(from: number, maxBytes: number): Uint8Array[] | Promise<Uint8Array[]> {
    const read = this.log.read(from, maxBytes, this.log.writtenOffset)
    if (!(read instanceof Promise)) return read
    return this.#damage.forReplica(read).catch(error => this.#readFailed(error, from))
  }

  /**
   * Offset from which our copy is not what was written, or is gone (bit rot, a truncated file); null: it is whole. Who
   * leads with such a copy gives the lead up, who follows copies that part anew, as soon as nobody counts on it any more.
   */
  get damagedAt(): number | null {
    return this.#damage.at
  }

  /** Nobody takes us for in sync any more: drops what is damaged, so that it is copied anew. Fulfilled when that is durable. */
  async dropDamaged(leaderEpoch: number): Promise<void> {
    this.#mustFollow(leaderEpoch)
    const to = this.damagedAt
    if (to === null) return
    await this.#truncate(Math.max(to, this.log.logStartOffset))
    this.#damage.dropped()
  }

  /**
   * Where the largest of our epochs that is not above `epoch` ends (KIP-101, 279). We know all epochs up to our own: one in
   * which we have nothing ends where the one before it does.
   */
  endOffsetForEpoch(epoch: number): EpochEndOffset {
    const { log } = this
    if (epoch > this.#role.leaderEpoch || epoch < 0) return log.endOffsetForEpoch(-1)
    if (epoch === this.#role.leaderEpoch && this.isLeader) return { epoch, endOffset: log.logEndOffset }
    // All was let go, and whose it was with it.
    if (log.latestEpoch < 0 && log.logStartOffset === log.logEndOffset) return { epoch, endOffset: log.logEndOffset }
    return log.endOffsetForEpoch(Math.min(epoch, log.latestEpoch))
  }

  /** Where the log of a follower parts from ours, whose last batch is of `lastFetchedEpoch` and ends at `fetchOffset`; null: nowhere. */
  divergence(lastFetchedEpoch: number, fetchOffset: number): EpochEndOffset | null {
    const { latestEpoch, logStartOffset, logEndOffset } = this.log
    // We have nothing of any epoch: all that the follower has goes. Where all was let go, there is nothing to compare.
    if (latestEpoch < 0)
      return fetchOffset > logEndOffset || logStartOffset < logEndOffset ? { epoch: -1, endOffset: logEndOffset } : null
    const end = this.log.endOffsetForEpoch(Math.min(lastFetchedEpoch, latestEpoch))
    return end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset ? end : null
  }

  /** A copy that is being moved here: nobody waits for it, so it must not be in anybody's way. */
  isMoving(replicaId: number): boolean {
    const { isr, addingReplicas } = this.#role
    return addingReplicas?.includes(replicaId) === true && !isr.includes(replicaId)
  }

  /** Throws what a follower must hear that wants to copy from us: we lead, or stand in a chain. */
  checkSource(currentLeaderEpoch: number): void {
    this.checkEpoch(currentLeaderEpoch)
    // Our log ends where the damage begins: nobody shall cut his own there.
    if (this.log.damage !== null) throw new KafkaError('KAFKA_STORAGE_ERROR', 'the copy here is damaged')
    if (!this.isLeader && this.log.config.replicationTopology !== 'chain')
      throw new KafkaError('NOT_LEADER_OR_FOLLOWER')
  }

  /** Our log is that of this epoch's leader as far as it goes: only then does it say anything about the logs of others. */
  get isVerified(): boolean {
    return this.isLeader || this.#verifiedIn === this.#role.leaderEpoch
  }

  /**
   * A follower has everything below `endOffset`, and its log is a prefix of ours, which the caller has checked; `downstream`
   * is what it says of those behind it. Throws NOT_LEADER_OR_FOLLOWER for who is no replica here.
   */
  replicaHas(replica: ReplicaFetch, endOffset: number, downstream: readonly ReplicaReport[] = []): void {
    const { replicaId, brokerEpoch: replicaEpoch } = replica
    if (this.#leadership !== null) {
      this.#leadership.fetched(replicaId, replicaEpoch, endOffset)
      for (const report of downstream) this.#leadership.reported(report)
      this.#commit(this.#leadership.committed())
      return
    }
    if (!this.isVerified || !this.#role.replicas.includes(replicaId)) throw new KafkaError('NOT_LEADER_OR_FOLLOWER')
    this.#relay ??= new Relay(this.#role.leaderEpoch)
    let news = this.#relay.take({ replicaId, replicaEpoch, logEndOffset: endOffset })
    for (const report of downstream) news = this.#relay.take(report) || news
    if (news) this.onReport?.()
  }

  /** What those have that copy from us while we copy from another: it must know. */
  get reports(): readonly ReplicaReport[] {
    return this.#relay?.reports ?? []
  }

  /** Now and then, while we lead others: who does not keep up leaves the ISR, which may move the high watermark. */
  checkReplicas(): void {
    if (this.#leadership === null) return
    this.#leadership.check()
    this.#commit(this.#leadership.committed())
  }

  /** Appends what the replica gave that we copy; throws as `append`, and when that is not our leader's term any more. */
  appendFetched(bytes: Uint8Array, leaderEpoch: number, now: number): AppendResult {
    this.#mustFollow(leaderEpoch)
    return this.#append(bytes, { leaderEpoch, now, origin: 'replication' })
  }

  /** Who wrote what is read from the log, the first time: it may turn out to be damaged. */
  #append(bytes: Uint8Array, context: AppendContext): AppendResult {
    try {
      return this.log.append(bytes, context)
    } catch (error) {
      if (!(error instanceof RottenLog)) throw error
      this.foundRotten(error.offset)
      throw new KafkaError('KAFKA_STORAGE_ERROR', error.message)
    }
  }

  /** Somebody came upon bytes of our copy that are not what was written. */
  foundRotten(offset: number): void {
    this.#damage.found(offset)
    this.#leadership?.check()
  }

  /** What the replica that we copy said is committed, and where its log starts. */
  learnCommitted(leaderEpoch: number, highWatermark: number, logStartOffset: number): void {
    this.#mustFollow(leaderEpoch)
    const { log } = this
    if (this.#verifiedIn !== leaderEpoch) {
      this.#verifiedIn = leaderEpoch
      // Who copies from us has waited for that.
      this.#copiers?.each(wake => wake())
    }
    this.#commit(Math.min(highWatermark, log.logEndOffset))
    const start = Math.min(logStartOffset, this.#highWatermark)
    if (start > log.logStartOffset) log.deleteRecordsBefore(start)
  }

  /**
   * Our log parts from that of our leader: drops what the leader does not have. Fulfilled when that is durable. Returns
   * the offset from which records went, which lies below the high watermark after an unclean election only (KIP-966).
   */
  async truncateTo(leaderEpoch: number, divergence: EpochEndOffset): Promise<number> {
    this.#mustFollow(leaderEpoch)
    const to = Math.max(this.partsAt(divergence), this.log.logStartOffset)
    await this.#truncate(to)
    return to
  }

  async #truncate(to: number): Promise<void> {
    this.#cutAt(to)
    const cut = this.log.truncateTo(to)
    // Of a batch nothing stays, or all.
    this.#highWatermark = Math.min(this.#highWatermark, this.log.logEndOffset)
    await cut
  }

  /** The offset from which our log is not that of the leader who said so. */
  partsAt(divergence: EpochEndOffset): number {
    const own = this.log.endOffsetForEpoch(Math.min(divergence.epoch, this.log.latestEpoch))
    return own.endOffset < 0 ? divergence.endOffset : Math.min(own.endOffset, divergence.endOffset)
  }

  /** Our log is about to end at `to`: it proves nothing before it is compared again. */
  #cutAt(to: number): void {
    this.#verifiedIn = -1
    this.#relay = null
    this.#highWatermark = Math.min(this.#highWatermark, to)
    this.#toldEnd = Math.min(this.#toldEnd, to)
    this.#damage.cut(to)
  }

  /** Our log has nothing that our leader still has: begins anew at `offset`, durably. */
  async restartAt(leaderEpoch: number, offset: number): Promise<void> {
    this.#mustFollow(leaderEpoch)
    this.#verifiedIn = -1
    this.#relay = null
    this.#highWatermark = offset
    this.#toldEnd = 0
    this.#damage.cut(0)
    await this.log.resetTo(offset)
    this.#damage.dropped()
  }

  #mustFollow(leaderEpoch: number): void {
    if (this.#closed !== null) throw this.#closed
    if (this.isLeader || this.#role.leaderEpoch !== leaderEpoch) throw new KafkaError('NOT_LEADER_OR_FOLLOWER')
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
    this.#copiers?.each(wake => wake())
    return this.log.logStartOffset
  }

  /** The first offset that some in-sync replica still has (KIP-107). */
  get lowWatermark(): number {
    const { logStartOffset } = this.log
    return this.#leadership?.lowWatermark(logStartOffset) ?? logStartOffset
  }

  /** A follower's log starts there now. */
  replicaStartsAt(replicaId: number, logStartOffset: number): void {
    if (this.#leadership?.startsAt(replicaId, logStartOffset)) this.#wake()
  }

  /**
   * `wake` at every change of what can be read, also when the partition goes away. It must only take note. Returns what
   * ends it.
   */
  watch(wake: () => void): () => void {
    const place = this.#watchers.add(wake)
    return () => this.#watchers.leave(place)
  }

  /** As `watch`, at every change of what a follower can read. */
  watchEnd(wake: () => void): () => void {
    this.#copiers ??= new Line()
    const place = this.#copiers.add(wake)
    return () => this.#copiers?.leave(place)
  }

  get hasRoom(): boolean {
    return this.#noRoomAt === -1
  }

  #progress(): void {
    const log = this.log
    if (this.#noRoomAt >= 0 && log.writtenOffset > this.#noRoomAt) this.#noRoomAt = -1
    this.#written.reached(log.writtenOffset)
    this.#flushed?.reached(log.flushedOffset)
    if (this.#leadership !== null) this.#commit(this.#leadership.committed())
    else if (isAlone(this.#role, this.#node)) this.#commit(log.flushedOffset)
    if (this.#copiers === null || log.writtenOffset <= this.#toldEnd) return
    this.#toldEnd = log.writtenOffset
    this.#copiers.each(wake => wake())
  }

  #commit(offset: number): void {
    if (offset <= this.#highWatermark) return
    this.#highWatermark = offset
    this.#committed.reached(offset)
    this.#acknowledged?.reached(offset)
    this.#wake()
  }

  #dropped(from: number, error: Error): void {
    this.#toldEnd = Math.min(this.#toldEnd, Math.max(0, from))
    this.#flushed?.fail(from, error)
    this.#fail(from, new KafkaError('KAFKA_STORAGE_ERROR', error.message))
    if (from < 0) return
    this.#noRoomAt = from
    this.#leadership?.check()
  }

  #fail(from: number, error: KafkaError): void {
    this.#written.fail(from, error)
    this.#committed.fail(from, error)
    this.#acknowledged?.fail(from, error)
    this.#wake()
    this.#copiers?.each(wake => wake())
  }

  #wake(): void {
    this.#watchers.each(wake => wake())
  }

  /** The partition is deleted or the node stops: everybody who waits is told. */
  close(reason: KafkaError): void {
    this.#closed = reason
    this.#leadership?.end()
    this.#flushed?.fail(-1, reason)
    this.#fail(-1, reason)
  }
}
