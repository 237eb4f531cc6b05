import { type Codec, corrupt, tooLarge } from './codec.ts'
import { compressSnappyBlock, decompressSnappyBlock, snappyBound, snappyLength } from './snappy-block.ts'

/**
 * Snappy as Kafka's Java client writes it: the frames of the library snappy-java ("xerial"). A header of magic and two
 * versions, then blocks with their lengths before them. Others (older librdkafka, sarama by choice) send one raw block.
 */

const magic = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00] as const
const headerBytes = 16
/** snappy-java's own default. */
const blockBytes = 32 * 1024

export const snappy: Codec = { type: 'snappy', compress: compressSnappy, decompress: decompressSnappy }

function compressSnappy(bytes: Uint8Array): Uint8Array {
  const blocks = Math.ceil(bytes.length / blockBytes)
  const dst = Buffer.allocUnsafeSlow(headerBytes + blocks * (4 + snappyBound(blockBytes)))
  dst.set(magic)
  dst.writeInt32BE(1, 8)
  dst.writeInt32BE(1, 12)
  let at = headerBytes
  for (let from = 0; from < bytes.length; from += blockBytes) {
    const end = compressSnappyBlock(bytes, from, Math.min(bytes.length, from + blockBytes), dst, at + 4)
    dst.writeInt32BE(end - at - 4, at)
    at = end
  }
  return dst.subarray(0, at)
}

function decompressSnappy(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (!isXerial(bytes, 0)) {
    const length = snappyLength(bytes, 0, bytes.length)
    if (length > maxBytes) throw tooLarge('snappy', maxBytes)
    const dst = Buffer.allocUnsafeSlow(length)
    decompressSnappyBlock(bytes, 0, bytes.length, dst, 0)
    return dst
  }
  const dst = Buffer.allocUnsafeSlow(contentLength(bytes, maxBytes))
  let at = 0
  eachBlock(bytes, (from, to) => {
    at = decompressSnappyBlock(bytes, from, to, dst, at)
  })
  return dst
}

function contentLength(bytes: Uint8Array, maxBytes: number): number {
  let length = 0
  eachBlock(bytes, (from, to) => {
    length += snappyLength(bytes, from, to)
    if (length > maxBytes) throw tooLarge('snappy', maxBytes)
  })
  return length
}

/** Walks over all blocks. Frames may stand one after the other: a header where a length should be begins the next. */
function eachBlock(bytes: Uint8Array, visit: (from: number, to: number) => void): void {
  let at = 0
  while (at < bytes.length) {
    if (isXerial(bytes, at)) {
      at += headerBytes
      continue
    }
    if (bytes.length - at < 4) throw corrupt('snappy: cut off between blocks')
    const size = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
    at += 4
    if (size < 0 || size > bytes.length - at) throw corrupt('snappy: a block reaches past the end')
    visit(at, at + size)
    at += size
  }
}

function isXerial(bytes: Uint8Array, at: number): boolean {
  if (bytes.length - at < headerBytes) return false
  for (let i = 0; i < magic.length; i++) if (bytes[at + i] !== magic[i]) return false
  return true
}
