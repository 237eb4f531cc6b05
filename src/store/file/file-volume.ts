import { KafkaError } from '../../protocol/errors.ts'
import type { Logger } from '../../world/logger.ts'
import type { Lock, World } from '../../world/world.ts'
import { Blocks } from '../blocks.ts'
import type { StoreOptions, TopicPartition, Volume } from '../store.ts'
import { brokerEpochIn, cleanMark, topicIdIn } from './checkpoints.ts'
import type { VolumeContext } from './context.ts'
import { FileStore } from './file-store.ts'
import { missingFolders, parentOf, removeFolder } from './folders.ts'
import { Handles } from './handles.ts'
import {
  checkFileName,
  cleanMarkName,
  departedDirectoryName,
  directoryName,
  distrustName,
  isDeletedDirectory,
  keyOf,
  lockName,
  partitionIn,
  partitionMetadataName,
} from './names.ts'
import { Progress } from './progress.ts'
import { SyncSlots } from './sync-slots.ts'
import { TailCache, type TailCacheStats } from './tail-cache.ts'
import { VolumeCheckpoints } from './volume-checkpoints.ts'

export interface FileVolumeOptions {
  /** Memory for recent batches of all partitions. Default 32 MiB. */
  readonly tailBytes?: number
  /** Bytes of recent batches of one partition. Default: half of `tailBytes`. */
  readonly tailPartitionBytes?: number
  /** Files kept open. Default 512. */
  readonly openFiles?: number
  /** Bytes of one partition that are written without waiting for the end of the turn. Default 4 MiB. */
  readonly writeAtOnceBytes?: number
  /** Syncs under way at once; each holds a thread of Node's pool (four, unless told otherwise). Default 3. */
  readonly concurrentSyncs?: number
}

type VolumeWorld = Pick<World, 'clock' | 'timers' | 'random' | 'disk'>

const closingAtOnce = 64

/** Another process, or another volume of this one, has the directory. */
export class VolumeInUseError extends Error {
  readonly code = 'ELOCKED'

  constructor(root: string) {
    super(`${root} is in use by another broker. Stop it, or choose another directory`)
    this.name = 'VolumeInUseError'
  }
}

interface Known {
  readonly topicPartition: TopicPartition
  /** Undefined: not read yet; null: there is none. */
  topicId: string | null | undefined
  /** The folder is there, or may be. */
  onDisk: boolean
  store: FileStore | null
}

/** A directory in Apache Kafka's own format: either of us opens what the other has written. */
export class FileVolume implements Volume {
  readonly shared = false
  readonly clean: boolean
  readonly previousBrokerEpoch: number
  readonly #context: VolumeContext
  readonly #lock: Lock
  readonly #known = new Map<string, Known>()
  readonly #checkpoints: VolumeCheckpoints
  readonly #touched = new Set<string>()
  #dirty: { turn(): void }[] = []
  #closing: Promise<void> | null = null
  /** The note for the next start is being written. */
  #distrust: Promise<void> | null = null

  /**
   * Takes the directory, makes it when it is missing. Throws VolumeInUseError, and what the disk throws (EACCES, ENOSPC).
   * Partitions are read when they are opened.
   */
  static async open(
    root: string,
    world: VolumeWorld,
    logger: Logger,
    options: FileVolumeOptions = {},
  ): Promise<FileVolume> {
    const made = missingFolders(root, world.disk)
    world.disk.makeDirectory(root)
    for (const folder of made) await world.disk.syncDirectory(parentOf(folder))
    // Whoever made it may have been killed before its name was durable: then nothing is in it yet.
    if (made.length === 0 && world.disk.list(root).length === 0) {
      await world.disk.syncDirectory(parentOf(root)).catch(() => {})
    }
    const lock = world.disk.lock(`${root}/${lockName}`)
    if (lock === null) throw new VolumeInUseError(root)
    try {
      const volume = new FileVolume(root, world, logger, options, lock)
      await volume.#begin()
      return volume
    } catch (error) {
      lock.release()
      throw error
    }
  }

  private constructor(root: string, world: VolumeWorld, logger: Logger, options: FileVolumeOptions, lock: Lock) {
    const { tailBytes = 32 << 20, tailPartitionBytes, openFiles = 512 } = options
    this.#lock = lock
    const blocks = new Blocks()
    this.#context = {
      root,
      world,
      logger,
      handles: new Handles(world.disk, openFiles),
      tailCache: new TailCache(blocks, tailBytes, tailPartitionBytes),
      blocks,
      syncSlots: new SyncSlots(options.concurrentSyncs ?? 3),
      progress: new Progress(world.clock, logger),
      writeAtOnceBytes: options.writeAtOnceBytes ?? 4 << 20,
      schedule: store => this.#schedule(store),
      lowerRecoveryPoint: (partition, to) => this.#lowerRecoveryPoint(partition, to),
      distrusted: world.disk.exists(`${root}/${distrustName}`),
      distrust: () => {
        const unkept = (error: Error): void =>
          logger.warn('The next start cannot be warned of the disk', { root, error })
        this.#distrust ??= world.disk.replaceFile(`${root}/${distrustName}`, Buffer.alloc(0)).catch(unkept)
      },
      touched: partition => this.#touched.add(keyOf(partition)),
    }
    const mark = this.get(cleanMarkName)
    this.clean = mark !== null
    this.previousBrokerEpoch = mark === null ? -1 : brokerEpochIn(textOf(mark))
    this.#checkpoints = new VolumeCheckpoints(root, world, logger)
  }

  /** From here on the directory is not clean any more, also after a power cut. */
  async #begin(): Promise<void> {
    const { root, world, logger } = this.#context
    for (const name of world.disk.list(root)) {
      const topicPartition = partitionIn(name)
      if (topicPartition !== null) {
        this.#known.set(name, { topicPartition, topicId: undefined, onDisk: true, store: null })
      } else if (isDeletedDirectory(name)) void removeFolder(`${root}/${name}`, world.disk, logger)
    }
    if (!this.clean) return
    world.disk.remove(`${root}/${cleanMarkName}`)
    await world.disk.syncDirectory(root)
  }

  list(): readonly (TopicPartition & { readonly topicId: string | null })[] {
    return [...this.#known.values()].map(known => ({ ...known.topicPartition, topicId: this.#topicId(known) }))
  }

  open(topicPartition: TopicPartition, topicId: string, options: StoreOptions): FileStore {
    const key = directoryName(topicPartition)
    const before = this.#known.get(key)
    if (before?.store && !before.store.isClosed) {
      if (before.topicId !== topicId) {
        throw new KafkaError('INCONSISTENT_TOPIC_ID', `${key} belongs to topic ${before.topicId}, not to ${topicId}`)
      }
      before.store.options = options
      return before.store
    }
    const closed = before?.store ?? null
    const exists = before?.onDisk ?? false
    const ready = exists ? null : this.#checkpoints.forget(topicPartition)
    const store = new FileStore(this.#context, topicPartition, {
      topicId,
      options,
      recoveryPoint: closed?.durableOffset ?? this.#checkpoints.recoveryPoints.get(topicPartition),
      cleanedTo: this.#checkpoints.cleaned.get(topicPartition),
      clean: closed?.closedInOrder ?? this.clean,
      exists,
      ready,
    })
    this.#known.set(key, { topicPartition, topicId, onDisk: true, store })
    return store
  }

  async remove(topicPartition: TopicPartition): Promise<void> {
    const doomed = await this.#moveAway(topicPartition, 'delete')
    if (doomed !== null) void removeFolder(doomed, this.#context.world.disk, this.#context.logger)
  }

  async setAside(topicPartition: TopicPartition): Promise<void> {
    await this.#moveAway(topicPartition, 'stray')
  }

  /** At once for readers; fulfilled with the folder's new name, when there is one, that survives a power cut. */
  async #moveAway(topicPartition: TopicPartition, fate: 'delete' | 'stray'): Promise<string | null> {
    const key = directoryName(topicPartition)
    const known = this.#known.get(key)
    this.#known.delete(key)
    this.#checkpoints
      .forget(topicPartition)
      ?.catch(error => this.#context.logger.warn('The checkpoints could not be written', { ...topicPartition, error }))
    if (known === undefined) return null
    known.store?.discard()
    const { root, world } = this.#context
    if (!world.disk.exists(`${root}/${key}`)) return null
    const moved = `${root}/${departedDirectoryName(topicPartition, world.random.bytes(16), fate)}`
    world.disk.rename(`${root}/${key}`, moved)
    await world.disk.syncDirectory(root)
    return moved
  }

  release(views: readonly Uint8Array[]): void {
    this.#context.blocks.release(views)
  }

  async checkpoint(): Promise<void> {
    for (const key of this.#touched) this.#known.get(key)?.store?.flushIndexes()
    this.#touched.clear()
    for (const { topicPartition, store, onDisk } of this.#known.values()) {
      // Of a damaged log the old point stays: it is how the next start knows of the damage.
      if (store === null || !onDisk || store.damage !== null || store.endOffset === 0) continue
      this.#checkpoints.recoveryPoints.set(topicPartition, store.durableOffset)
    }
    await this.#checkpoints.save()
  }

  recoveryPoint(partition: TopicPartition): number {
    return this.#checkpoints.recoveryPoints.get(partition)
  }

  logStartOffset(partition: TopicPartition): number {
    return this.#checkpoints.logStarts.get(partition)
  }

  setLogStartOffset(partition: TopicPartition, offset: number): void {
    this.#checkpoints.logStarts.set(partition, offset)
  }

  highWatermark(partition: TopicPartition): number {
    return this.#checkpoints.highWatermarks.get(partition)
  }

  setHighWatermark(partition: TopicPartition, offset: number): void {
    this.#checkpoints.highWatermarks.set(partition, offset)
  }

  get(name: string): Uint8Array | null {
    const { root, world } = this.#context
    const path = `${root}/${checkFileName(name)}`
    return world.disk.exists(path) ? world.disk.readFile(path) : null
  }

  put(name: string, bytes: Uint8Array, mode?: number): Promise<void> {
    const { root, world } = this.#context
    return world.disk.replaceFile(`${root}/${checkFileName(name)}`, bytes, mode)
  }

  space(): { free: number; total: number } {
    return this.#context.world.disk.space(this.#context.root)
  }

  /** For metrics. */
  get tailCache(): TailCacheStats {
    return this.#context.tailCache.stats
  }

  /** For metrics: files open now. */
  get openFiles(): number {
    return this.#context.handles.count
  }

  close(brokerEpoch = -1): Promise<void> {
    this.#checkpoints.close()
    // Who never registered has led and acknowledged nothing: the directory is as its former life left it.
    this.#closing ??= this.#close(brokerEpoch < 0 ? this.previousBrokerEpoch : brokerEpoch)
    return this.#closing
  }

  async #close(brokerEpoch: number): Promise<void> {
    const { handles, world, root, logger } = this.#context
    try {
      const inOrder = await this.#closeAll()
      const checkpointed = await this.checkpoint().then(
        () => true,
        error => {
          logger.error('The recovery points could not be written', { root, error })
          return false
        },
      )
      if (!inOrder || !checkpointed) {
        logger.warn('The directory was not left clean: the next start will check it', { root })
        await this.#distrust
        return
      }
      if (this.#context.distrusted) world.disk.remove(`${root}/${distrustName}`)
      await world.disk.replaceFile(`${root}/${cleanMarkName}`, cleanMark(brokerEpoch))
    } finally {
      handles.closeAll()
      this.#lock.release()
    }
  }

  /** True when all partitions are whole and durable. */
  async #closeAll(): Promise<boolean> {
    const all = [...this.#known.values()].values()
    let inOrder = true
    const closer = async (): Promise<void> => {
      for (const known of all) {
        try {
          inOrder = (await this.#closeOne(known)) && inOrder
        } catch (error) {
          inOrder = false
          this.#context.logger.error('A partition could not be closed', { ...known.topicPartition, error })
        }
      }
    }
    await Promise.all(Array.from({ length: closingAtOnce }, closer))
    return inOrder
  }

  async #closeOne(known: Known): Promise<boolean> {
    // Nobody has looked at it since the crash: a clean mark would vouch for bytes that were not checked, and for producers
    // that were not remembered.
    if (known.store === null) return this.clean
    await known.store.close()
    return known.store.closedInOrder
  }

  #topicId(known: Known): string | null {
    if (known.topicId !== undefined) return known.topicId
    const { root, world } = this.#context
    const path = `${root}/${keyOf(known.topicPartition)}/${partitionMetadataName}`
    known.topicId = world.disk.exists(path) ? topicIdIn(world.disk.readFile(path).toString()) : null
    return known.topicId
  }

  #schedule(store: { turn(): void }): void {
    this.#dirty.push(store)
    if (this.#dirty.length > 1) return
    this.#context.world.timers.soon(() => {
      const dirty = this.#dirty
      this.#dirty = []
      for (const each of dirty) each.turn()
    })
  }

  #lowerRecoveryPoint(partition: TopicPartition, to: number): (() => Promise<void>) | null {
    const { recoveryPoints } = this.#checkpoints
    if (recoveryPoints.get(partition) <= to) return null
    recoveryPoints.set(partition, to)
    return () => recoveryPoints.save()
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}
