/** Moves of a few bytes, which block decoders make by the million. */

/** Beyond this many bytes a call into the engine is cheaper than a loop. */
const shortCopy = 48

/** Copies `length` bytes between two arrays. */
export function copyBytes(src: Uint8Array, from: number, dst: Uint8Array, at: number, length: number): void {
  if (length > shortCopy) {
    dst.set(src.subarray(from, from + length), at)
    return
  }
  for (let i = 0; i < length; i++) dst[at + i] = src[from + i]!
}

/** Repeats what lies `distance` bytes back in `dst`. When it overlaps itself, it repeats a pattern. */
export function copyBack(dst: Uint8Array, at: number, distance: number, length: number): void {
  if (length > shortCopy && distance >= length) {
    dst.copyWithin(at, at - distance, at - distance + length)
    return
  }
  for (let i = 0; i < length; i++) dst[at + i] = dst[at + i - distance]!
}

/** Little-endian. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

export function putWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >> 8
  bytes[at + 2] = value >> 16
  bytes[at + 3] = value >> 24
}
