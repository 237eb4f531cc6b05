import type { BatchHeader } from '../../protocol/batches/header.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { Observers } from '../observers.ts'
import { checkAppend, mustRoll } from '../rolling.ts'
import type { BatchSummary, Damage, Segment, Store, StoreObserver, StoreOptions, TopicPartition } from '../store.ts'
import type { VolumeContext } from './context.ts'
import { Durability, type StoreParts } from './durability.ts'
import { directoryName } from './names.ts'
import { type Opening, openPartition } from './opening.ts'
import { PartitionDirectory } from './partition-directory.ts'
import { Reader } from './reader.ts'
import { Segments } from './segments.ts'
import { SideFiles } from './side-files.ts'
import { Tail } from './tail-cache.ts'
import type { Cut } from './torn.ts'

/** Offsets without records that one segment may span: relative ones are int32. */
const mostGap = 2 ** 30

/** One partition in Kafka's files. */
export class FileStore implements Store {
  readonly shared = false
  /** What recovery cut off when the store was opened. */
  readonly cuts: readonly Cut[]
  damage: Damage | null
  readonly #parts: StoreParts
  readonly #safety: Durability
  readonly #reader: Reader
  readonly #sideFiles: SideFiles
  #closed = false
  #closing: Promise<void> | null = null

  constructor(context: VolumeContext, topicPartition: TopicPartition, opening: Opening) {
    const { topicId, options, exists } = opening
    const directory = new PartitionDirectory(context, directoryName(topicPartition), topicId, exists)
    const found = openPartition(context, directory, topicId, options, opening)
    const segments = new Segments(context, directory, found.segments)
    const tail = new Tail(context.tailCache)
    this.damage = found.damage
    this.cuts = found.cuts
    this.#parts = { topicPartition, context, directory, segments, tail, options, observers: new Observers() }
    this.#safety = new Durability(this.#parts, found.endOffset, found.durableOffset)
    this.#reader = new Reader(this.#parts, this.#safety)
    this.#sideFiles = new SideFiles(context, directory)
    this.#say()
    if (opening.ready) this.#safety.lock(opening.ready, [], () => {})
    if (found.durableOffset < found.endOffset || found.cuts.length > 0) {
      for (const segment of found.segments) if (segment.endOffset >= found.durableOffset) this.#safety.mustSync(segment)
      if (this.damage === null) this.#safety.syncInBackground()
      // Names first: a segment that was set aside must not come back after the one before it was cut.
      const cutFiles = (): void => {
        for (const { segment } of found.cuts) segment.truncateFile()
      }
      if (found.cuts.length > 0) this.#safety.lock(Promise.resolve(), [], cutFiles)
    }
  }

  #say(): void {
    const { logger } = this.#parts.context
    for (const cut of this.cuts)
      logger.warn('Cut off what a crash left unfinished', { ...this.topicPartition, ...said(cut) })
    if (this.damage === null) return
    const advice = 'Nothing was removed. Restore the folder from another copy, or truncate the log to that offset'
    logger.error('Records that had been on stable storage are damaged', {
      ...this.topicPartition,
      ...this.damage,
      advice,
    })
  }

  get topicPartition(): TopicPartition {
    return this.#parts.topicPartition
  }

  get options(): StoreOptions {
    return this.#parts.options
  }

  set options(options: StoreOptions) {
    this.#parts.options = options
  }

  get startOffset(): number {
    return this.#parts.segments.first.baseOffset
  }

  get endOffset(): number {
    return this.#safety.endOffset
  }

  get writtenOffset(): number {
    return this.#safety.writtenOffset
  }

  get durableOffset(): number {
    return this.#safety.durableOffset
  }

  get sizeInBytes(): number {
    return this.#parts.segments.sizeInBytes
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** With everything durable: the next opening can trust it. */
  get closedInOrder(): boolean {
    return this.#closed && this.#safety.failure === null && this.damage === null && this.#sideFiles.whole
  }

  observe(observer: StoreObserver): void {
    this.#parts.observers.add(observer)
  }

  append(bytes: Uint8Array, batches: readonly BatchSummary[]): void {
    this.#mustTake()
    this.#safety.mustHaveRoom()
    if (this.damage !== null) throw new KafkaError('KAFKA_STORAGE_ERROR', `The log is damaged: ${this.damage.reason}`)
    checkAppend(this.endOffset, bytes, batches)
    const { segments, options, tail } = this.#parts
    const { baseOffset } = batches[0]!
    // A segment begins where the log ends: a hole between two tells a recovery that records are missing.
    if (mustRoll(segments.active, options, batches, bytes.length)) this.#rollTo(this.#baseFor(baseOffset))
    const segment = segments.active
    for (const batch of batches) segment.account(batch, options.indexIntervalBytes)
    const { endOffset } = segment
    this.#safety.append(segment, tail.push(bytes, baseOffset, endOffset), baseOffset, endOffset)
  }

  sync(): Promise<number> {
    return this.#safety.sync()
  }

  read(from: number, maxBytes: number, upTo: number): Uint8Array[] | Promise<Uint8Array[]> {
    if (this.#closed) throw new KafkaError('KAFKA_STORAGE_ERROR', 'The store is closed')
    return this.#reader.read(from, maxBytes, upTo)
  }

  scan(from: number): Iterable<BatchHeader> {
    return this.#reader.scan(from)
  }

  batchForTimestamp(timestamp: number): number | null {
    return this.#reader.batchForTimestamp(timestamp)
  }

  async truncate(to: number): Promise<void> {
    this.#mustTake()
    this.#safety.write()
    if (to >= this.endOffset && this.damage === null) return
    if (to <= this.startOffset) return this.reset(to)
    if (this.#safety.waitsBelow(to)) {
      this.#safety.cutUnwritten(to)
      await this.#safety.settle()
      return
    }
    const { segments, options } = this.#parts
    const segment = segments.all[segments.indexOf(to - 1)]!
    const last = segment.locate(to - 1)
    const lastEnd = last === null || last.baseOffset >= to ? -1 : last.lastOffset + 1
    if (lastEnd > to) throw new RangeError(`The batch at ${last!.baseOffset} reaches across ${to}`)
    // Where no batch ends at `to`, an empty segment will say that the log does; until it is there, less can be trusted.
    const exact = lastEnd === to
    // What follows on the last one may be damaged: nobody looks for a batch there.
    const position = exact
      ? last!.position + last!.sizeInBytes
      : (segment.locate(to)?.position ?? Math.min(segment.sizeInBytes, segment.writtenBytes))
    this.damage = null
    const trusted = exact ? to : segment.baseOffset
    this.#safety.cutTo(to, trusted)
    const gone = segments.takeAfter(segment)
    segment.cut(position, to, options.indexIntervalBytes)
    if (!exact && position > 0) segments.roll(to, true)
    else if (!exact) segments.replaceActive(to)
    const { active } = segments
    const stays = segments.all.includes(segment)
    this.#safety.changeFiles(trusted, gone, () => {
      if (!stays) segments.takeOver(segment, active)
      // Else a truncation that came meanwhile will remove it.
      else if (segments.all.includes(segment)) segment.truncateFile()
      this.#safety.mustSync(stays ? segment : active)
    })
    await this.#safety.settle()
  }

  async reset(at: number): Promise<void> {
    this.#mustTake()
    this.damage = null
    const { segments, tail } = this.#parts
    const trusted = Math.min(at, this.startOffset)
    this.#safety.cutTo(Math.min(at, this.endOffset), trusted)
    tail.clear()
    const [first, ...gone] = segments.startAt(at)
    const { active } = segments
    this.#safety.moveTo(at)
    this.#safety.changeFiles(trusted, gone, () => {
      segments.takeOver(first!, active)
      this.#safety.mustSync(active)
    })
    await this.#safety.settle()
  }

  async trim(to: number): Promise<void> {
    if (this.#closed) return
    const { segments, context } = this.#parts
    const { locked } = this.#safety
    if (locked !== null) await locked
    // What has not been written has no file to take away.
    this.#safety.write()
    const end = Math.min(to, this.writtenOffset)
    let count = 0
    while (count < segments.all.length - 1 && segments.all[count]!.endOffset <= end) count++
    if (count === 0 || this.#closed) return
    segments.ensureFile(segments.active)
    const marked = segments.markFiles(segments.takeFirst(count))
    for (const path of marked) {
      await new Promise<void>(resolve => context.world.timers.soon(resolve))
      await context.world.disk.removeLater(path)
    }
  }

  roll(): void {
    this.#mustTake()
    if (this.#parts.segments.active.sizeInBytes > 0) this.#rollTo(this.endOffset)
  }

  segments(): readonly Segment[] {
    return this.#parts.segments.all
  }

  names(): readonly string[] {
    return this.#sideFiles.names()
  }

  get(name: string): Uint8Array | null {
    return this.#sideFiles.get(name)
  }

  put(name: string, bytes: Uint8Array): Promise<void> {
    return this.#sideFiles.put(name, bytes)
  }

  drop(name: string): void {
    this.#sideFiles.drop(name)
  }

  /** Index entries go to their files, so that a recovery can begin where the log is durable. */
  flushIndexes(): void {
    if (!this.#closed && this.#safety.failure === null)
      for (const segment of this.#parts.segments.all) segment.flushIndexes()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { segments, tail, directory } = this.#parts
    try {
      await this.#safety.finish()
      await this.#sideFiles.close()
      if (this.#safety.failure === null && this.damage === null) {
        segments.ensureFile(segments.active)
        segments.active.noteMaxTimestamp()
        await segments.syncIndexes()
        await directory.sync()
      }
    } finally {
      this.#closed = true
      tail.clear()
      for (const segment of segments.all) segment.closeFiles()
    }
  }

  /** The partition is removed: nobody gets anything any more. Returns the folder, if there is one. */
  discard(): string | null {
    const { segments, tail, directory } = this.#parts
    this.#closed = true
    this.#safety.stop()
    void this.#sideFiles.close()
    tail.clear()
    for (const segment of segments.all) segment.closeFiles()
    return directory.exists ? directory.path : null
  }

  #baseFor(baseOffset: number): number {
    const far = this.#parts.segments.active.sizeInBytes === 0 || baseOffset - this.endOffset > mostGap
    return far ? baseOffset : this.endOffset
  }

  #rollTo(baseOffset: number): void {
    const { segments } = this.#parts
    if (segments.active.sizeInBytes === 0) {
      const gone = segments.replaceActive(baseOffset)
      const { active } = segments
      this.#safety.changeFiles(gone.baseOffset, [], () => segments.takeOver(gone, active))
      return
    }
    segments.roll(baseOffset)
    // As Kafka does: what is closed becomes durable soon, so that recovery points move on also where nobody asks for syncs.
    this.#safety.syncInBackground()
  }

  #mustTake(): void {
    if (this.#closed || this.#closing !== null) throw new KafkaError('KAFKA_STORAGE_ERROR', 'The store is closed')
    this.#safety.mustTake()
  }
}

function said({ offset, bytes, reason, doubtful }: Cut): Record<string, unknown> {
  return { offset, bytes, reason, doubtful }
}
