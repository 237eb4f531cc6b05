/** Pieces below this many bytes are copied together: each would be an object that takes more than its bytes. */
const smallBytes = 1024
const largestBlock = 16 * 1024

/**
 * Bytes that come bit by bit and are wanted as a whole. A client that sends them one by one costs hardly more memory than one
 * that sends them all at once; whoever sends them at once has nothing copied.
 */
export class Pieces {
  #bytes = 0
  /** As it came, while it is all that there is. */
  #only: Buffer | null = null
  readonly #whole: Buffer[] = []
  /** Where small ones go. */
  #block: Buffer | null = null
  #used = 0

  get bytes(): number {
    return this.#bytes
  }

  add(piece: Buffer): void {
    if (piece.length === 0) return
    const isFirst = this.#bytes === 0
    this.#bytes += piece.length
    if (isFirst) {
      this.#only = piece
      return
    }
    if (this.#only !== null) this.#keep(this.#only)
    this.#only = null
    this.#keep(piece)
  }

  /** All of them in one, and begins anew. */
  take(): Buffer {
    const all = this.#only ?? this.#joined()
    this.clear()
    return all
  }

  clear(): void {
    this.#bytes = 0
    this.#only = null
    this.#whole.length = 0
    this.#block = null
  }

  #joined(): Buffer {
    this.#closeBlock()
    return Buffer.concat(this.#whole, this.#bytes)
  }

  #keep(piece: Buffer): void {
    // A small view would keep alive what it is a view of.
    if (piece.length >= smallBytes && piece.length * 2 >= piece.buffer.byteLength) {
      this.#closeBlock()
      this.#whole.push(piece)
      return
    }
    for (let rest = piece; rest.length > 0; ) {
      if (this.#block === null) {
        this.#block = Buffer.allocUnsafeSlow(Math.max(256, Math.min(largestBlock, this.#bytes)))
        this.#used = 0
      }
      const copied = rest.copy(this.#block, this.#used)
      this.#used += copied
      rest = rest.subarray(copied)
      if (this.#used === this.#block.length) this.#closeBlock()
    }
  }

  #closeBlock(): void {
    if (this.#block !== null && this.#used > 0) this.#whole.push(this.#block.subarray(0, this.#used))
    this.#block = null
  }
}
