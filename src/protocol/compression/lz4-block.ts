import { corrupt } from './codec.ts'
import { copyBack, copyBytes, wordAt } from './copy.ts'

/** LZ4 blocks (github.com/lz4/lz4, doc/lz4_Block_format.md): literals and matches, byte-aligned. */

const minMatch = 4
/** A block ends with at least so many literals … */
const lastLiterals = 5
/** … and no match begins closer to the end than this. */
const lastMatch = 12
const maxDistance = 65535
const hashBits = 14

/** Position + 1 of the last place that hashed here, and for levels above the fastest the place before it. */
let heads: Int32Array | null = null
let chain: Int32Array | null = null

/** Bytes that a block of `length` bytes can grow to. */
export function lz4Bound(length: number): number {
  return length + Math.ceil(length / 255) + 16
}

/**
 * Compresses `src` from `from` to before `to` (at most 4 MiB) into `dst` from `at` on, which has room for `lz4Bound`. `tries`
 * is how many earlier places are compared for each match: 1 is the fast compressor. Returns where it ended in `dst`.
 */
export function compressLz4Block(
  src: Uint8Array,
  from: number,
  to: number,
  dst: Uint8Array,
  at: number,
  tries: number,
): number {
  heads ??= new Int32Array(1 << hashBits)
  heads.fill(0)
  if (tries > 1) chain ??= new Int32Array(maxDistance + 1)
  const matchEnd = to - lastLiterals
  const lastStart = to - lastMatch
  let anchor = from
  let next = from
  let misses = 0
  while (next <= lastStart) {
    const word = wordAt(src, next)
    const slot = Math.imul(word, 0x9e3779b1) >>> (32 - hashBits)
    let candidate = heads[slot]! - 1 + from
    remember(slot, next - from, tries)
    let length = 0
    let found = 0
    for (let left = tries; left > 0 && candidate >= from && next - candidate <= maxDistance; left--) {
      if (wordAt(src, candidate) === word) {
        const matched = matchLength(src, candidate, next, matchEnd)
        if (matched > length) {
          length = matched
          found = candidate
        }
      }
      if (tries === 1) break
      const earlier = chain![(candidate - from) & maxDistance]! - 1 + from
      if (earlier >= candidate) break
      candidate = earlier
    }
    if (length < minMatch) {
      // Where nothing matches, look at fewer and fewer places.
      next += 1 + (misses++ >> 6)
      continue
    }
    misses = 0
    while (next > anchor && found > from && src[next - 1] === src[found - 1]) {
      next--
      found--
      length++
    }
    at = putSequence(src, anchor, next - anchor, dst, at, next - found, length)
    const end = next + length
    if (tries > 1) for (let i = next + 1; i < end && i <= lastStart; i++) remember(hashAt(src, i), i - from, tries)
    else if (end - 2 <= lastStart) heads[hashAt(src, end - 2)] = end - 2 - from + 1
    next = end
    anchor = end
  }
  return putLiterals(src, anchor, to - anchor, dst, at)
}

function hashAt(src: Uint8Array, at: number): number {
  return Math.imul(wordAt(src, at), 0x9e3779b1) >>> (32 - hashBits)
}

function remember(slot: number, place: number, tries: number): void {
  if (tries > 1) chain![place & maxDistance] = heads![slot]!
  heads![slot] = place + 1
}

function matchLength(src: Uint8Array, candidate: number, next: number, end: number): number {
  let length = minMatch
  while (next + length < end && src[candidate + length] === src[next + length]) length++
  return length
}

function putSequence(
  src: Uint8Array,
  literals: number,
  literalCount: number,
  dst: Uint8Array,
  at: number,
  distance: number,
  length: number,
): number {
  const token = at++
  const more = length - minMatch
  dst[token] = (Math.min(literalCount, 15) << 4) | Math.min(more, 15)
  if (literalCount >= 15) at = putLength(dst, at, literalCount - 15)
  copyBytes(src, literals, dst, at, literalCount)
  at += literalCount
  dst[at++] = distance
  dst[at++] = distance >> 8
  return more >= 15 ? putLength(dst, at, more - 15) : at
}

function putLiterals(src: Uint8Array, literals: number, count: number, dst: Uint8Array, at: number): number {
  dst[at++] = Math.min(count, 15) << 4
  if (count >= 15) at = putLength(dst, at, count - 15)
  copyBytes(src, literals, dst, at, count)
  return at + count
}

function putLength(dst: Uint8Array, at: number, rest: number): number {
  for (; rest >= 255; rest -= 255) dst[at++] = 255
  dst[at++] = rest
  return at
}

/**
 * Decodes the block in `src` from `from` to before `to` into `dst` from `at` on. Matches may reach back to `history` in `dst`
 * (`at` for an independent block) and nothing goes beyond `end` in `dst`. Returns where it ended, or −1 when the block wants
 * more room. Throws CORRUPT_MESSAGE when it is broken.
 */
export function decompressLz4Block(
  src: Uint8Array,
  from: number,
  to: number,
  dst: Uint8Array,
  at: number,
  end: number,
  history: number,
): number {
  while (from < to) {
    const token = src[from++]!
    let literals = token >> 4
    if (literals === 15) {
      let more: number
      do {
        if (from >= to) throw corrupt('lz4: cut off in a length')
        more = src[from++]!
        literals += more
      } while (more === 255)
    }
    if (literals > to - from) throw corrupt('lz4: literals reach past the end')
    if (literals > end - at) return -1
    copyBytes(src, from, dst, at, literals)
    from += literals
    at += literals
    if (from === to) return at

    if (to - from < 2) throw corrupt('lz4: cut off in a distance')
    const distance = src[from]! | (src[from + 1]! << 8)
    from += 2
    let length = (token & 15) + minMatch
    if (length === 15 + minMatch) {
      let more: number
      do {
        if (from >= to) throw corrupt('lz4: cut off in a length')
        more = src[from++]!
        length += more
      } while (more === 255)
    }
    if (distance === 0 || distance > at - history) throw corrupt('lz4: a match reaches before the beginning')
    if (length > end - at) return -1
    copyBack(dst, at, distance, length)
    at += length
  }
  throw corrupt('lz4: a block does not end with literals')
}
