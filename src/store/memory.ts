import type { BatchHeader } from '../protocol/batches/header.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Timers } from '../world/world.ts'
import { Blocks } from './blocks.ts'
import { type Chunk, ChunkQueue } from './chunks.ts'
import { Observers } from './observers.ts'
import { checkAppend, checkRead, mustRoll } from './rolling.ts'
import type { BatchSummary, Segment, Store, StoreObserver, StoreOptions, TopicPartition, Volume } from './store.ts'

/** Unless told otherwise. Appends beyond it are refused as on a full disk. */
export const defaultMemoryBytes = 1024 * 1024 * 1024

export interface MemoryVolumeOptions {
  /** Bytes of batches that all stores together keep. Side files are not counted: the log above keeps few and small ones. */
  readonly maxBytes?: number
}

interface Entry {
  readonly store: MemoryStore
  readonly topicId: string
}

/**
 * Partitions that live as long as the process: for tests and throw-away brokers. "Durable" means here what it can mean:
 * as safe as memory is.
 */
export class MemoryVolume implements Volume {
  readonly shared = false
  readonly clean = true
  readonly previousBrokerEpoch = -1
  readonly #timers: Timers
  readonly #maxBytes: number
  readonly #stores = new Map<string, Entry>()
  readonly #startOffsets = new Map<string, number>()
  readonly #highWatermarks = new Map<string, number>()
  readonly #files = new Map<string, Uint8Array>()
  /** Bytes of batches in all stores. */
  usedBytes = 0
  readonly blocks = new Blocks()

  constructor(timers: Timers, { maxBytes = defaultMemoryBytes }: MemoryVolumeOptions = {}) {
    this.#timers = timers
    this.#maxBytes = maxBytes
  }

  list(): readonly (TopicPartition & { readonly topicId: string })[] {
    return [...this.#stores.values()].map(({ store, topicId }) => ({ ...store.topicPartition, topicId }))
  }

  open(partition: TopicPartition, topicId: string, options: StoreOptions): MemoryStore {
    const key = keyOf(partition)
    const known = this.#stores.get(key)
    if (known === undefined) {
      const store = new MemoryStore(this, this.#timers, partition, options)
      this.#stores.set(key, { store, topicId })
      return store
    }
    if (known.topicId !== topicId) {
      throw new KafkaError('INCONSISTENT_TOPIC_ID', `${key} belongs to topic ${known.topicId}, not to ${topicId}`)
    }
    known.store.reopen(options)
    return known.store
  }

  async remove(partition: TopicPartition): Promise<void> {
    const key = keyOf(partition)
    this.#stores.get(key)?.store.discard()
    this.#stores.delete(key)
    this.#startOffsets.delete(key)
    this.#highWatermarks.delete(key)
  }

  setAside(partition: TopicPartition): Promise<void> {
    return this.remove(partition)
  }

  release(): void {}

  async checkpoint(): Promise<void> {}

  recoveryPoint(): number {
    return 0
  }

  logStartOffset(partition: TopicPartition): number {
    return this.#startOffsets.get(keyOf(partition)) ?? 0
  }

  setLogStartOffset(partition: TopicPartition, offset: number): void {
    this.#startOffsets.set(keyOf(partition), offset)
  }

  highWatermark(partition: TopicPartition): number {
    return this.#highWatermarks.get(keyOf(partition)) ?? 0
  }

  setHighWatermark(partition: TopicPartition, offset: number): void {
    this.#highWatermarks.set(keyOf(partition), offset)
  }

  get(name: string): Uint8Array | null {
    return this.#files.get(name) ?? null
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    this.#files.set(name, bytes.slice())
  }

  space(): { free: number; total: number } {
    return { free: Math.max(0, this.#maxBytes - this.usedBytes), total: this.#maxBytes }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#stores.values()].map(({ store }) => store.close()))
  }
}

interface MemorySegment {
  readonly baseOffset: number
  endOffset: number
  sizeInBytes: number
  maxTimestamp: number
  firstTimestamp: number
  readonly indexEntries: number
}

function emptySegment(baseOffset: number): MemorySegment {
  return { baseOffset, endOffset: baseOffset, sizeInBytes: 0, maxTimestamp: -1, firstTimestamp: -1, indexEntries: 0 }
}

export class MemoryStore implements Store {
  readonly shared = false
  readonly damage = null
  readonly topicPartition: TopicPartition
  options: StoreOptions
  readonly #volume: MemoryVolume
  readonly #timers: Timers
  readonly #chunks = new ChunkQueue<Chunk>()
  readonly #files = new Map<string, Uint8Array>()
  #segments: MemorySegment[] = [emptySegment(0)]
  #observers = new Observers()
  #announced = true
  #sizeInBytes = 0
  #closed = false

  constructor(volume: MemoryVolume, timers: Timers, topicPartition: TopicPartition, options: StoreOptions) {
    this.#volume = volume
    this.#timers = timers
    this.topicPartition = topicPartition
    this.options = options
  }

  /** The next user of what a closed store holds. */
  reopen(options: StoreOptions): void {
    if (this.#closed) this.#observers = new Observers()
    this.#closed = false
    this.options = options
  }

  get startOffset(): number {
    return this.#segments[0]!.baseOffset
  }

  get endOffset(): number {
    return this.#active.endOffset
  }

  get writtenOffset(): number {
    return this.endOffset
  }

  get durableOffset(): number {
    return this.endOffset
  }

  get sizeInBytes(): number {
    return this.#sizeInBytes
  }

  get #active(): MemorySegment {
    return this.#segments[this.#segments.length - 1]!
  }

  observe(observer: StoreObserver): void {
    this.#observers.add(observer)
  }

  append(bytes: Uint8Array, batches: readonly BatchSummary[]): void {
    if (this.#closed) throw new KafkaError('KAFKA_STORAGE_ERROR', 'The store is closed')
    checkAppend(this.endOffset, bytes, batches)
    if (this.#volume.space().free < bytes.length) {
      throw new KafkaError('KAFKA_STORAGE_ERROR', 'The memory for records is full: shorten retention or give it more')
    }
    const first = batches[0]!
    if (mustRoll(this.#active, this.options, batches, bytes.length)) this.#rollTo(first.baseOffset)
    const segment = this.#active
    if (segment.sizeInBytes === 0) segment.firstTimestamp = first.maxTimestamp
    for (const batch of batches) segment.maxTimestamp = Math.max(segment.maxTimestamp, batch.maxTimestamp)
    segment.endOffset = batches[batches.length - 1]!.lastOffset + 1
    this.#grow(segment, bytes.length)
    this.#chunks.push({
      bytes: this.#volume.blocks.keep(bytes),
      baseOffset: first.baseOffset,
      endOffset: segment.endOffset,
    })
    this.#announce()
  }

  sync(): Promise<number> {
    return Promise.resolve(this.durableOffset)
  }

  read(from: number, maxBytes: number, upTo: number): Uint8Array[] {
    checkRead(from, this.startOffset, this.endOffset)
    return this.#chunks.read(from, maxBytes, upTo)
  }

  batchForTimestamp(timestamp: number): number | null {
    const segment = this.#segments.find(({ maxTimestamp }) => maxTimestamp >= timestamp)
    if (segment === undefined) return null
    for (const batch of this.#chunks.batches(segment.baseOffset)) {
      if (batch.maxTimestamp >= timestamp) return batch.baseOffset
    }
    return null
  }

  scan(from: number): Iterable<BatchHeader> {
    return this.#chunks.batches(from)
  }

  async truncate(to: number): Promise<void> {
    if (to >= this.endOffset) return
    this.#chunks.cut(to)
    const [last, ...older] = this.#segments.filter(segment => segment.baseOffset < to).reverse()
    this.#segments = [...older.reverse(), last === undefined ? emptySegment(to) : this.#remeasured(last, to)]
    const size = this.#segments.reduce((sum, segment) => sum + segment.sizeInBytes, 0)
    this.#volume.usedBytes += size - this.#sizeInBytes
    this.#sizeInBytes = size
  }

  /** The last segment, as the chunks that are left tell it. */
  #remeasured(segment: MemorySegment, to: number): MemorySegment {
    const measured = { ...emptySegment(segment.baseOffset), endOffset: to }
    for (const batch of this.#chunks.batches(segment.baseOffset)) {
      if (measured.sizeInBytes === 0) measured.firstTimestamp = batch.maxTimestamp
      measured.sizeInBytes += batch.sizeInBytes
      measured.maxTimestamp = Math.max(measured.maxTimestamp, batch.maxTimestamp)
    }
    return measured
  }

  async reset(at: number): Promise<void> {
    this.#chunks.clear()
    this.#grow(this.#active, -this.#sizeInBytes)
    this.#segments = [emptySegment(at)]
  }

  async trim(to: number): Promise<void> {
    let count = 0
    while (count < this.#segments.length - 1 && this.#segments[count]!.endOffset <= to) count++
    if (count === 0) return
    for (const segment of this.#segments.slice(0, count)) this.#grow(segment, -segment.sizeInBytes)
    this.#segments = this.#segments.slice(count)
    while ((this.#chunks.first?.endOffset ?? Infinity) <= this.startOffset) this.#chunks.shift()
  }

  roll(): void {
    if (this.#active.sizeInBytes > 0) this.#rollTo(this.endOffset)
  }

  segments(): readonly Segment[] {
    return this.#segments
  }

  names(): readonly string[] {
    return [...this.#files.keys()].sort()
  }

  get(name: string): Uint8Array | null {
    return this.#files.get(name) ?? null
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    this.#files.set(name, bytes.slice())
  }

  drop(name: string): void {
    this.#files.delete(name)
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  /** Its partition was removed. */
  discard(): void {
    void this.reset(0)
    this.#files.clear()
    this.#closed = true
  }

  #rollTo(baseOffset: number): void {
    this.#active.endOffset = baseOffset
    const closed = this.#segments.filter(({ sizeInBytes }) => sizeInBytes > 0)
    this.#segments = [...closed, emptySegment(baseOffset)]
  }

  #grow(segment: MemorySegment, bytes: number): void {
    segment.sizeInBytes += bytes
    this.#sizeInBytes += bytes
    this.#volume.usedBytes += bytes
  }

  #announce(): void {
    if (!this.#announced) return
    this.#announced = false
    this.#timers.soon(() => {
      this.#announced = true
      if (this.#closed) return
      this.#observers.written(this.endOffset)
      this.#observers.durable(this.endOffset)
    })
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}
