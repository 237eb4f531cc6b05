import { baseOffset, lastOffset, sizeInBytes } from '../protocol/batches/header.ts'
import { validateBatch } from '../protocol/batches/iterate.ts'

/**
 * Where the first batch is whose bytes are not what was written: the offset after the one before it, 0 for the first. −1: all
 * are whole. No CRC covers a batch's base offset, so they are compared.
 */
export function firstRotten(views: readonly Uint8Array[]): number {
  let end = 0
  for (const bytes of views) {
    for (let at = 0; at < bytes.length; at += sizeInBytes(bytes, at)) {
      if (validateBatch(bytes, at) !== null || baseOffset(bytes, at) < end) return end
      end = lastOffset(bytes, at) + 1
    }
  }
  return -1
}

/**
 * What of a log need not be looked at again when it comes from the disk: what this process has written, and one stretch that
 * it has read and found whole. So each byte costs its CRC once in the life of a process, and new ones cost nothing.
 */
export class Soundness {
  #since: number
  #from = 0
  #to = 0

  /** `since`: where the log ended when it was opened. */
  constructor(since: number) {
    this.#since = since
  }

  /** All from there on was written by this process. */
  isOwn(offset: number): boolean {
    return offset >= this.#since
  }

  /** As `firstRotten`, of batches that follow on one another. */
  firstRotten(views: readonly Uint8Array[]): number {
    let first = -1
    let end = 0
    for (const bytes of views) {
      for (let at = 0; at < bytes.length; at += sizeInBytes(bytes, at)) {
        const base = baseOffset(bytes, at)
        const known = base >= this.#since || (base >= this.#from && base < this.#to)
        if (!known && (validateBatch(bytes, at) !== null || base < end)) return end
        if (first === -1) first = base
        end = lastOffset(bytes, at) + 1
      }
    }
    this.#learn(first, end)
    return -1
  }

  /** The log ends at `to`: what comes then is written by this process. */
  cut(to: number): void {
    this.#since = Math.min(this.#since, to)
    this.#to = Math.min(this.#to, to)
  }

  /** One stretch is enough: consumers read on where they were. */
  #learn(first: number, end: number): void {
    if (first < 0) return
    if (first <= this.#to && end >= this.#from) {
      this.#from = Math.min(this.#from, first)
      this.#to = Math.max(this.#to, end)
    } else if (end - first > this.#to - this.#from) {
      this.#from = first
      this.#to = end
    }
  }
}
