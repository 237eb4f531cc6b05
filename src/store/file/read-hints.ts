import { lastOffset, sizeInBytes } from '../../protocol/batches/header.ts'
import type { FileSegment } from './segment.ts'

/** Readers of one partition whose next position is remembered. */
const maxHints = 16

interface Hint {
  readonly segment: FileSegment
  readonly position: number
}

/** Where reads ended: whoever reads on in order needs no index. */
export class ReadHints {
  readonly #hints = new Map<number, Hint>()

  /** Position of the batch with offset `from`, where an earlier read ended there; null when it is not known. */
  take(segment: FileSegment, from: number): number | null {
    const hint = this.#hints.get(from)
    return hint !== undefined && hint.segment === segment ? hint.position : null
  }

  /** `bytes` are batches that end at `endPosition`. */
  note(segment: FileSegment, bytes: Uint8Array, endPosition: number): void {
    let last = 0
    for (let at = 0; at < bytes.length; at += sizeInBytes(bytes, at)) last = lastOffset(bytes, at)
    this.#hints.delete(last + 1)
    this.#hints.set(last + 1, { segment, position: endPosition })
    if (this.#hints.size > maxHints) this.#hints.delete(this.#hints.keys().next().value!)
  }

  clear(): void {
    this.#hints.clear()
  }
}
