import type { Blocks } from '../blocks.ts'
import { type Chunk, ChunkQueue } from '../chunks.ts'

/** What was appended last to one partition; see `TailCache`. */
export interface TailChunk extends Chunk {
  readonly tail: Tail
  older: TailChunk | null
  newer: TailChunk | null
}

/** Bytes of objects that remember one chunk: with small batches they are more than the batches. */
const chunkOverhead = 256

/** For metrics. Counts since the start; bytes now. */
export interface TailCacheStats {
  readonly usedBytes: number
  readonly limitBytes: number
  readonly hits: number
  readonly misses: number
  readonly evictions: number
}

/**
 * The newest batches of all partitions, so that consumers and followers which keep up never touch the disk. Bounded by the
 * memory that it really holds: a view keeps the whole buffer alive in which it arrived, so buffers are counted, not views.
 * When it is full, the oldest batches of all go first.
 */
export class TailCache {
  readonly blocks: Blocks
  readonly limitBytes: number
  /** Bytes of batches of one partition. */
  readonly partitionBytes: number
  hits = 0
  misses = 0
  evictions = 0
  #usedBytes = 0
  #oldest: TailChunk | null = null
  #newest: TailChunk | null = null
  readonly #buffers = new Map<ArrayBufferLike, number>()

  constructor(blocks: Blocks, limitBytes: number, partitionBytes = Math.ceil(limitBytes / 2)) {
    this.blocks = blocks
    this.limitBytes = limitBytes
    this.partitionBytes = partitionBytes
  }

  get stats(): TailCacheStats {
    const { limitBytes, hits, misses, evictions } = this
    return { usedBytes: this.#usedBytes, limitBytes, hits, misses, evictions }
  }

  /** Lets the oldest go until the limit is kept. What is not written yet has to stay. */
  evict(): void {
    let chunk = this.#oldest
    while (chunk !== null && this.#usedBytes > this.limitBytes) {
      const next: TailChunk | null = chunk.newer
      // A tail lets go of its oldest chunk only; of one partition the older ones come first here, too.
      if (chunk.tail.first === chunk && chunk.tail.letGo()) this.evictions++
      chunk = next
    }
  }

  /** For `Tail`. */
  enter(chunk: TailChunk): void {
    chunk.older = this.#newest
    if (this.#newest === null) this.#oldest = chunk
    else this.#newest.newer = chunk
    this.#newest = chunk
    this.#usedBytes += chunkOverhead
    const { buffer } = chunk.bytes
    const views = this.#buffers.get(buffer) ?? 0
    this.#buffers.set(buffer, views + 1)
    if (views === 0) this.#usedBytes += buffer.byteLength
  }

  /** For `Tail`. */
  leave(chunk: TailChunk): void {
    if (chunk.older === null) this.#oldest = chunk.newer
    else chunk.older.newer = chunk.newer
    if (chunk.newer === null) this.#newest = chunk.older
    else chunk.newer.older = chunk.older
    // Chunks that are gone must not hold each other: old ones would keep younger ones from the garbage collector.
    chunk.older = chunk.newer = null
    this.#usedBytes -= chunkOverhead
    const { buffer } = chunk.bytes
    const views = this.#buffers.get(buffer)! - 1
    if (views > 0) {
      this.#buffers.set(buffer, views)
      return
    }
    this.#buffers.delete(buffer)
    this.#usedBytes -= buffer.byteLength
    this.blocks.forget(buffer)
  }
}

/** One partition's share of the tail cache, and its only place for batches that are not written yet. */
export class Tail {
  readonly #cache: TailCache
  readonly #chunks = new ChunkQueue<TailChunk>()
  #bytes = 0
  /** Chunks that end above it are not in the file yet. */
  writtenOffset = 0

  constructor(cache: TailCache) {
    this.#cache = cache
  }

  get first(): TailChunk | undefined {
    return this.#chunks.first
  }

  push(bytes: Uint8Array, baseOffset: number, endOffset: number): TailChunk {
    const chunk: TailChunk = { bytes, baseOffset, endOffset, tail: this, older: null, newer: null }
    this.#chunks.push(chunk)
    this.#bytes += bytes.length
    this.#cache.enter(chunk)
    return chunk
  }

  /** To be called when pushed chunks have been written: keeps the limits. */
  shrink(): void {
    while (this.#bytes > this.#cache.partitionBytes && this.letGo()) this.#cache.evictions++
    this.#cache.evict()
  }

  /** Forgets the oldest chunk; false when there is none that may go. */
  letGo(): boolean {
    const { first } = this.#chunks
    if (first === undefined || first.endOffset > this.writtenOffset) return false
    this.#chunks.shift()
    this.#gone(first)
    return true
  }

  /** See `ChunkQueue.cut`. */
  cut(to: number): void {
    this.#chunks.cut(to, chunk => this.#gone(chunk))
    // The last chunk may have been cut in its middle.
    this.#bytes = 0
    for (const chunk of this.#chunks) this.#bytes += chunk.bytes.length
    this.writtenOffset = Math.min(this.writtenOffset, to)
  }

  clear(): void {
    for (const chunk of this.#chunks) this.#gone(chunk)
    this.#chunks.clear()
    this.#bytes = 0
  }

  /** Null when the batches are not, or no longer, here. */
  read(from: number, maxBytes: number, upTo: number): Uint8Array[] | null {
    const { first } = this.#chunks
    if (first === undefined || from < first.baseOffset) {
      this.#cache.misses++
      return null
    }
    this.#cache.hits++
    const views = this.#chunks.read(from, maxBytes, upTo)
    this.#cache.blocks.lend(views)
    return views
  }

  batches(from: number): ReturnType<ChunkQueue<TailChunk>['batches']> {
    return this.#chunks.batches(from)
  }

  #gone(chunk: TailChunk): void {
    this.#bytes -= chunk.bytes.length
    this.#cache.leave(chunk)
  }
}
