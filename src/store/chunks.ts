import { type BatchHeader, baseOffset, lastOffset, readHeader, sizeInBytes } from '../protocol/batches/header.ts'

/** Whole batches that were appended together: bytes that somebody has checked. */
export interface Chunk {
  bytes: Uint8Array
  readonly baseOffset: number
  /** Offset after the last record. */
  endOffset: number
}

/** Chunks of one partition in the order of their offsets: taken in at the end, let go at the front. */
export class ChunkQueue<C extends Chunk> {
  #items: C[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  get first(): C | undefined {
    return this.#items[this.#head]
  }

  get last(): C | undefined {
    return this.length === 0 ? undefined : this.#items[this.#items.length - 1]
  }

  push(chunk: C): void {
    this.#items.push(chunk)
  }

  shift(): C | undefined {
    const first = this.#items[this.#head]
    if (first === undefined) return undefined
    // Let go of the reference at once; the holes are squeezed out now and then, so that a shift costs next to nothing.
    this.#items[this.#head++] = undefined as unknown as C
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
    } else if (this.#head >= 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return first
  }

  /**
   * Forgets the batches from offset `to` on; `gone` is told of each chunk that leaves whole. Throws RangeError, and changes
   * nothing, when a batch reaches across `to`.
   */
  cut(to: number, gone: (chunk: C) => void = () => {}): void {
    const at = this.#find(to)
    const partly = this.#items[at]
    if (partly === undefined) return
    const kept = positionOf(partly.bytes, to)
    const whole = kept === 0 ? at : at + 1
    for (let i = this.#items.length - 1; i >= whole; i--) gone(this.#items[i]!)
    this.#items.length = whole
    if (kept > 0) {
      partly.bytes = partly.bytes.subarray(0, kept)
      partly.endOffset = to
    }
    if (this.#head === this.#items.length) this.clear()
  }

  clear(): void {
    this.#items = []
    this.#head = 0
  }

  *[Symbol.iterator](): Generator<C, void, void> {
    for (let i = this.#head; i < this.#items.length; i++) yield this.#items[i]!
  }

  /** As `Store.read`, for an offset that lies in the chunks or in a gap before one of them. */
  read(from: number, maxBytes: number, upTo: number): Uint8Array[] {
    const views: Uint8Array[] = []
    let left = maxBytes
    for (let i = this.#find(from); i < this.#items.length; i++) {
      const chunk = this.#items[i]!
      if (chunk.baseOffset >= upTo) break
      const start = views.length === 0 ? skipBatches(chunk.bytes, from) : 0
      const rest = chunk.bytes.length - start
      const whole = chunk.endOffset <= upTo && rest <= left
      const end = whole ? chunk.bytes.length : batchesEnd(chunk.bytes, start, left, upTo, views.length === 0)
      if (end > start) pushView(views, start === 0 && whole ? chunk.bytes : chunk.bytes.subarray(start, end))
      if (!whole) break
      left -= rest
    }
    return views
  }

  /** Headers from the batch that contains `from` on. */
  *batches(from: number): Generator<BatchHeader, void, void> {
    let next = from
    for (let i = this.#find(from); i < this.#items.length; i++) {
      const { bytes } = this.#items[i]!
      for (let at = skipBatches(bytes, next); at < bytes.length; at += sizeInBytes(bytes, at)) {
        const header = readHeader(bytes, at)
        next = header.lastOffset + 1
        yield header
      }
      // The taker may have let chunks go at the front in the meantime.
      i = this.#find(next) - 1
    }
  }

  /** Index of the first chunk that ends above `offset`. */
  #find(offset: number): number {
    let low = this.#head
    let high = this.#items.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#items[middle]!.endOffset > offset) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** Where the first batch begins whose last offset is ≥ `from`. */
export function skipBatches(bytes: Uint8Array, from: number): number {
  let at = 0
  while (at < bytes.length && lastOffset(bytes, at) < from) at += sizeInBytes(bytes, at)
  return at
}

/** Where the batches end that lie below `upTo` and fit into `maxBytes`; `force` takes the first one at any size. */
export function batchesEnd(bytes: Uint8Array, from: number, maxBytes: number, upTo: number, force: boolean): number {
  let at = from
  while (at < bytes.length && lastOffset(bytes, at) < upTo) {
    const size = sizeInBytes(bytes, at)
    if (at + size - from > maxBytes && !(force && at === from)) break
    at += size
  }
  return at
}

/** Where the batches end that lie below `to`. Throws RangeError when one reaches across. */
export function positionOf(bytes: Uint8Array, to: number): number {
  let at = 0
  while (at < bytes.length && baseOffset(bytes, at) < to) {
    if (lastOffset(bytes, at) >= to) throw new RangeError(`The batch at ${baseOffset(bytes, at)} reaches across ${to}`)
    at += sizeInBytes(bytes, at)
  }
  return at
}

/** Neighbours in memory become one view: with small batches a read would else consist of thousands. */
export function pushView(views: Uint8Array[], bytes: Uint8Array): void {
  const last = views[views.length - 1]
  if (last !== undefined && last.buffer === bytes.buffer && last.byteOffset + last.length === bytes.byteOffset) {
    views[views.length - 1] = new Uint8Array(last.buffer, last.byteOffset, last.length + bytes.length)
  } else views.push(bytes)
}
