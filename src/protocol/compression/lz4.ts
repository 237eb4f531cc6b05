import { type Codec, corrupt, tooLarge } from './codec.ts'
import { copyBytes, putWord, wordAt } from './copy.ts'
import { compressLz4Block, decompressLz4Block, lz4Bound } from './lz4-block.ts'
import { xxhash32 } from './xxhash.ts'

/** LZ4 frames (github.com/lz4/lz4, doc/lz4_Frame_format.md). Reads every kind, writes what Kafka's own producer writes. */

const frameMagic = 0x184d2204
const skippableMagic = 0x184d2a50
/** Version 01, independent blocks. */
const flags = 0x60
const independentBit = 0x20
const blockChecksumBit = 0x10
const contentSizeBit = 0x08
const contentChecksumBit = 0x04
const dictionaryBit = 0x01
/** 64 KiB. */
const blockSizeCode = 4
const blockBytes = 0x10000
const uncompressedBit = 0x80000000

export const lz4: Codec = {
  type: 'lz4',
  compress: (bytes, level = 9) => compressLz4(bytes, level),
  decompress: (bytes, maxBytes) => decompressLz4(bytes, maxBytes),
}

/** `level` as in `compression.lz4.level` (KIP-390): 9 is the fast compressor, all others search, the harder the higher. */
export function compressLz4(bytes: Uint8Array, level: number): Uint8Array {
  const tries = level === 9 ? 1 : 2 ** Math.min(12, level)
  const dst = Buffer.allocUnsafeSlow(lz4Bound(bytes.length) + 4 * Math.ceil(bytes.length / blockBytes) + 11)
  let at = putFrameHeader(dst)
  for (let from = 0; from < bytes.length; from += blockBytes) {
    const to = Math.min(bytes.length, from + blockBytes)
    const end = compressLz4Block(bytes, from, to, dst, at + 4, tries)
    const size = end - at - 4
    if (size < to - from) {
      putWord(dst, at, size)
      at = end
    } else {
      putWord(dst, at, (to - from) | uncompressedBit)
      copyBytes(bytes, from, dst, at + 4, to - from)
      at += 4 + to - from
    }
  }
  putWord(dst, at, 0)
  return dst.subarray(0, at + 4)
}

function putFrameHeader(dst: Uint8Array): number {
  putWord(dst, 0, frameMagic)
  dst[4] = flags
  dst[5] = blockSizeCode << 4
  dst[6] = xxhash32(dst, 4, 6) >>> 8
  return 7
}

/**
 * All frames, one after the other. With `brokenHeaderChecksum` the header's checksum is not compared: messages of magic 0
 * carry one that was computed over the wrong bytes (KIP-57).
 */
export function decompressLz4(bytes: Uint8Array, maxBytes: number, brokenHeaderChecksum = false): Uint8Array {
  let dst: Buffer = Buffer.allocUnsafeSlow(0)
  let at = 0
  let from = 0
  while (from < bytes.length) {
    const skipped = skippableFrame(bytes, from)
    if (skipped > 0) {
      from += skipped
      continue
    }
    const frame = readFrame(bytes, from, brokenHeaderChecksum)
    dst = withRoom(dst, at, frame.mostBytes, maxBytes)
    at = decodeBlocks(bytes, frame, dst, at, maxBytes)
    from = frame.end
  }
  return dst.subarray(0, at)
}

/** Memory for what a frame can hold at most. Grows by doubling: many small frames must not be copied again and again. */
function withRoom(dst: Buffer, used: number, more: number, maxBytes: number): Buffer {
  if (used + more <= dst.length || dst.length === maxBytes) return dst
  const larger = Buffer.allocUnsafeSlow(Math.min(maxBytes, Math.max(used + more, 2 * dst.length)))
  larger.set(dst.subarray(0, used))
  return larger
}

/** Bytes of a skippable frame that begins at `from`; 0 when there is none. */
function skippableFrame(bytes: Uint8Array, from: number): number {
  if (bytes.length - from < 8 || (wordAt(bytes, from) & ~0x0f) !== skippableMagic) return 0
  const size = 8 + (wordAt(bytes, from + 4) >>> 0)
  if (size > bytes.length - from) throw corrupt('lz4: cut off in a skippable frame')
  return size
}

interface Frame {
  /** Position of the first block's size. */
  readonly blocks: number
  /** Position after the frame. */
  readonly end: number
  readonly flags: number
  /** The content cannot be larger: by the blocks' number, form and compressed sizes, not by what the frame says. */
  readonly mostBytes: number
  /** −1: not stated. */
  readonly contentBytes: number
  readonly maxBlockBytes: number
}

/** Walks over a whole frame without decoding it, so that what follows can trust its sizes. */
function readFrame(bytes: Uint8Array, from: number, brokenHeaderChecksum: boolean): Frame {
  if (bytes.length - from < 7) throw corrupt('lz4: cut off in the frame header')
  if (wordAt(bytes, from) >>> 0 !== frameMagic) throw corrupt('lz4: not a frame')
  const flags = bytes[from + 4]!
  const sizeCode = (bytes[from + 5]! >> 4) & 7
  if (flags >> 6 !== 1) throw corrupt(`lz4: version ${flags >> 6} is not known`)
  if (sizeCode < 4) throw corrupt(`lz4: block size code ${sizeCode} is not known`)
  if ((flags & dictionaryBit) !== 0) throw corrupt('lz4: dictionaries are not supported')
  const sized = (flags & contentSizeBit) !== 0
  const headerEnd = from + (sized ? 14 : 6)
  if (headerEnd >= bytes.length) throw corrupt('lz4: cut off in the frame header')
  const checksum = (xxhash32(bytes, from + 4, headerEnd) >>> 8) & 0xff
  if (checksum !== bytes[headerEnd] && !brokenHeaderChecksum) throw corrupt('lz4: wrong header checksum')
  const contentBytes = sized ? (wordAt(bytes, from + 6) >>> 0) + (wordAt(bytes, from + 10) >>> 0) * 0x1_0000_0000 : -1

  const maxBlockBytes = 1 << (8 + 2 * sizeCode)
  const trailer = (flags & blockChecksumBit) !== 0 ? 4 : 0
  let at = headerEnd + 1
  let mostBytes = 0
  for (;;) {
    if (bytes.length - at < 4) throw corrupt('lz4: cut off between blocks')
    const word = wordAt(bytes, at) >>> 0
    at += 4
    if (word === 0) break
    const size = word & 0x7fffffff
    if (size > maxBlockBytes) throw corrupt('lz4: a block is larger than its frame allows')
    if (size + trailer > bytes.length - at) throw corrupt('lz4: cut off in a block')
    mostBytes += word >= uncompressedBit ? size : Math.min(maxBlockBytes, size * 255)
    at += size + trailer
  }
  if ((flags & contentChecksumBit) !== 0) at += 4
  if (at > bytes.length) throw corrupt('lz4: cut off in the content checksum')
  return { blocks: headerEnd + 1, end: at, flags, mostBytes, contentBytes, maxBlockBytes }
}

function decodeBlocks(bytes: Uint8Array, frame: Frame, dst: Uint8Array, start: number, maxBytes: number): number {
  const { flags } = frame
  const trailer = (flags & blockChecksumBit) !== 0 ? 4 : 0
  let from = frame.blocks
  let at = start
  for (;;) {
    const word = wordAt(bytes, from) >>> 0
    from += 4
    if (word === 0) break
    const size = word & 0x7fffffff
    const history = (flags & independentBit) !== 0 ? at : start
    const end = Math.min(dst.length, at + frame.maxBlockBytes)
    if (word >= uncompressedBit) {
      if (size > end - at) throw tooLarge('lz4', maxBytes)
      copyBytes(bytes, from, dst, at, size)
      at += size
    } else {
      const decoded = decompressLz4Block(bytes, from, from + size, dst, at, end, history)
      if (decoded < 0 && end === maxBytes) throw tooLarge('lz4', maxBytes)
      if (decoded < 0) throw corrupt('lz4: a block decodes to more than its frame allows')
      at = decoded
    }
    from += size
    if (trailer > 0 && xxhash32(bytes, from - size, from) !== wordAt(bytes, from) >>> 0) {
      throw corrupt('lz4: wrong block checksum')
    }
    from += trailer
  }
  if (frame.contentBytes >= 0 && frame.contentBytes !== at - start) throw corrupt('lz4: wrong content size')
  if ((flags & contentChecksumBit) !== 0 && xxhash32(dst, start, at) !== wordAt(bytes, from) >>> 0) {
    throw corrupt('lz4: wrong content checksum')
  }
  return at
}

/** Gives a frame the header checksum that readers of magic 0 expect: computed over the magic as well (KIP-57). */
export function breakHeaderChecksum(frame: Uint8Array): void {
  frame[6] = xxhash32(frame, 0, 6) >>> 8
}
