import { controlBit, transactionalBit } from '../protocol/batches/header.ts'
import { isFull } from '../store/disk-full.ts'
import type { BatchHeader, Store } from '../store/store.ts'
import type { Logger } from '../world/logger.ts'
import { sequenceAfter } from './producer-entry.ts'
import { decodeSnapshot, encodeSnapshot } from './producer-snapshot.ts'
import { type ProducerLimits, Producers } from './producers.ts'

const suffix = '.snapshot'

export interface ProducerSnapshotsHost {
  now(): number
  /** Stable storage can no longer be promised. */
  failed(error: Error): void
}

/**
 * The producers of one log and their snapshot files. State is rebuilt when it is first asked for: from the newest snapshot
 * that the log reaches, and a scan of the batch headers behind it. A log that meets no idempotent producer never pays.
 */
export class ProducerSnapshots {
  readonly #store: Store
  readonly #host: ProducerSnapshotsHost
  readonly #logger: Logger
  #limits: ProducerLimits
  #producers: Producers | null = null
  /** Where the state that is not loaded yet ends: what was appended later came from producers without an id. */
  #unloadedUpTo: number
  /** The log ends where the last user left it: without any snapshot there were no producers. */
  #clean: boolean
  /** Offsets of the files, ascending; null: not looked at yet. */
  #files: readonly number[] | null = null
  /** Raised by each truncation: a snapshot that was under way is stale. */
  #generation = 0
  readonly #writing = new Set<Promise<void>>()

  constructor(store: Store, clean: boolean, limits: ProducerLimits, host: ProducerSnapshotsHost, logger: Logger) {
    this.#store = store
    this.#clean = clean
    this.#limits = limits
    this.#host = host
    this.#logger = logger
    this.#unloadedUpTo = store.endOffset
    if (store.startOffset === store.endOffset) this.#producers = new Producers(limits)
  }

  get producers(): Producers {
    if (this.#producers === null) this.#producers = this.#load()
    return this.#producers
  }

  /** Null as long as nobody has needed them. */
  get loaded(): Producers | null {
    return this.#producers
  }

  /**
   * To be called before the first append: snapshots of offsets that the log has lost must go before other batches take
   * these offsets.
   */
  beforeFirstAppend(): void {
    this.#dropLost(this.#store.endOffset)
  }

  setLimits(limits: ProducerLimits): void {
    this.#limits = limits
    this.#producers?.setLimits(limits)
  }

  /**
   * Writes the state as of `offset`, which is the present one, and keeps none but those that a segment begins at and the
   * newest. Not awaited by anybody but `settled`. Never throws: without it the next start scans more.
   */
  take(offset: number): void {
    try {
      // Loading the producers may drop files: first that, then the list.
      const producers = this.producers
      if (!this.#listed().includes(offset)) this.#begin(offset, encodeSnapshot(producers.all()))
      this.#prune()
    } catch (error) {
      this.#logger.warn('The producers could not be written down; an older snapshot and a longer scan will do', {
        error,
      })
    }
  }

  #begin(offset: number, bytes: Uint8Array): void {
    this.#files = [...this.#listed(), offset].sort((one, other) => one - other)
    const write: Promise<void> = this.#write(offset, bytes).finally(() => this.#writing.delete(write))
    this.#writing.add(write)
  }

  /**
   * At the end of an orderly stop. Nothing to do when a snapshot is there, nor when there never was a producer: then the
   * next start concludes the same from the absence of files.
   */
  takeLast(): void {
    const end = this.#store.endOffset
    const untouched = this.#producers === null && this.#clean && end === this.#unloadedUpTo
    if (untouched || (this.producers.size === 0 && this.#listed().length === 0)) return
    this.take(end)
  }

  /** Segments went: the snapshots at their starts may go. */
  prune(): void {
    try {
      this.#prune()
    } catch (error) {
      this.#logger.warn('Old producer snapshots could not be removed', { error })
    }
  }

  #prune(): void {
    const files = this.#listed()
    if (files.length <= 1) return
    const newest = files.at(-1)
    const bases = new Set(this.#store.segments().map(segment => segment.baseOffset))
    this.#drop(offset => offset !== newest && !bases.has(offset))
  }

  /** The log ends at `offset` now: what was learnt from batches above is forgotten. */
  truncated(offset: number): void {
    try {
      if (this.#producers === null && this.#clean) this.#producers = this.#load()
    } catch {
      // Whoever asks for them next hears that the log cannot be read.
    }
    this.#dropAbove(offset)
    if (this.#producers !== null && !this.#producers.everUsed) return
    this.#producers = null
    this.#clean = false
    this.#unloadedUpTo = offset
  }

  /** The log is empty now. */
  reset(): void {
    this.#dropAbove(-1)
    this.#producers = new Producers(this.#limits)
  }

  /** Fulfilled when no write is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing)
  }

  async #write(offset: number, bytes: Uint8Array): Promise<void> {
    const generation = this.#generation
    try {
      await this.#store.put(fileName(offset), bytes)
      if (generation !== this.#generation && !this.#listed().includes(offset)) this.#store.drop(fileName(offset))
    } catch (error) {
      this.#files = this.#listed().filter(file => file !== offset)
      if (isFull(error)) this.#logger.warn('No room for a producer snapshot; an older one and a longer scan will do')
      else this.#host.failed(error as Error)
    }
  }

  #listed(): readonly number[] {
    if (this.#files !== null) return this.#files
    const names = this.#store.names().filter(name => /^\d{20}\.snapshot$/.test(name))
    this.#files = names.map(name => Number(name.slice(0, -suffix.length))).sort((one, other) => one - other)
    return this.#files
  }

  #dropAbove(offset: number): void {
    this.#generation++
    this.#drop(file => file > offset)
  }

  /** The log was longer once: whatever the volume says, the absence of snapshots proves nothing then. */
  #dropLost(end: number): void {
    if (!this.#listed().some(offset => offset > end)) return
    this.#clean = false
    this.#dropAbove(end)
  }

  #drop(which: (offset: number) => boolean): void {
    const files = this.#listed()
    for (const offset of files.filter(which)) this.#store.drop(fileName(offset))
    this.#files = files.filter(offset => !which(offset))
  }

  #load(): Producers {
    const producers = new Producers(this.#limits)
    const now = this.#host.now()
    const from = this.#restore(producers, now)
    const { startOffset, damage } = this.#store
    if (from === null || damage !== null) return producers
    for (const batch of this.#store.scan(Math.max(from, startOffset))) {
      if (batch.baseOffset >= this.#unloadedUpTo) break
      if (batch.baseOffset >= from) learn(producers, batch, now)
    }
    return producers
  }

  /** Reads the newest snapshot that can be used; returns where the scan begins, null when there is none to make. */
  #restore(producers: Producers, now: number): number | null {
    this.#dropLost(this.#unloadedUpTo)
    // Between such a snapshot and the log's first batch something is missing: better to know nothing than half of it.
    this.#drop(offset => offset < this.#store.startOffset)
    for (const offset of [...this.#listed()].reverse()) {
      const bytes = this.#store.get(fileName(offset))
      const entries = bytes === null ? null : decodeSnapshot(bytes)
      if (entries !== null) {
        for (const entry of entries) {
          entry.seenMs = now
          producers.restore(entry)
        }
        return offset
      }
      this.#logger.warn('A producer snapshot is unreadable; an older one is taken', { offset })
      this.#drop(file => file === offset)
    }
    return this.#clean ? null : 0
  }
}

/** What a batch that is in the log says of its producer. */
export function learn(producers: Producers, batch: BatchHeader, seenMs: number): void {
  if (batch.producerId < 0) return
  if ((batch.attributes & controlBit) !== 0) {
    producers.appendMarker(batch.producerId, batch.producerEpoch, batch.lastOffset, batch.maxTimestamp, seenMs)
    return
  }
  producers.append(
    batch.producerId,
    batch.producerEpoch,
    sequenceAfter(batch.baseSequence, batch.lastOffsetDelta),
    batch.lastOffset,
    batch.lastOffsetDelta,
    batch.maxTimestamp,
    (batch.attributes & transactionalBit) !== 0,
    seenMs,
  )
}

function fileName(offset: number): string {
  return `${String(offset).padStart(20, '0')}${suffix}`
}
