import { int32At } from '../../protocol/batches/bytes.ts'
import {
  type BatchHeader,
  batchLengthAt,
  batchOverhead,
  logOverhead,
  magic,
  readHeader,
} from '../../protocol/batches/header.ts'
import type { File } from '../../world/world.ts'

const firstBlockBytes = 8 * 1024
const largestBlockBytes = 256 * 1024

/** Walks over the headers of one segment, block by block, and believes none of them. */
export class HeaderCursor {
  readonly #file: () => File
  readonly #end: number
  #block = new Uint8Array(0)
  #blockAt = 0
  #blockBytes = firstBlockBytes
  readonly #limit: number
  #nextAt: number
  #nextOffset: number
  /** Of the batch that `next` found. */
  position: number
  /** Where the batch ends that `next` found; before the first one, where the walk begins. */
  get end(): number {
    return this.#nextAt
  }
  /** Why `next` gave null: what stands at `end` is no batch. Null also when the segment simply ends. */
  problem: string | null = null

  /** From the batch at `position` to `end`; `file` is asked for again and again, because it may be closed in between. No batch may begin below `baseOffset` or reach `limit`. */
  constructor(file: () => File, position: number, end: number, baseOffset: number, limit = Number.MAX_SAFE_INTEGER) {
    this.#file = file
    this.#end = end
    this.#limit = limit
    this.position = position
    this.#nextAt = position
    this.#nextOffset = baseOffset
  }

  next(): BatchHeader | null {
    const at = this.#nextAt
    if (at >= this.#end) return null
    if (this.#end - at < batchOverhead) return this.#stop('its header is cut off')
    if (at < this.#blockAt || at + batchOverhead > this.#blockAt + this.#block.length) this.#fill(at)
    const inBlock = at - this.#blockAt
    if (inBlock + batchOverhead > this.#block.length) return this.#stop('its header is cut off')
    const problem = headerProblem(this.#block, inBlock, this.#end - at, this.#nextOffset)
    if (problem !== null) return this.#stop(problem)
    const header = readHeader(this.#block, inBlock)
    if (header.lastOffset >= this.#limit)
      return this.#stop(`its last offset ${header.lastOffset} should be below ${this.#limit}`)
    this.position = at
    this.#nextAt = at + header.sizeInBytes
    this.#nextOffset = header.lastOffset + 1
    return header
  }

  #stop(problem: string): null {
    this.problem = problem
    return null
  }

  #fill(at: number): void {
    // A buffer of its own each time: headers are read at once, and generators may be suspended for long.
    const block = new Uint8Array(Math.min(this.#blockBytes, this.#end - at))
    this.#block = block.subarray(0, this.#file().read(block, at))
    this.#blockAt = at
    this.#blockBytes = Math.min(2 * this.#blockBytes, largestBlockBytes)
  }
}

/**
 * Why no whole batch of magic 2 begins at `at`, or null. Expects `batchOverhead` bytes there; `available` is how many bytes
 * the batch may have, `nextOffset` the lowest offset it may begin with.
 */
export function headerProblem(bytes: Uint8Array, at: number, available: number, nextOffset: number): string | null {
  const length = int32At(bytes, at + batchLengthAt)
  if (length === 0 && isBlank(bytes, at)) return 'there are only zeros'
  if (length < batchOverhead - logOverhead) return `its length ${length} is too small`
  if (magic(bytes, at) !== 2) return `its magic is ${magic(bytes, at)}, not 2`
  if (length > available - logOverhead) return `it is cut off: ${available} of ${length + logOverhead} bytes are there`
  const { baseOffset, lastOffset, lastOffsetDelta, maxTimestamp } = readHeader(bytes, at)
  if (!Number.isSafeInteger(lastOffset) || lastOffsetDelta < 0) return 'its offsets are out of range'
  if (!Number.isSafeInteger(maxTimestamp)) return 'its timestamp is out of range'
  return baseOffset < nextOffset ? `its offset ${baseOffset} should be ${nextOffset} at least` : null
}

function isBlank(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + batchOverhead; i++) if (bytes[i] !== 0) return false
  return true
}
