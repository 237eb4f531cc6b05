import { baseOffset, sizeInBytes } from '../protocol/batches/header.ts'
import { validateBatch } from '../protocol/batches/iterate.ts'

/** The base offset of the first batch whose bytes are not what was written; −1: all are whole. */
export function firstRotten(views: readonly Uint8Array[]): number {
  for (const bytes of views)
    for (let at = 0; at < bytes.length; at += sizeInBytes(bytes, at))
      if (validateBatch(bytes, at) !== null) return baseOffset(bytes, at)
  return -1
}
