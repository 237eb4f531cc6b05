import { batchOverhead, crc, expectedCrc, readHeader, sizeInBytes } from '../../protocol/batches/header.ts'
import type { VolumeContext } from './context.ts'
import { headerProblem } from './cursor.ts'
import type { FileSegment } from './segment.ts'

const blockBytes = 2 * 1024 * 1024

/** Shared by all recoveries of the process: they run one after the other, each to its end. */
let shared: Buffer | null = null

/**
 * Checks one segment batch by batch, from the last index entry at or below `recoveryPoint` on: magic, length, offsets that
 * grow and stay below `limit`, where the next segment begins, epochs that do not fall, CRC-32C. Afterwards the segment's sums and indexes describe the good batches, and
 * `sizeInBytes` tells where they end. Returns what is wrong with what follows them; null when the file ends there.
 */
export function checkSegment(
  context: VolumeContext,
  segment: FileSegment,
  recoveryPoint: number,
  limit: number | undefined,
  indexIntervalBytes: number,
): string | null {
  const { offsets, times, baseOffset, writtenBytes } = segment
  offsets.cutNonsense(({ key, value }) => key >= 0 && value > 0 && value < writtenBytes)
  times.cutNonsense(({ value }) => value >= 0)
  const known = offsets.floor(recoveryPoint - 1 - baseOffset)
  if (known !== null) {
    const problem = walk(context, segment, known.value, baseOffset + known.key, limit, indexIntervalBytes)
    // When the index points into nowhere, it is the index that is wrong, until the whole segment says otherwise.
    if (problem === null || segment.sizeInBytes > known.value) return problem
  }
  offsets.clear()
  times.clear()
  return walk(context, segment, 0, Number.MAX_SAFE_INTEGER, limit, indexIntervalBytes)
}

/** `firstAtMost`: the batch at `position` must begin at or below this offset, else the index lied. */
function walk(
  context: VolumeContext,
  segment: FileSegment,
  position: number,
  firstAtMost: number,
  limit = Number.MAX_SAFE_INTEGER,
  indexIntervalBytes: number,
): string | null {
  const end = segment.writtenBytes
  segment.restartAt(position)
  shared ??= Buffer.allocUnsafeSlow(blockBytes)
  let block: Buffer = shared
  let nextOffset = segment.baseOffset
  let epoch = -1
  let at = position
  while (at < end) {
    // Asked for anew each time: with few files open at once, the indexes may have taken its place.
    const file = context.handles.get(segment.path)
    const filled = file.read(block.subarray(0, Math.min(block.length, end - at)), at)
    context.progress.read(filled, segment.path, at, end)
    if (context.distrusted) file.write([block.subarray(0, filled)], at)
    let inBlock = 0
    while (inBlock + batchOverhead <= filled) {
      const problem = headerProblem(block, inBlock, end - at - inBlock, nextOffset)
      if (problem !== null) return problem
      const size = sizeInBytes(block, inBlock)
      if (inBlock + size > filled) break
      const header = readHeader(block, inBlock)
      if (segment.sizeInBytes === position && header.baseOffset > firstAtMost) return 'the index is wrong'
      if (header.lastOffset >= limit) return `its last offset ${header.lastOffset} should be below ${limit}`
      if (crc(block, inBlock) !== expectedCrc(block, inBlock)) return `its CRC is wrong (offset ${header.baseOffset})`
      if (header.leaderEpoch >= 0 && header.leaderEpoch < epoch) {
        return `its leader epoch ${header.leaderEpoch} should be ${epoch} at least`
      }
      epoch = Math.max(epoch, header.leaderEpoch)
      nextOffset = header.lastOffset + 1
      segment.account(header, indexIntervalBytes)
      inBlock += size
    }
    if (inBlock === 0) {
      if (filled < batchOverhead) return 'its header is cut off'
      // One batch larger than the block. Its length was compared with what the file has.
      block = Buffer.allocUnsafeSlow(sizeInBytes(block, 0))
      continue
    }
    at += inBlock
    block = shared
  }
  return null
}
