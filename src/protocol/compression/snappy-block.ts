import { corrupt } from './codec.ts'
import { copyBack, copyBytes, wordAt } from './copy.ts'

/** Snappy's raw format (github.com/google/snappy, format_description.txt): a length, then literals and copies. */

/** Copies reach back within pieces of this size only, so that two bytes are enough for a distance. */
const pieceBytes = 0x10000
const hashBits = 14
/** Closer to the end than this no match begins. */
const margin = 15

/** Position + 1, within the piece, of the last place that hashed here. */
let heads: Uint16Array | null = null

/** Bytes that `length` bytes can grow to. */
export function snappyBound(length: number): number {
  return 32 + length + Math.ceil(length / 6)
}

/** Compresses `src` from `from` to before `to` into `dst` from `at` on, which has room for `snappyBound`. Returns the end. */
export function compressSnappyBlock(src: Uint8Array, from: number, to: number, dst: Uint8Array, at: number): number {
  at = putVarint(dst, at, to - from)
  for (; from < to; from += pieceBytes) at = compressPiece(src, from, Math.min(to, from + pieceBytes), dst, at)
  return at
}

function compressPiece(src: Uint8Array, from: number, to: number, dst: Uint8Array, at: number): number {
  heads ??= new Uint16Array(1 << hashBits)
  heads.fill(0)
  let anchor = from
  let next = from + 1
  let misses = 0
  while (next <= to - margin) {
    const word = wordAt(src, next)
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - hashBits)
    const candidate = from + heads[slot]!
    heads[slot] = next - from
    if (candidate >= next || wordAt(src, candidate) !== word) {
      next += 1 + (misses++ >> 5)
      continue
    }
    misses = 0
    let end = next + 4
    while (end < to && src[end] === src[end - next + candidate]) end++
    at = putLiteral(src, anchor, next - anchor, dst, at)
    at = putCopy(dst, at, next - candidate, end - next)
    if (end <= to - margin) heads[Math.imul(wordAt(src, end - 1), 0x1e35a7bd) >>> (32 - hashBits)] = end - 1 - from
    anchor = end
    next = end
  }
  return putLiteral(src, anchor, to - anchor, dst, at)
}

function putLiteral(src: Uint8Array, from: number, length: number, dst: Uint8Array, at: number): number {
  if (length === 0) return at
  const less = length - 1
  if (less < 60) {
    dst[at++] = less << 2
  } else if (less < 0x100) {
    dst[at++] = 60 << 2
    dst[at++] = less
  } else {
    // A piece is no longer than 64 KiB.
    dst[at++] = 61 << 2
    dst[at++] = less
    dst[at++] = less >> 8
  }
  copyBytes(src, from, dst, at, length)
  return at + length
}

function putCopy(dst: Uint8Array, at: number, distance: number, length: number): number {
  // What is left must be 4 or more for the short form, so 64 is not taken from 65, 66 or 67.
  while (length >= 68) {
    at = putLongCopy(dst, at, distance, 64)
    length -= 64
  }
  if (length > 64) {
    at = putLongCopy(dst, at, distance, 60)
    length -= 60
  }
  if (length >= 12 || distance >= 2048) return putLongCopy(dst, at, distance, length)
  dst[at++] = ((distance >> 8) << 5) | ((length - 4) << 2) | 1
  dst[at++] = distance
  return at
}

function putLongCopy(dst: Uint8Array, at: number, distance: number, length: number): number {
  dst[at++] = ((length - 1) << 2) | 2
  dst[at++] = distance
  dst[at++] = distance >> 8
  return at
}

function putVarint(dst: Uint8Array, at: number, value: number): number {
  for (; value >= 0x80; value >>>= 7) dst[at++] = value | 0x80
  dst[at++] = value
  return at
}

/** What the block in `src` says that it decodes to, in bytes, checked against what its size makes possible. */
export function snappyLength(src: Uint8Array, from: number, to: number): number {
  let length = 0
  for (let i = 0; i < 5; i++) {
    if (from + i >= to) break
    const byte = src[from + i]!
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) {
      // A copy of three bytes makes 64, and nothing makes more of less.
      if (length > (to - from) * 22) throw corrupt('snappy: states a length that its size cannot hold')
      return length
    }
  }
  throw corrupt('snappy: a length is cut off')
}

/** Decodes the block in `src` into `dst` from `at` on, where `snappyLength` bytes are free. Returns the end. */
export function decompressSnappyBlock(src: Uint8Array, from: number, to: number, dst: Uint8Array, at: number): number {
  const start = at
  const end = at + snappyLength(src, from, to)
  while (src[from]! >= 0x80) from++
  from++
  while (from < to) {
    const tag = src[from++]!
    if ((tag & 3) === 0) {
      let length = (tag >> 2) + 1
      if (length > 60) {
        const extra = length - 60
        if (extra > to - from) throw corrupt('snappy: cut off in a length')
        length = 1
        for (let i = 0; i < extra; i++) length += src[from + i]! * 2 ** (8 * i)
        from += extra
      }
      if (length > to - from || length > end - at) throw corrupt('snappy: a literal reaches past the end')
      copyBytes(src, from, dst, at, length)
      from += length
      at += length
      continue
    }
    let length: number
    let distance: number
    const kind = tag & 3
    const extra = kind === 3 ? 4 : kind
    if (extra > to - from) throw corrupt('snappy: cut off in a copy')
    if (kind === 1) {
      length = ((tag >> 2) & 7) + 4
      distance = ((tag >> 5) << 8) | src[from]!
    } else {
      length = (tag >> 2) + 1
      distance = kind === 2 ? src[from]! | (src[from + 1]! << 8) : wordAt(src, from) >>> 0
    }
    from += extra
    if (distance === 0 || distance > at - start) throw corrupt('snappy: a copy reaches before the beginning')
    if (length > end - at) throw corrupt('snappy: a copy reaches past the end')
    copyBack(dst, at, distance, length)
    at += length
  }
  if (at !== end) throw corrupt('snappy: decodes to less than it states')
  return at
}
