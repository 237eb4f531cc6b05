import { crc, lastOffset, leaderEpoch, magic, sizeInBytes } from '../../src/protocol/batches/header.ts'
import type { MemoryDisk } from '../../src/world/memory-disk.ts'

/** A batch as it lies on a disk. */
export interface StoredBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly leaderEpoch: number
  readonly crc: number
}

/** Which of a disk's two truths: what the page cache has, or what a power cut would certainly leave. */
export type View = 'memory' | 'platter'

/** Reads a partition's log behind its owner's back: from the files, by Kafka's format, and not by the code under test. */
export function readLog(disk: MemoryDisk, folder: string, view: View, from = 0): StoredBatch[] {
  const files = filesOf(disk, folder, view)
  // The last segment that begins at or below `from`.
  let first = files.findLastIndex(({ base }) => base <= from)
  if (first < 0) first = 0
  const batches: StoredBatch[] = []
  let expected = -1
  for (const { base, bytes } of files.slice(first)) {
    if (expected >= 0 && base !== expected) break
    let at = 0
    let end = base
    while (at + 61 <= bytes.length) {
      const size = sizeInBytes(bytes, at)
      if (magic(bytes, at) !== 2 || size < 61 || at + size > bytes.length) return batches
      const batch = {
        baseOffset: Number(bytes.readBigInt64BE(at)),
        lastOffset: lastOffset(bytes, at),
        leaderEpoch: leaderEpoch(bytes, at),
        crc: crc(bytes, at),
      }
      if (batch.baseOffset < end) return batches
      end = batch.lastOffset + 1
      if (end > from) batches.push(batch)
      at += size
    }
    if (at < bytes.length) return batches
    expected = end
  }
  return batches
}

function filesOf(disk: MemoryDisk, folder: string, view: View): { base: number; bytes: Buffer }[] {
  const names = view === 'memory' ? disk.look(folder) : disk.platterNames(folder)
  const files: { base: number; bytes: Buffer }[] = []
  for (const name of names) {
    if (!/^\d{20}\.log$/.test(name)) continue
    const bytes = view === 'memory' ? disk.lookAt(`${folder}/${name}`) : disk.platter(`${folder}/${name}`)
    if (bytes !== null) files.push({ base: Number(name.slice(0, 20)), bytes })
  }
  return files
}
