import { batchOverhead, lastOffset, sizeInBytes } from '../../protocol/batches/header.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { File } from '../../world/world.ts'
import type { Blocks } from '../blocks.ts'
import { headerProblem } from './cursor.ts'

/** The most bytes of batches that one read takes from a disk, however much is asked for: they become one buffer. */
export const maxReadBytes = 8 * 1024 * 1024

export interface ReadRange {
  /** Where a batch begins, at or before the one that is wanted. */
  readonly position: number
  /** Where the batches in the file end. */
  readonly end: number
  /** Bytes that may lie between `position` and the batch that is wanted. */
  readonly slack: number
  readonly from: number
  readonly maxBytes: number
  readonly upTo: number
  /** Offsets of the segment: none below the first, none at or above the second. */
  readonly baseOffset: number
  readonly endOffset: number
}

export interface ReadResult {
  /** Whole batches; empty when none reaches `from` and stays below `upTo`. */
  readonly bytes: Uint8Array
  /** Of the first byte after them. */
  readonly endPosition: number
}

const nothing = new Uint8Array(0)

/**
 * Whole batches from one segment's file, without blocking the event loop; see `Store.read`. Rejects with CORRUPT_MESSAGE at
 * bytes that are no batch. A bad batch after good ones ends the read: it is reported when it is asked for.
 */
export async function readLater(file: File, range: ReadRange, blocks: Blocks): Promise<ReadResult> {
  const maxBytes = Math.min(range.maxBytes, maxReadBytes)
  let { position, slack } = range
  while (position < range.end) {
    const wanted = Math.min(Math.max(maxBytes, batchOverhead) + slack, range.end - position)
    const block = await take(file, position, wanted, blocks)
    const at = skip(block, position, range)
    if (at + batchOverhead > block.length || lastOffset(block, at) < range.from) {
      if (at === 0) throw corrupt(range, position, 'its header is cut off')
      position += at
      slack = 0
      continue
    }
    if (lastOffset(block, at) >= range.upTo) break
    const size = sizeInBytes(block, at)
    // The first batch is given however large it is.
    if (at + size > block.length) {
      return { bytes: await take(file, position + at, size, blocks), endPosition: position + at + size }
    }
    const end = endOf(block, at, position, maxBytes, range)
    return { bytes: block.subarray(at, end), endPosition: position + end }
  }
  return { bytes: nothing, endPosition: position }
}

/** Where the first batch begins that ends at or above `from`, or that is not in the block as far as its header. */
function skip(block: Uint8Array, position: number, range: ReadRange): number {
  let at = 0
  let next = range.baseOffset
  while (at + batchOverhead <= block.length) {
    const problem = problemAt(block, at, position, next, range)
    if (problem !== null) throw corrupt(range, position + at, problem)
    if (lastOffset(block, at) >= range.from) return at
    next = lastOffset(block, at) + 1
    at += sizeInBytes(block, at)
  }
  return at
}

function endOf(block: Uint8Array, start: number, position: number, maxBytes: number, range: ReadRange): number {
  let at = start
  let next = range.baseOffset
  while (at + batchOverhead <= block.length && problemAt(block, at, position, next, range) === null) {
    const end = at + sizeInBytes(block, at)
    if (end > block.length || lastOffset(block, at) >= range.upTo || (at > start && end - start > maxBytes)) break
    next = lastOffset(block, at) + 1
    at = end
  }
  return at
}

function problemAt(block: Uint8Array, at: number, position: number, next: number, range: ReadRange): string | null {
  const problem = headerProblem(block, at, range.end - position - at, next)
  if (problem !== null) return problem
  const last = lastOffset(block, at)
  return last < range.endOffset ? null : `its last offset ${last} should be below ${range.endOffset}`
}

async function take(file: File, position: number, bytes: number, blocks: Blocks): Promise<Uint8Array> {
  const block = blocks.borrow(bytes)
  const filled = await file.readLater(block, position)
  if (filled < bytes) throw new KafkaError('CORRUPT_MESSAGE', `The file ends ${bytes - filled} bytes too early`)
  return block
}

function corrupt(range: ReadRange, position: number, problem: string): KafkaError {
  const where = `at byte ${position} of the segment that begins with offset ${range.baseOffset}`
  return new KafkaError('CORRUPT_MESSAGE', `There is no valid batch ${where}: ${problem}`)
}
