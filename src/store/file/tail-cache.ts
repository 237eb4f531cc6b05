import type { Blocks } from '../blocks.ts'
import { type Chunk, ChunkQueue } from '../chunks.ts'

/** What was appended last to one partition; see `TailCache`. */
export interface TailChunk extends Chunk {
  readonly tail: Tail
  older: TailChunk | null
  newer: TailChunk | null
}

/** Bytes of objects that remember one chunk. */
const chunkOverhead = 256
/**
 * Small batches of one partition share a piece of memory and one chunk: an object for each would need more than the batch.
 * A piece is as large as what the partition has filled lately, so that a thousand quiet partitions hold next to nothing.
 */
const largestPiece = 16 * 1024
const smallestPiece = 512

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
  /** The piece that the last chunk lies in, when more may come behind it; how much of it is filled. */
  #piece: Uint8Array | null = null
  #filled = 0
  #pieceBytes = smallestPiece
  /** Chunks that end above it are not in the file yet. */
  writtenOffset = 0

  constructor(cache: TailCache) {
    this.#cache = cache
  }

  get first(): TailChunk | undefined {
    return this.#chunks.first
  }

  get chunks(): number {
    return this.#chunks.length
  }

  /** Keeps a copy, which is returned. */
  push(bytes: Uint8Array, baseOffset: number, endOffset: number): Uint8Array {
    this.#bytes += bytes.length
    if (bytes.length > largestPiece / 2) return this.#add(this.#cache.blocks.keep(bytes), baseOffset, endOffset)
    const piece = this.#piece
    const last = this.#chunks.last
    if (piece === null || last === undefined || this.#filled + bytes.length > piece.length)
      return this.#begin(bytes, baseOffset, endOffset)
    const kept = piece.subarray(this.#filled, this.#filled + bytes.length)
    kept.set(bytes)
    this.#filled += bytes.length
    last.bytes = piece.subarray(0, this.#filled)
    last.endOffset = endOffset
    return kept
  }

  #begin(bytes: Uint8Array, baseOffset: number, endOffset: number): Uint8Array {
    // Filled before something else came: the next one may be larger.
    if (this.#piece !== null) this.#pieceBytes = Math.min(largestPiece, this.#pieceBytes * 4)
    const piece = this.#cache.blocks.reserve(Math.max(this.#pieceBytes, bytes.length))
    const kept = piece.subarray(0, bytes.length)
    kept.set(bytes)
    this.#add(kept, baseOffset, endOffset)
    this.#piece = piece
    this.#filled = bytes.length
    return kept
  }

  #add(bytes: Uint8Array, baseOffset: number, endOffset: number): Uint8Array {
    const chunk: TailChunk = { bytes, baseOffset, endOffset, tail: this, older: null, newer: null }
    this.#chunks.push(chunk)
    this.#cache.enter(chunk)
    this.#piece = null
    return bytes
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
    if (this.#chunks.length === 0) this.#close()
    this.#gone(first)
    return true
  }

  /** What comes next begins a piece of its own: a small one, for who knows when that will be. */
  #close(): void {
    this.#piece = null
    this.#pieceBytes = smallestPiece
  }

  /** See `ChunkQueue.cut`. */
  cut(to: number): void {
    // Readers may still hold what is cut off: nothing may be written over it.
    this.#close()
    this.#chunks.cut(to, chunk => this.#gone(chunk))
    // The last chunk may have been cut in its middle.
    this.#bytes = 0
    for (const chunk of this.#chunks) this.#bytes += chunk.bytes.length
    this.writtenOffset = Math.min(this.writtenOffset, to)
  }

  clear(): void {
    this.#close()
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
