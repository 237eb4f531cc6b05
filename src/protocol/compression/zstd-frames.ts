import { corrupt } from './codec.ts'
import { wordAt } from './copy.ts'

/**
 * The outside of Zstandard frames (RFC 8878): where they end and how large their content can be at most. What decodes them
 * trusts the size that a frame states, and stops after the first frame; this neither trusts nor stops.
 */

const frameMagic = 0xfd2fb528 | 0
const skippableMagic = 0x184d2a50
const maxBlockBytes = 128 * 1024

export interface ZstdFrame {
  readonly from: number
  /** Position after the frame. */
  readonly to: number
  /** Stated size of the content; −1: not stated. */
  readonly contentBytes: number
  /** The content cannot be larger, by its blocks. */
  readonly mostBytes: number
}

/** All frames but the skippable ones. Throws CORRUPT_MESSAGE when their outside is broken. */
export function zstdFrames(bytes: Uint8Array): ZstdFrame[] {
  const frames: ZstdFrame[] = []
  let at = 0
  while (at < bytes.length) {
    if (bytes.length - at < 8) throw corrupt('zstd: cut off in a frame header')
    const magic = wordAt(bytes, at)
    if ((magic & ~0x0f) === skippableMagic) {
      at += 8 + (wordAt(bytes, at + 4) >>> 0)
      if (at > bytes.length) throw corrupt('zstd: cut off in a skippable frame')
      continue
    }
    if (magic !== frameMagic) throw corrupt('zstd: not a frame')
    const frame = readFrame(bytes, at)
    frames.push(frame)
    at = frame.to
  }
  return frames
}

function readFrame(bytes: Uint8Array, from: number): ZstdFrame {
  const descriptor = bytes[from + 4]!
  const sizeFlag = descriptor >> 6
  const singleSegment = (descriptor & 0x20) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!
  const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag
  const sizeAt = from + 5 + (singleSegment ? 0 : 1) + dictionaryBytes
  let at = sizeAt + sizeBytes
  if (at > bytes.length) throw corrupt('zstd: cut off in a frame header')

  let mostBytes = 0
  for (let last = false; !last; ) {
    if (bytes.length - at < 3) throw corrupt('zstd: cut off between blocks')
    const header = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)
    const kind = (header >> 1) & 3
    const size = header >> 3
    last = (header & 1) === 1
    if (kind === 3 || size > maxBlockBytes) throw corrupt('zstd: a block is not of a known kind or size')
    mostBytes += kind === 2 ? maxBlockBytes : size
    at += 3 + (kind === 1 ? 1 : size)
    if (at > bytes.length) throw corrupt('zstd: cut off in a block')
  }
  if ((descriptor & 0x04) !== 0) at += 4
  if (at > bytes.length) throw corrupt('zstd: cut off in the checksum')
  return { from, to: at, contentBytes: contentBytes(bytes, sizeAt, sizeBytes), mostBytes }
}

function contentBytes(bytes: Uint8Array, at: number, sizeBytes: number): number {
  if (sizeBytes === 0) return -1
  let size = sizeBytes === 2 ? 256 : 0
  for (let i = 0; i < sizeBytes; i++) size += bytes[at + i]! * 2 ** (8 * i)
  return size
}
