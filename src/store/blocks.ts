/**
 * Memory for batches, used again and again. A fresh megabyte for each megabyte that passes through would make the garbage
 * collector the busiest part of the broker (measured: 40 % of its time), since V8 counts such memory but sees only at a
 * full collection that it is free.
 *
 * A block is used again when nobody keeps batches in it and all views of it that were lent to readers were given back.
 * Giving back is optional: a block that somebody forgot is left to the garbage collector.
 */
const blockBytes = 1024 * 1024 + 64 * 1024
/** Blocks that wait for their next use. */
const mostFree = 16

interface State {
  /** Somebody remembers batches in it. */
  kept: boolean
  /** Views that readers hold. */
  lent: number
}

export class Blocks {
  readonly #free: Uint8Array[] = []
  readonly #states = new WeakMap<ArrayBufferLike, State>()
  #block: Uint8Array = new Uint8Array(0)
  #used = 0

  /** A copy of `bytes`, so that the memory in which they were received can be used again. Say `forget` some day. */
  keep(bytes: Uint8Array): Uint8Array {
    const size = bytes.length
    if (size > blockBytes) return new Uint8Array(bytes)
    const kept = this.reserve(size)
    kept.set(bytes)
    return kept
  }

  /** `size` bytes of kept memory, to be filled bit by bit. Say `forget` some day. */
  reserve(size: number): Uint8Array {
    if (this.#used + size > this.#block.length) this.#next()
    const piece = this.#block.subarray(this.#used, this.#used + size)
    this.#used += size
    this.#states.get(piece.buffer)!.kept = true
    return piece
  }

  /** Nobody remembers anything in this buffer any more. */
  forget(buffer: ArrayBufferLike): void {
    const state = this.#states.get(buffer)
    if (state === undefined) return
    state.kept = false
    this.#reuse(buffer, state)
  }

  /** Memory of `size` bytes for a reader, who gives it back by `release`. */
  borrow(size: number): Uint8Array {
    if (size > blockBytes) return Buffer.allocUnsafeSlow(size)
    const block = this.#take()
    this.#states.set(block.buffer, { kept: false, lent: 1 })
    return block.subarray(0, size)
  }

  /** These views of kept batches go to a reader. */
  lend(views: readonly Uint8Array[]): void {
    for (const { buffer } of views) {
      const state = this.#states.get(buffer)
      if (state !== undefined) state.lent++
    }
  }

  /** A reader is done with these views, each of which was lent once. */
  release(views: readonly Uint8Array[]): void {
    for (const { buffer } of views) {
      const state = this.#states.get(buffer)
      if (state === undefined || state.lent === 0) continue
      state.lent--
      this.#reuse(buffer, state)
    }
  }

  #next(): void {
    const { buffer } = this.#block
    this.#block = this.#take()
    this.#used = 0
    this.#states.set(this.#block.buffer, { kept: false, lent: 0 })
    const state = this.#states.get(buffer)
    if (state !== undefined) this.#reuse(buffer, state)
  }

  #take(): Uint8Array {
    // Its bytes are written before they are read, so there is no need to clear them.
    return this.#free.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(blockBytes).buffer)
  }

  #reuse(buffer: ArrayBufferLike, { kept, lent }: State): void {
    if (kept || lent > 0 || buffer === this.#block.buffer) return
    this.#states.delete(buffer)
    if (this.#free.length < mostFree) this.#free.push(new Uint8Array(buffer))
  }
}
