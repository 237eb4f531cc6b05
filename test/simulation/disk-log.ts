import {
  baseOffset,
  crc,
  expectedCrc,
  lastOffset,
  leaderEpoch,
  magic,
  sizeInBytes,
} from '../../src/protocol/batches/header.ts'
import type { MemoryDisk } from '../../src/world/memory-disk.ts'

/** A batch as it lies on a disk. */
export interface StoredBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly leaderEpoch: number
  readonly crc: number
  /** Its bytes are those of which the CRC speaks. */
  readonly whole: boolean
}

/** Which of a disk's two truths: what the page cache has, or what a power cut would certainly leave. */
export type View = 'memory' | 'platter'

/** Where a reader of a log stands: so that the next look need not begin at the beginning. */
export interface Cursor {
  base: number
  at: number
  offset: number
  /** Where the batch before it begins, and its CRC: as long as that is there, nothing was cut off and written anew. */
  last: number
  crc: number
}

/**
 * Reads a partition's log behind its owner's back, from `from` on: from the files, by Kafka's format, and not by the code
 * under test. With a cursor it goes on where it was, if that makes sense, and leaves it at the first batch at or above `keep`.
 */
export function readLog(
  disk: MemoryDisk,
  folder: string,
  view: View,
  from = 0,
  cursor?: Cursor,
  keep = from,
): StoredBatch[] {
  const batches: StoredBatch[] = []
  const bases = basesOf(disk, folder, view)
  let first = bases.findLastIndex(base => base <= from)
  if (first < 0) first = 0
  let expected = -1
  for (let i = first; i < bases.length; i++) {
    const base = bases[i] as number
    const bytes = bytesOf(disk, `${folder}/${nameOf(base)}`, view)
    if (bytes === null || (expected >= 0 && base !== expected)) break
    let at = 0
    let end = base
    if (cursor !== undefined && cursor.base === base && cursor.offset <= from && holdsAt(bytes, cursor)) {
      at = cursor.at
      end = cursor.offset
    }
    while (at + 61 <= bytes.length) {
      const size = sizeInBytes(bytes, at)
      if (magic(bytes, at) !== 2 || size < 61 || at + size > bytes.length) return batches
      const batch = {
        baseOffset: baseOffset(bytes, at),
        lastOffset: lastOffset(bytes, at),
        leaderEpoch: leaderEpoch(bytes, at),
        crc: crc(bytes, at),
        whole: crc(bytes, at) === expectedCrc(bytes, at),
      }
      if (batch.baseOffset < end) return batches
      end = batch.lastOffset + 1
      if (end > from) batches.push(batch)
      at += size
      if (cursor !== undefined && end <= keep)
        Object.assign(cursor, { base, at, offset: end, last: at - size, crc: batch.crc })
    }
    if (at < bytes.length) return batches
    expected = end
  }
  return batches
}

/** What is not committed may have been cut off meanwhile. */
function holdsAt(bytes: Buffer, { at, offset, last, crc: expected }: Cursor): boolean {
  return at <= bytes.length && crc(bytes, last) === expected && lastOffset(bytes, last) + 1 === offset
}

const nameOf = (base: number): string => `${String(base).padStart(20, '0')}.log`

function basesOf(disk: MemoryDisk, folder: string, view: View): number[] {
  const bases: number[] = []
  for (const name of view === 'memory' ? disk.look(folder) : disk.platterNames(folder)) {
    if (name.length === 24 && name.endsWith('.log')) bases.push(Number(name.slice(0, 20)))
  }
  return bases
}

function bytesOf(disk: MemoryDisk, path: string, view: View): Buffer | null {
  return view === 'memory' ? disk.lookAt(path) : disk.platter(path)
}
