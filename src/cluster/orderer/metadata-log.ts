import { Log } from '../../log/log.ts'
import { defaultLogConfig, type LogConfig, storeOptions } from '../../log/log-config.ts'
import type { LogObserver } from '../../log/log-types.ts'
import type { Store, Volume } from '../../store/store.ts'
import type { Logger } from '../../world/logger.ts'
import type { World } from '../../world/world.ts'
import { type MetadataBatch, readMetadataBatches } from './batches.ts'
import { parseQuorumState, printQuorumState, type QuorumState, quorumStateName } from './quorum-state.ts'
import { decodeSnapshot, type Snapshot, type SnapshotId, snapshotIds, snapshotName } from './snapshot.ts'

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

/** What an operator can do whose node has lost its copy. */
export const lostMetadataHelp =
  'restore that folder from a copy; or, where other nodes of the cluster have theirs, move the data directory away and ' +
  'start this node with an empty one and --join <another node>'

const readBytes = 1024 * 1024

/** Writes, one after another. */
class Sequence {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(write: () => Promise<T>): Promise<T> {
    const done = this.#last.then(write)
    this.#last = done.catch(() => {})
    return done
  }

  async settled(): Promise<void> {
    await this.#last
  }
}

export interface MetadataLogOptions {
  readonly volume: Volume
  readonly world: Pick<World, 'clock' | 'timers' | 'random'>
  readonly logger: Logger
}

/** This node's copy of the metadata log with its snapshots and `quorum-state`: Kafka's files, in `__cluster_metadata-0`. */
export class MetadataLog {
  readonly #store: Store
  readonly #log: Log
  readonly #logger: Logger
  /** The newest first. */
  #snapshots: readonly SnapshotId[]
  #startEpochAt = -1
  #startEpoch = 0
  readonly #states = new Sequence()
  readonly #files = new Sequence()

  constructor({ volume, world, logger }: MetadataLogOptions, observer: LogObserver) {
    this.#logger = logger
    this.#store = volume.open(metadataTopic, metadataTopicId, storeOptions(config, world.random))
    this.#log = Log.open(this.#store, metadataTopic, metadataTopicId, config, world, logger, {
      clean: volume.clean,
      logStartOffset: volume.logStartOffset(metadataTopic),
      startMoved: offset => volume.setLogStartOffset(metadataTopic, offset),
    })
    this.#log.observe(observer)
    this.#snapshots = snapshotIds(this.#store.names())
  }

  get startOffset(): number {
    return this.#log.logStartOffset
  }

  /** Leader epoch of the last record below the start; 0 when there is none, −1 when it is not known. */
  get startEpoch(): number {
    const { startOffset } = this
    if (this.#startEpochAt !== startOffset) {
      const known = this.#snapshots.find(({ endOffset }) => endOffset === startOffset)?.epoch
      this.#startEpoch = startOffset === 0 ? 0 : (known ?? -1)
      this.#startEpochAt = known === undefined && startOffset > 0 ? -1 : startOffset
    }
    return this.#startEpoch
  }

  get endOffset(): number {
    return this.#log.logEndOffset
  }

  get durableOffset(): number {
    return this.#log.durableOffset
  }

  get lastEpoch(): number {
    const { latestEpoch } = this.#log
    return latestEpoch >= 0 ? latestEpoch : Math.max(0, this.startEpoch)
  }

  /** The newest. */
  get snapshot(): SnapshotId | null {
    return this.#snapshots[0] ?? null
  }

  /** True when somebody has begun it. */
  get isBegun(): boolean {
    return this.endOffset > 0 || this.#snapshots.length > 0
  }

  /** The largest epoch ≤ `epoch` that is in the log, or lies right before it, and where it ends. */
  endOffsetFor(epoch: number): { readonly epoch: number; readonly endOffset: number } {
    const log = this.#log
    const first = log.epochForOffset(log.logStartOffset)
    if (first < 0 || epoch < first) return { epoch: Math.max(0, this.startEpoch), endOffset: log.logStartOffset }
    return log.endOffsetForEpoch(Math.min(epoch, log.latestEpoch))
  }

  epochAt(offset: number): number {
    return this.#log.epochForOffset(offset)
  }

  /** Appends one batch, or several, of our own; returns the log's new end. */
  append(batches: Uint8Array, leaderEpoch: number, now: number): number {
    return this.#log.append(batches, { leaderEpoch, now, origin: 'coordinator' }).lastOffset + 1
  }

  /** Appends batches of the leader, with its offsets and epochs. */
  appendFetched(batches: Uint8Array, now: number): void {
    this.#log.append(batches, { leaderEpoch: -1, now, origin: 'replication' })
  }

  /** See `Log.read`. */
  read(from: number, maxBytes: number, upTo?: number): Uint8Array[] | Promise<Uint8Array[]> {
    return this.#log.read(from, maxBytes, upTo)
  }

  /** Whole batches from `from` on, up to `upTo`. Rejects when they are damaged or not there. */
  async *batches(from: number, upTo: number): AsyncGenerator<MetadataBatch> {
    let at = Math.max(from, this.startOffset)
    while (at < upTo) {
      const before = at
      for (const chunk of await this.#log.read(at, readBytes, upTo)) {
        for (const batch of readMetadataBatches(chunk)) {
          at = batch.endOffset
          if (at > from) yield batch
        }
      }
      if (at === before) throw new Error(`the metadata log has nothing at offset ${at}, before its end`)
    }
  }

  truncate(to: number): Promise<void> {
    return this.#log.truncateTo(to)
  }

  /**
   * What a crash has left is safe, and fits together, when fulfilled. Rejects when bytes below what had been safe are
   * damaged.
   */
  async recover(): Promise<void> {
    const { damage } = this.#store
    if (damage !== null) {
      throw new Error(
        `the metadata log of this node, the folder __cluster_metadata-0, is damaged at offset ${damage.offset}: ` +
          lostMetadataHelp,
      )
    }
    // What is in the page cache only must not be shown to anybody.
    if (this.#store.durableOffset < this.#store.endOffset) await this.#store.sync()
  }

  /** The newest snapshot that is whole; null when there is none, and the log has everything. Rejects when neither is so. */
  async loadSnapshot(): Promise<{ readonly id: SnapshotId; readonly snapshot: Snapshot } | null> {
    for (const id of this.#snapshots) {
      if (id.endOffset < this.startOffset) break
      const snapshot = this.#readSnapshot(id)
      if (snapshot === null) continue
      // One that came from the leader was kept, and then there was no time to let the log begin behind it.
      const contradicts = this.endOffset > id.endOffset && this.epochAt(id.endOffset - 1) !== id.epoch
      const knowsBefore = this.startOffset < id.endOffset
      if (this.endOffset < id.endOffset || (knowsBefore && contradicts)) await this.#log.resetTo(id.endOffset)
      return { id, snapshot }
    }
    if (this.startOffset === 0 && this.#snapshots.length === 0) return null
    throw new Error(
      `the metadata of this node, the folder __cluster_metadata-0, cannot be read: its log begins at offset ` +
        `${this.startOffset}, and no snapshot before it is whole: ${lostMetadataHelp}`,
    )
  }

  /** The file of a snapshot, as it is. */
  snapshotFile(id: SnapshotId): Uint8Array | null {
    return this.#store.get(snapshotName(id))
  }

  /** A snapshot that was damaged goes, where the one before it can take its place. False: there is none. */
  dropSnapshot(id: SnapshotId): boolean {
    const others = this.#snapshots.filter(({ endOffset }) => endOffset !== id.endOffset)
    if (!others.some(({ endOffset }) => endOffset >= this.startOffset)) return false
    this.#logger.error('A snapshot of the metadata is damaged and goes; the one before it takes its place', { ...id })
    this.#snapshots = others
    this.#store.drop(snapshotName(id))
    return true
  }

  /** A snapshot is made: what lies before can go as a whole, one day. */
  roll(): void {
    this.#log.roll()
  }

  /**
   * Keeps a snapshot of ours, made at a time when everything below it was committed. The one before it stays, with the log
   * behind it.
   */
  async keepSnapshot(id: SnapshotId, bytes: Uint8Array): Promise<void> {
    await this.#files.run(() => this.#store.put(snapshotName(id), bytes))
    const [newest, former, ...old] = snapshotIds(this.#store.names())
    for (const gone of old) this.#store.drop(snapshotName(gone))
    this.#snapshots = former === undefined ? [newest!] : [newest!, former]
    if (former !== undefined && former.endOffset <= this.endOffset) this.#log.deleteRecordsBefore(former.endOffset)
  }

  /** Keeps a snapshot of the leader and lets the log begin behind it; durable when fulfilled. */
  async installSnapshot(id: SnapshotId, bytes: Uint8Array): Promise<void> {
    const before = this.#snapshots
    await this.#files.run(() => this.#store.put(snapshotName(id), bytes))
    await this.#log.resetTo(id.endOffset)
    for (const gone of before) if (gone.endOffset !== id.endOffset) this.#store.drop(snapshotName(gone))
    this.#snapshots = [id]
    this.#startEpochAt = -1
  }

  readQuorumState(): QuorumState | null {
    const file = this.#store.get(quorumStateName)
    return file === null ? null : parseQuorumState(new TextDecoder().decode(file))
  }

  /** Durable when fulfilled; one after another, in order. */
  writeQuorumState(state: QuorumState): Promise<void> {
    return this.#states.run(() => this.#store.put(quorumStateName, new TextEncoder().encode(printQuorumState(state))))
  }

  /** Small files of ours beside the log. */
  hasNote(name: string): boolean {
    return this.#store.get(name) !== null
  }

  note(name: string, text: string): Promise<void> {
    return this.#files.run(() => this.#store.put(name, new TextEncoder().encode(text)))
  }

  dropNote(name: string): void {
    this.#store.drop(name)
  }

  async close(): Promise<void> {
    await Promise.all([this.#states.settled(), this.#files.settled()])
    await this.#log.close()
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
}
