import { Log } from '../../log/log.ts'
import { defaultLogConfig, type LogConfig, storeOptions } from '../../log/log-config.ts'
import { NotLeader, type OrderedLogListener } from '../../machine/machine.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import { isFull } from '../../store/disk-full.ts'
import type { Store, Volume } from '../../store/store.ts'
import type { Logger } from '../../world/logger.ts'
import type { World } from '../../world/world.ts'
import type { MetadataRecord } from '../records/records.ts'
import { type ControlRecord, controlBatch, type MetadataBatch, RecordEncoder, readMetadataBatches } from './batches.ts'
import type { Orderer, OrdererLeader, QuorumDescription, Voter } from './orderer.ts'
import { parseQuorumState, printQuorumState, quorumStateName } from './quorum-state.ts'
import {
  decodeSnapshot,
  encodeSnapshot,
  type QuorumFacts,
  type Snapshot,
  type SnapshotId,
  snapshotIds,
  snapshotName,
} from './snapshot.ts'
import { MetadataTransactions } from './transactions.ts'

export const metadataTopic = { topic: '__cluster_metadata', partition: 0 } as const
/** Kafka's fixed id of that topic. */
export const metadataTopicId = 'AAAAAAAAAAAAAAAAAAAAAQ'

const config: LogConfig = {
  ...defaultLogConfig,
  delete: false,
  flush: 'ack',
  maxMessageBytes: 64 * 1024 * 1024,
  messageTimestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
  retentionMs: -1,
}

const readBytes = 1024 * 1024
const defaultRetryMs = 1000

export interface LocalOrdererOptions {
  readonly volume: Volume
  readonly world: Pick<World, 'clock' | 'timers' | 'random'>
  readonly logger: Logger
  /** This node as the only voter. */
  readonly voter: Voter
  /** Stable storage can no longer be promised: the node must stop. */
  readonly failed: (error: Error) => void
  /** ms between attempts to lead again after the disk was full. */
  readonly retryMs?: number
}

interface Pending {
  readonly records: readonly MetadataRecord[]
  readonly end: number
  readonly timestamp: number
}

interface Starting {
  resolve(): void
  reject(error: Error): void
}

/**
 * The metadata log of a node that is alone: it leads as soon as it has started, in an epoch of its own, and a record is
 * committed when it is on stable storage (one sync serves all that wait). Files are Kafka's (KRaft): the log
 * `__cluster_metadata-0` with a LeaderChange record for each epoch, `quorum-state`, and snapshots. Close it before the
 * volume.
 */
export class LocalOrderer implements Orderer {
  readonly #options: LocalOrdererOptions
  readonly #logger: Logger
  readonly #store: Store
  readonly #log: Log
  #listener: OrderedLogListener<MetadataRecord> | null = null
  #encoder = new RecordEncoder()
  #quorum: QuorumFacts = { kraftVersion: 0, voters: [] }
  #epoch = 0
  #leading = false
  /** End of the LeaderChange record with which our lead begins once it is durable; −1: none is under way. */
  #leadFrom = -1
  #starting: Starting | null = null
  /** The log ends in the midst of a transaction of Kafka's. */
  #unfinished = false
  #closed = false
  #committed = 0
  #lastTimestamp = -1
  #pending: Pending[] = []
  #snapshotting: Promise<void> = Promise.resolve()

  constructor(options: LocalOrdererOptions) {
    const { volume, world, logger } = options
    this.#options = options
    this.#logger = logger
    this.#store = volume.open(metadataTopic, metadataTopicId, storeOptions(config, world.random))
    this.#log = Log.open(this.#store, metadataTopic, metadataTopicId, config, world, logger, {
      clean: volume.clean,
      logStartOffset: volume.logStartOffset(metadataTopic),
      startMoved: offset => volume.setLogStartOffset(metadataTopic, offset),
    })
    this.#log.observe({
      progress: () => this.#progress(),
      dropped: (_, error) => this.#dropped(error),
      failed: error => options.failed(error),
    })
  }

  follow(listener: OrderedLogListener<MetadataRecord>): void {
    this.#listener = listener
  }

  async start(): Promise<void> {
    await this.#replay()
    const led = new Promise<void>((resolve, reject) => {
      this.#starting = { resolve, reject }
    })
    // Where the election fails nobody comes to wait for it.
    led.catch(() => {})
    await this.#standForElection()
    await led
  }

  append(epoch: number, records: readonly MetadataRecord[], timestamp: number): number {
    if (!this.#leading || epoch !== this.#epoch) throw new NotLeader()
    const end = this.#write(this.#encoder.dataBatch(records, timestamp), timestamp)
    this.#pending.push({ records, end, timestamp })
    return end
  }

  /** The snapshot is written at once, kept when it is durable; the one before it stays, with the log behind it. */
  compact(upTo: number, snapshot: Iterable<MetadataRecord>): void {
    const epoch = this.#log.epochForOffset(upTo - 1)
    if (epoch < 0 || upTo > this.#committed || this.#closed) return
    const content = { ...this.#quorum, timestamp: this.#lastTimestamp, records: [...snapshot] }
    const bytes = encodeSnapshot(content, epoch, this.#options.world.clock.now())
    const id = { endOffset: upTo, epoch }
    // So that what lies before can go as a whole, one day.
    this.#log.roll()
    this.#snapshotting = this.#snapshotting
      .then(() => this.#keepSnapshot(id, bytes))
      // The log is still whole: the next snapshot tries again.
      .catch(error => this.#logger.warn('The snapshot of the metadata could not be written', { ...id, error }))
  }

  describe(): QuorumDescription {
    return {
      leaderId: this.#leading ? this.#options.voter.id : -1,
      leaderEpoch: this.#epoch,
      highWatermark: this.#committed,
      logEndOffset: this.#log.logEndOffset,
      voters: this.#quorum.voters.map(voter => ({
        ...voter,
        logEndOffset: this.#log.logEndOffset,
        lastFetchTimestamp: -1,
        lastCaughtUpTimestamp: -1,
      })),
      observers: [],
    }
  }

  leader(): OrdererLeader | null {
    return this.#leading ? { id: this.#options.voter.id, epoch: this.#epoch } : null
  }

  onLeader(): () => void {
    return () => {}
  }

  async resign(): Promise<void> {}

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#leading = false
    this.#starting?.reject(new Error('the node is closing'))
    await this.#snapshotting
    await this.#log.close()
  }

  /** Appends one batch, or several; returns the log's new end. */
  #write(batches: Uint8Array, now: number): number {
    return this.#log.append(batches, { leaderEpoch: this.#epoch, now, origin: 'coordinator' }).lastOffset + 1
  }

  /** The newest snapshot that is whole, then the log behind it. */
  async #replay(): Promise<void> {
    const { damage } = this.#store
    if (damage !== null) {
      throw new Error(
        `the metadata log of this node is damaged at offset ${damage.offset}; restore the folder __cluster_metadata-0 ` +
          'from a copy',
      )
    }
    // What a crash has left in the page cache only must not be shown to anybody before it is safe.
    if (this.#store.durableOffset < this.#store.endOffset) await this.#store.sync()
    this.#encoder = new RecordEncoder()
    // What others have begun says itself by what rules; without a word about it, voters stand in configuration files.
    const begun = this.#log.logEndOffset > 0 || snapshotIds(this.#store.names()).length > 0
    this.#quorum = begun ? { kraftVersion: 0, voters: [] } : { kraftVersion: 1, voters: [this.#options.voter] }
    const from = await this.#loadSnapshot()
    const transactions = new MetadataTransactions()
    for await (const batch of this.#batches(from)) {
      for (const control of batch.control) this.#learn(control)
      for (const record of batch.records) this.#encoder.follow(record)
      this.#committed = batch.endOffset
      this.#lastTimestamp = batch.timestamp
      const records = transactions.release(batch.records)
      if (records.length > 0) this.#listener?.commit(records, batch.endOffset, batch.timestamp)
    }
    this.#unfinished = transactions.open
    checkVoters(this.#quorum, this.#options.voter)
  }

  /** Returns the offset from which on the log is read. */
  async #loadSnapshot(): Promise<number> {
    const ids = snapshotIds(this.#store.names())
    for (const id of ids) {
      if (id.endOffset < this.#log.logStartOffset) break
      const snapshot = this.#readSnapshot(id)
      if (snapshot === null) continue
      this.#quorum = { kraftVersion: snapshot.kraftVersion, voters: snapshot.voters }
      this.#epoch = id.epoch
      this.#committed = id.endOffset
      this.#lastTimestamp = snapshot.timestamp
      for (const record of snapshot.records) this.#encoder.follow(record)
      if (this.#log.logEndOffset < id.endOffset) await this.#log.resetTo(id.endOffset)
      this.#listener?.load(snapshot.records, id.endOffset)
      return id.endOffset
    }
    if (this.#log.logStartOffset > 0 || ids.length > 0) {
      throw new Error(
        `the metadata of this node cannot be read: its log begins at offset ${this.#log.logStartOffset}, and no ` +
          'snapshot before it is whole; restore the folder __cluster_metadata-0 from a copy',
      )
    }
    this.#listener?.load([], 0)
    return 0
  }

  #readSnapshot(id: SnapshotId): Snapshot | null {
    const name = snapshotName(id)
    try {
      return decodeSnapshot(this.#store.get(name) ?? new Uint8Array())
    } catch (error) {
      this.#logger.error('A snapshot of the metadata cannot be read; the one before it is tried', { name, error })
      return null
    }
  }

  async *#batches(from: number): AsyncGenerator<MetadataBatch> {
    let at = Math.max(from, this.#log.logStartOffset)
    while (at < this.#log.logEndOffset) {
      const before = at
      for (const chunk of await this.#log.read(at, readBytes)) {
        for (const batch of readMetadataBatches(chunk)) {
          at = batch.endOffset
          if (at > from) yield batch
        }
      }
      if (at === before) throw new Error(`the metadata log has nothing at offset ${at}, before its end`)
    }
  }

  #learn(control: ControlRecord): void {
    if (control.type === 'kraftVersion') this.#quorum = { ...this.#quorum, kraftVersion: control.kraftVersion }
    if (control.type === 'voters') this.#quorum = { ...this.#quorum, voters: control.voters }
  }

  /** A new epoch, durable before anybody sees it, and its first record: when that is durable we lead. */
  async #standForElection(): Promise<void> {
    const { id } = this.#options.voter
    const file = this.#store.get(quorumStateName)
    const former = file === null ? null : parseQuorumState(new TextDecoder().decode(file))
    const voterIds = this.#quorum.kraftVersion === 0 ? (former?.voterIds ?? [id]) : null
    if (voterIds !== null && voterIds.join() !== String(id)) throw otherVoters(voterIds.join(', '), String(id))
    this.#epoch = Math.max(this.#epoch, former?.leaderEpoch ?? 0, this.#log.latestEpoch) + 1
    const state = { leaderId: id, leaderEpoch: this.#epoch, votedId: -1, votedDirectoryId: ZERO_UUID, voterIds }
    await this.#store.put(quorumStateName, new TextEncoder().encode(printQuorumState(state)))
    if (this.#closed) return
    this.#leadFrom = this.#appendLeaderChange()
    this.#progress()
  }

  #appendLeaderChange(): number {
    const { world, voter } = this.#options
    const now = world.clock.now()
    const control: ControlRecord[] = [{ type: 'leaderChange', leaderId: voter.id, voterIds: [voter.id] }]
    if (this.#log.logEndOffset === 0 && this.#quorum.kraftVersion > 0) {
      control.push({ type: 'kraftVersion', kraftVersion: this.#quorum.kraftVersion })
      control.push({ type: 'voters', voters: this.#quorum.voters })
    }
    const end = this.#write(controlBatch(control, now), now)
    if (!this.#unfinished) return end
    this.#unfinished = false
    const abort = { type: 'AbortTransactionRecord', reason: 'The controller that began it is gone.' } as const
    return this.#write(this.#encoder.dataBatch([abort], now), now)
  }

  #progress(): void {
    if (this.#closed) return
    const durable = this.#log.durableOffset
    if (this.#leadFrom >= 0 && durable >= this.#leadFrom) {
      this.#committed = this.#leadFrom
      this.#leadFrom = -1
      this.#leading = true
      this.#listener?.lead(this.#epoch)
      this.#starting?.resolve()
      this.#starting = null
    }
    for (let next = this.#pending[0]; next !== undefined && next.end <= durable; next = this.#pending[0]) {
      this.#pending.shift()
      this.#committed = next.end
      this.#lastTimestamp = next.timestamp
      this.#listener?.commit(next.records, next.end, next.timestamp)
    }
  }

  /** The disk was full and what waited is gone: nobody can go on from facts that are not there any more. */
  #dropped(error: Error): void {
    if (this.#closed) return
    const led = this.#leading
    this.#leading = false
    this.#leadFrom = -1
    this.#pending = []
    if (led) this.#listener?.lead(null)
    if (this.#starting !== null) this.#starting.reject(error)
    else this.#tryAgainLater()
  }

  #tryAgainLater(): void {
    this.#options.world.timers.after(this.#options.retryMs ?? defaultRetryMs, () => {
      if (this.#closed) return
      this.#replay()
        .then(() => this.#standForElection())
        .catch(error => {
          if (this.#closed) return
          if (isFull(error)) this.#tryAgainLater()
          else this.#options.failed(error)
        })
    })
  }

  async #keepSnapshot(id: SnapshotId, bytes: Uint8Array): Promise<void> {
    await this.#store.put(snapshotName(id), bytes)
    if (this.#closed) return
    const [, former, ...old] = snapshotIds(this.#store.names())
    for (const gone of old) this.#store.drop(snapshotName(gone))
    if (former !== undefined) this.#log.deleteRecordsBefore(former.endOffset)
  }
}

/** A log about which others vote must not be continued alone. */
function checkVoters({ kraftVersion, voters }: QuorumFacts, { id, directoryId }: Voter): void {
  if (kraftVersion === 0 || voters.length === 0) return
  const [first] = voters
  if (voters.length === 1 && first!.id === id && first!.directoryId === directoryId) return
  const print = (voter: { id: number; directoryId: string }) => `${voter.id} (directory ${voter.directoryId})`
  throw otherVoters(voters.map(print).join(', '), print({ id, directoryId }))
}

function otherVoters(theirs: string, ours: string): Error {
  return new Error(
    `the metadata in this directory belongs to a quorum of the nodes ${theirs}; node ${ours} cannot go on with it alone`,
  )
}
