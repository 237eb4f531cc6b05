import { KafkaError } from '../../protocol/errors.ts'
import { isFull, syncWhenOpened, whenThereIsRoom } from '../disk-full.ts'
import type { Observers } from '../observers.ts'
import type { StoreOptions, TopicPartition } from '../store.ts'
import type { VolumeContext } from './context.ts'
import { GroupCommit } from './group-commit.ts'
import type { PartitionDirectory } from './partition-directory.ts'
import { Pending } from './pending.ts'
import type { FileSegment } from './segment.ts'
import type { Segments } from './segments.ts'
import { Syncer } from './syncer.ts'
import type { Tail } from './tail-cache.ts'

/** What the parts of one store share. */
export interface StoreParts {
  readonly topicPartition: TopicPartition
  readonly context: VolumeContext
  readonly directory: PartitionDirectory
  readonly segments: Segments
  readonly tail: Tail
  readonly observers: Observers
  options: StoreOptions
}

/**
 * How far one log is safe: appended, written, durable. Writes gather until the end of the turn; syncs are shared; a
 * truncation makes void what a sync that began before it would prove.
 */
export class Durability {
  readonly #parts: StoreParts
  readonly #pending: Pending
  readonly #syncer: Syncer
  /** Segments with bytes, or a length, that no sync has covered. */
  readonly #unsynced = new Set<FileSegment>()
  endOffset: number
  writtenOffset: number
  durableOffset: number
  /** Grows whenever bytes may have changed their meaning: who waited for the disk must look again. */
  generation = 0
  failure: Error | null = null
  /** Appends that were lost, until the observers know. */
  #dropped: { readonly from: number; readonly error: Error } | null = null
  /** There was no room the last time: whoever tries again and again is told once. */
  #refusing = false
  /** The recovery point on disk reaches beyond a truncation: the files must not change before it is lowered. */
  #gate: Promise<void> | null = null
  /** Why the gate stays shut: there is no room for what must be noted first. */
  #noRoom: Error | null = null
  #toldWritten: number
  #scheduled = false
  #stopped = false
  /** Nobody else will come. */
  #finishing = false
  readonly #commits = new GroupCommit()
  /** Ends the wait for more writers. */
  #gathered: (() => void) | null = null

  constructor(parts: StoreParts, endOffset: number, durableOffset: number) {
    this.#parts = parts
    this.#pending = new Pending(parts.context, parts.directory)
    this.#syncer = new Syncer(this)
    this.endOffset = this.writtenOffset = this.#toldWritten = endOffset
    this.durableOffset = durableOffset
    parts.tail.writtenOffset = endOffset
  }

  /** Throws KAFKA_STORAGE_ERROR when nothing may be appended. */
  mustTake(): void {
    if (this.failure !== null) throw storageError(`The disk failed: ${this.failure.message}`)
    if (this.#stopped) throw storageError('The store is closed')
    // Whoever appends now does not know yet that what went before is lost.
    if (this.#dropped !== null) throw storageError(this.#dropped.error.message)
  }

  /** Throws KAFKA_STORAGE_ERROR while files cannot be changed for want of room: what is appended would but fill memory. */
  mustHaveRoom(): void {
    if (this.#noRoom !== null) throw storageError(this.#noRoom.message)
  }

  /** `bytes` stay as they are until they are written. */
  append(segment: FileSegment, bytes: Uint8Array, baseOffset: number, endOffset: number): void {
    this.endOffset = endOffset
    this.#pending.add(segment, bytes, baseOffset, endOffset)
    this.#commits.appended()
    if (this.#pending.bytes >= this.#parts.context.writeAtOnceBytes) this.write()
    this.schedule()
  }

  /** See `Store.sync`. */
  sync(): Promise<number> {
    if (this.failure !== null) return Promise.reject(this.failure)
    if (this.durableOffset >= this.endOffset) return Promise.resolve(this.durableOffset)
    if (this.#stopped) return Promise.reject(storageError('The store is closed'))
    const done = this.#syncer.wait()
    this.schedule()
    return done
  }

  /** Nobody waits for it: a segment was closed, or recovery found what no sync had covered. */
  syncInBackground(): void {
    this.#syncer.wait().catch(() => {})
    this.schedule()
  }

  mustSync(segment: FileSegment): void {
    this.#unsynced.add(segment)
  }

  /** Whoever waits learns of it at the end of the turn. */
  schedule(): void {
    if (this.#scheduled || this.#stopped) return
    this.#scheduled = true
    this.#parts.context.schedule(this)
  }

  /** The end of a turn of the event loop. */
  turn(): void {
    this.#scheduled = false
    if (this.#stopped) return
    this.write()
    if (this.#gathered !== null && this.#commits.complete) this.#gathered()
    const { observers } = this.#parts
    const dropped = this.#dropped
    if (dropped !== null) {
      this.#dropped = null
      observers.dropped(dropped.from, dropped.error)
    }
    if (this.#toldWritten < this.writtenOffset) {
      this.#toldWritten = this.writtenOffset
      observers.written(this.writtenOffset)
    }
    if (this.failure === null) this.#syncer.start()
  }

  /** Everything that waits goes into the page cache, or is dropped when there is no room. */
  write(): void {
    if (this.#pending.isEmpty || this.failure !== null || this.#gate !== null) return
    try {
      this.#pending.write(({ segment, endOffset }) => {
        this.#unsynced.add(segment)
        this.writtenOffset = this.#parts.tail.writtenOffset = endOffset
      })
      // A truncation may have left a gap at the end: the next opening must find it.
      if (this.writtenOffset < this.endOffset) this.#parts.segments.ensureFile(this.#parts.segments.active)
      this.writtenOffset = this.#parts.tail.writtenOffset = this.endOffset
      this.#refusing = false
      this.#parts.tail.shrink()
      this.#parts.context.touched(this.#parts.topicPartition)
    } catch (error) {
      this.#writeFailed(error as Error)
    }
  }

  #writeFailed(error: Error): void {
    if (!isFull(error)) {
      this.fail(error)
      return
    }
    try {
      this.#dropPending(error)
    } catch (second) {
      this.fail(second as Error)
    }
  }

  /** Back to the last good end; it goes on when there is room again. */
  #dropPending(error: Error): void {
    const { segments, tail, options, context, topicPartition } = this.#parts
    const segment = this.#pending.segment!
    const from = this.writtenOffset
    this.#pending.clear()
    this.generation++
    segments.removeFiles(segments.takeAfter(segment))
    segment.cut(segment.writtenBytes, from, options.indexIntervalBytes)
    segment.truncateFile()
    this.#unsynced.add(segment)
    tail.cut(from)
    this.endOffset = from
    this.#syncer.dropped(from, error)
    this.#dropped = { from, error }
    const fields = { ...topicPartition, from, error: error.message }
    if (!this.#refusing) context.logger.warn('No room for records: they are refused until there is', fields)
    this.#refusing = true
    this.schedule()
  }

  /**
   * The log ends at `to` from now on, for readers and for those who wait. `trusted` is what a recovery finds at least while
   * the files change.
   */
  cutTo(to: number, trusted: number): void {
    this.generation++
    this.#pending.clear()
    this.#parts.tail.cut(to)
    this.endOffset = this.writtenOffset = this.#parts.tail.writtenOffset = to
    this.#toldWritten = Math.min(this.#toldWritten, to)
    this.durableOffset = Math.min(this.durableOffset, trusted)
    this.#syncer.truncated(to)
  }

  /** Whether batches below `to` still wait to be written: a truncation is under way. */
  waitsBelow(to: number): boolean {
    return (this.#pending.firstOffset ?? Number.POSITIVE_INFINITY) < to
  }

  /** As `cutTo`, where nothing that is written has to go. Throws RangeError when a batch reaches across `to`. */
  cutUnwritten(to: number): void {
    const { segments, tail, options } = this.#parts
    tail.cut(to)
    this.generation++
    this.#pending.cut(to)
    const segment = this.#pending.lastSegment!
    segments.takeAfter(segment)
    segment.cut(segment.writtenBytes, Math.max(segment.baseOffset, this.writtenOffset), options.indexIntervalBytes)
    const end = this.#pending.account(segment, options.indexIntervalBytes)
    if (end < to) segments.roll(to, true)
    this.endOffset = to
    this.#syncer.truncated(to)
  }

  /**
   * Changes files so that a crash at any moment leaves a log that there was: first no recovery point on disk lies above
   * `trusted`, then the files of `gone` go, the newest first, and only when their names are gone for good does `change` run.
   * Until then nothing is written. Afterwards the active segment has a file, so that the next opening finds the log's end.
   */
  changeFiles(trusted: number, gone: readonly FileSegment[], change: () => void): void {
    const { context, segments, topicPartition } = this.#parts
    const lower = context.lowerRecoveryPoint(topicPartition, trusted)
    if (this.#gate === null && lower === null && gone.every(({ exists }) => !exists)) {
      try {
        change()
        segments.ensureFile(segments.active)
        return
      } catch (error) {
        if (!isFull(error)) throw error
      }
    }
    this.lock(Promise.all([this.#gate, lower === null ? null : this.#withRoom(lower)]), gone, change)
  }

  /** For `changeFiles`, and for what recovery leaves to be done. `change` is called again when there is no room for all of it. */
  lock(before: Promise<unknown>, removed: readonly FileSegment[], change: () => void): void {
    const { segments, directory } = this.#parts
    const run = async (): Promise<void> => {
      await before
      if (this.#stopped || this.failure !== null) return
      await this.#withRoom(() => segments.removeFiles(removed))
      await directory.sync()
      await this.#withRoom(() => {
        if (this.#stopped || this.failure !== null) return
        change()
        if (this.#gate !== gate) return
        // Only now: what goes and what comes may have the same name.
        segments.ensureFile(segments.active)
        this.#gate = null
        this.#noRoom = null
        this.schedule()
      })
    }
    const gate: Promise<void> = run().catch(error => this.fail(error as Error))
    this.#gate = gate
  }

  /** A full disk is no failed one: what was written before is still there. Until there is room, nothing more is taken. */
  #withRoom(run: () => Promise<void> | void): Promise<void> {
    const { context, topicPartition } = this.#parts
    const waits = (error: Error): boolean => {
      if (this.#stopped || this.failure !== null || this.#finishing) return false
      if (this.#noRoom === null)
        context.logger.warn('No room to change the log’s files: records are refused until there is', {
          ...topicPartition,
          error: error.message,
        })
      this.#noRoom = error
      return true
    }
    return whenThereIsRoom(context.world.timers, waits, run)
  }

  /** Fulfilled when the files may be changed; null when they may be now. */
  get locked(): Promise<void> | null {
    return this.#gate
  }

  /** The log is empty and goes on at `at`, after `cutTo`. */
  moveTo(at: number): void {
    this.endOffset = this.writtenOffset = this.#toldWritten = this.#parts.tail.writtenOffset = at
  }

  /** Fulfilled when what was changed by now, names included, is durable. */
  async settle(): Promise<void> {
    if (this.failure !== null) throw this.failure
    const done = this.#syncer.wait(true)
    this.schedule()
    await done
  }

  /**
   * Those whom the last sync has released will most likely append again in a moment: a short wait for them saves a sync
   * that would serve but the first.
   */
  async #gather(): Promise<void> {
    const { timers } = this.#parts.context.world
    // Asleep, not turning round and round: on a small machine the writers need the core.
    await new Promise<void>(resolve => {
      const timer = timers.after(1, resolve, true)
      this.#gathered = () => {
        timer.cancel()
        resolve()
      }
    })
    this.#gathered = null
  }

  /** For the syncer. */
  async syncOnce(): Promise<boolean> {
    const { segments, directory, context } = this.#parts
    // Not with a slot in hand, which others need.
    await this.#unlocked()
    return context.syncSlots.run(async () => {
      await this.#unlocked()
      if (!this.#finishing && this.#commits.worthWaiting(context.world.clock.mono())) await this.#gather()
      // What came while we waited goes along.
      this.write()
      const { clock } = context.world
      const began = clock.mono()
      this.#commits.taken()
      const { generation, writtenOffset: upTo } = this
      const covered = [...this.#unsynced]
      this.#unsynced.clear()
      const valid = (): boolean => generation === this.generation && !this.#stopped
      for (const segment of covered) {
        if (!valid()) break
        if (segment.exists && segments.all.includes(segment)) {
          const sync = () => context.handles.pinned(segment.path, file => file.sync())
          await syncWhenOpened(context.world.timers, valid, sync)
        }
      }
      await directory.sync()
      this.#commits.done(clock.mono(), clock.mono() - began)
      if (!valid()) {
        for (const segment of covered) if (segments.all.includes(segment)) this.#unsynced.add(segment)
        return false
      }
      if (upTo > this.durableOffset) {
        this.durableOffset = upTo
        context.touched(this.#parts.topicPartition)
        this.#parts.observers.durable(upTo)
      }
      return true
    })
  }

  async #unlocked(): Promise<void> {
    while (this.#gate !== null && this.failure === null && !this.#stopped) await this.#gate
  }

  syncFailed(error: Error): void {
    if (!this.#stopped) this.fail(error)
  }

  /** From now on everything is refused: after a failed sync nobody knows what the disk has (never try again). */
  fail(error: Error): void {
    if (this.failure !== null || this.#stopped) return
    this.failure = error
    this.#pending.clear()
    const { context, topicPartition, observers } = this.#parts
    context.logger.error('The disk failed; what it has is unknown', { ...topicPartition, error })
    context.distrust()
    this.#syncer.rejectAll(error)
    context.world.timers.soon(() => observers.failed(error))
  }

  /** Writes and syncs what is there, then takes nothing more. */
  async finish(): Promise<void> {
    this.#finishing = true
    this.#gathered?.()
    await this.#unlocked()
    this.write()
    if (this.failure === null && (this.durableOffset < this.endOffset || this.#unsynced.size > 0)) {
      const done = this.#syncer.wait(true)
      this.#syncer.start()
      await done
    }
    this.stop()
    await this.#syncer.idle()
  }

  /** Takes nothing more; what waited is lost. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.generation++
    this.#pending.clear()
    this.#syncer.rejectAll(storageError('The store is closed'))
  }
}

function storageError(message: string): KafkaError {
  return new KafkaError('KAFKA_STORAGE_ERROR', message)
}
