import { batchOverhead, crc, expectedCrc, magic, sizeInBytes } from '../../protocol/batches/header.ts'
import type { VolumeContext } from './context.ts'
import { headerProblem } from './cursor.ts'
import { fileName, offsetIn, tornSuffix } from './names.ts'
import type { FileSegment } from './segment.ts'

const blockBytes = 1024 * 1024
/** What is kept of one cut: enough to find out what happened. */
const maxTornBytes = 64 * 1024 * 1024
/** Files kept in one partition's folder from one recovery to the next; the oldest go first. */
const maxTornFiles = 4

export interface Cut {
  /** Its file still has the bytes; everybody else has forgotten them. */
  readonly segment: FileSegment
  /** Records from this offset on are gone. */
  readonly offset: number
  readonly bytes: number
  readonly reason: string
  /** Intact batches followed on the bad one: it may have been rot in something acknowledged, rather than a torn write. */
  readonly doubtful: boolean
}

/** Forgets what follows on a segment's good batches; unless it is all zeros, it is kept in a `.torn` file. */
export function cutTail(context: VolumeContext, directory: string, segment: FileSegment, reason: string): Cut {
  const { disk } = context.world
  const { sizeInBytes: position, endOffset: offset, writtenBytes } = segment
  const bytes = writtenBytes - position
  const file = context.handles.get(segment.path)
  const kept = { bytes: 0, blank: true, intact: false }
  const path = `${directory}/${fileName(offset, tornSuffix)}`
  if (disk.exists(path)) disk.remove(path)
  removeOldTorn(context, directory)
  const torn = disk.open(path, 'create')
  try {
    for (let at = position; at < writtenBytes && kept.bytes < maxTornBytes; ) {
      const block = Buffer.allocUnsafeSlow(Math.min(blockBytes, writtenBytes - at))
      const filled = block.subarray(0, file.read(block, at))
      if (filled.length === 0) break
      kept.blank &&= filled.every(byte => byte === 0)
      kept.intact ||= hasIntactBatch(filled, offset)
      torn.write([filled], kept.bytes)
      kept.bytes += filled.length
      at += filled.length
    }
  } finally {
    torn.close()
  }
  if (kept.blank) disk.remove(path)
  segment.writtenBytes = position
  return {
    segment,
    offset,
    bytes,
    reason: kept.blank && kept.bytes > 0 ? 'there are only zeros' : reason,
    doubtful: kept.intact,
  }
}

/** Keeps a whole segment that lies after a cut, under another name, however many there are. */
export function setAside(context: VolumeContext, directory: string, segment: FileSegment): void {
  const { disk } = context.world
  segment.closeFiles()
  disk.rename(segment.path, `${directory}/${fileName(segment.baseOffset, tornSuffix)}`)
  for (const path of [segment.offsets.path, segment.times.path]) if (disk.exists(path)) disk.remove(path)
}

function removeOldTorn(context: VolumeContext, directory: string): void {
  const { disk } = context.world
  const names = disk.list(directory).filter(name => offsetIn(name, tornSuffix) !== null)
  for (const name of names.slice(0, Math.max(0, names.length + 1 - maxTornFiles))) disk.remove(`${directory}/${name}`)
}

/** Looks at every byte, within one block: a batch that follows on a bad one begins anywhere. */
function hasIntactBatch(bytes: Uint8Array, minOffset: number): boolean {
  for (let at = 1; at + batchOverhead <= bytes.length; at++) {
    if (magic(bytes, at) !== 2 || headerProblem(bytes, at, bytes.length - at, minOffset) !== null) continue
    if (sizeInBytes(bytes, at) <= bytes.length - at && crc(bytes, at) === expectedCrc(bytes, at)) return true
  }
  return false
}
