import type { SnapshotId } from '../snapshot.ts'

/** The largest snapshot that is taken: it lies in memory until it is whole. */
const mostBytes = 1024 * 1024 * 1024

/** Puts a snapshot together from its parts. One at a time; parts of another one make this one forgotten. */
export class Downloads {
  #id: SnapshotId | null = null
  #parts: Uint8Array[] = []
  #bytes = 0

  /** The whole, when this was the last part. Throws when it is larger than we can take. */
  take(id: SnapshotId, position: number, bytes: Uint8Array, size: number): Uint8Array | null {
    if (size > mostBytes) throw new Error(`a snapshot of ${size} bytes is more than fits into memory`)
    if (position === 0 || this.#id?.endOffset !== id.endOffset || this.#id.epoch !== id.epoch) this.#begin(id)
    if (position !== this.#bytes) return null
    // It is a view of memory that will be used again.
    this.#parts.push(bytes.slice())
    this.#bytes += bytes.length
    if (this.#bytes < size) return null
    const whole = Buffer.concat(this.#parts)
    this.#begin(null)
    return whole
  }

  #begin(id: SnapshotId | null): void {
    this.#id = id
    this.#parts = []
    this.#bytes = 0
  }
}
