import { createHash } from 'node:crypto'
import type { Entry, Position } from './fenced-log.ts'

/** Links an entry to all before it. The batch carries its offsets and its epoch, so that they are part of it. */
export function hashOf(previous: string, bytes: Uint8Array): string {
  return createHash('sha256').update(previous, 'latin1').update(bytes).digest('hex').slice(0, 32)
}

export function positionAfter(entry: Entry): Position {
  return { endOffset: entry.endOffset, hash: hashOf(entry.previous, entry.bytes) }
}

/** What is in the store contradicts what we know, or itself: nobody may build on it. */
export class BrokenChain extends Error {
  override readonly name = 'BrokenChain'
}
