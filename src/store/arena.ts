/** Views smaller than this are copied: what they pin costs more than the copy (at most a microsecond or two). */
const copyBelowBytes = 8 * 1024
const blockBytes = 64 * 1024

/**
 * Keeps small pieces of received bytes without the large slab that they arrived in: a 100-byte batch must not hold 256 KiB
 * of memory for as long as it is remembered. Large pieces are kept as they are.
 */
export class Arena {
  #block = new Uint8Array(0)
  #used = 0

  /** The same bytes, in memory that is worth keeping. */
  keep(bytes: Uint8Array): Uint8Array {
    const size = bytes.length
    if (size >= copyBelowBytes || bytes.buffer.byteLength <= 2 * size) return bytes
    if (this.#used + size > this.#block.length) {
      this.#block = new Uint8Array(blockBytes)
      this.#used = 0
    }
    const kept = this.#block.subarray(this.#used, this.#used + size)
    kept.set(bytes)
    this.#used += size
    return kept
  }
}
