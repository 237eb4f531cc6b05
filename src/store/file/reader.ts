import type { BatchHeader } from '../../protocol/batches/header.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { checkRead } from '../rolling.ts'
import { RottenLog } from '../rotten-log.ts'
import type { Durability, StoreParts } from './durability.ts'
import { ReadHints } from './read-hints.ts'
import { readLater } from './read-later.ts'
import type { FileSegment } from './segment.ts'

/** Reads of one store: from memory when the batches are recent, else from their segment. */
export class Reader {
  readonly #parts: StoreParts
  readonly #safety: Durability
  readonly #hints = new ReadHints()
  #hintsOf = 0

  constructor(parts: StoreParts, safety: Durability) {
    this.#parts = parts
    this.#safety = safety
  }

  /** See `Store.read`. */
  read(from: number, maxBytes: number, upTo: number): Uint8Array[] | Promise<Uint8Array[]> {
    const { endOffset } = this.#safety
    checkRead(from, this.#parts.segments.first.baseOffset, endOffset)
    if (from >= upTo || from === endOffset) return []
    return this.#parts.tail.read(from, maxBytes, upTo) ?? this.#readLater(from, maxBytes, upTo)
  }

  async #readLater(from: number, maxBytes: number, upTo: number): Promise<Uint8Array[]> {
    const { segments, tail } = this.#parts
    const { generation } = this.#safety
    for (let i = segments.indexOf(from); ; ) {
      const segment = segments.all[i]
      // Only a gap was left in the files: what follows is in memory, if anywhere.
      if (!segment?.exists) return tail.read(Math.max(from, tail.first?.baseOffset ?? 0), maxBytes, upTo) ?? []
      const bytes = await this.#readSegment(segment, from, maxBytes, upTo)
      // Truncated, reset or closed meanwhile: what was read may be half old and half new.
      if (generation !== this.#safety.generation) return this.read(from, maxBytes, upTo)
      checkRead(from, segments.first.baseOffset, this.#safety.endOffset)
      if (bytes !== null) return [bytes]
      if (segment.endOffset >= upTo && segment.endOffset <= this.#safety.writtenOffset) return []
      i = segments.all.indexOf(segment) + 1
    }
  }

  /** Null when there is no such batch in the segment, or when everything has changed. */
  async #readSegment(segment: FileSegment, from: number, maxBytes: number, upTo: number): Promise<Uint8Array | null> {
    const { options, context, segments } = this.#parts
    const { generation, writtenOffset } = this.#safety
    const hint = this.#hint(segment, from)
    const range = {
      from,
      maxBytes,
      upTo,
      position: hint ?? segment.seek(from),
      slack: hint === null ? options.indexIntervalBytes : 0,
      end: segment.writtenBytes,
      baseOffset: segment.baseOffset,
      endOffset: segment === segments.active ? writtenOffset : segment.endOffset,
    }
    try {
      const { bytes, endPosition } = await context.handles.pinned(segment.path, file =>
        readLater(file, range, context.blocks),
      )
      if (bytes.length === 0 || generation !== this.#safety.generation) return null
      this.#hints.note(segment, bytes, endPosition)
      return bytes
    } catch (error) {
      // A file that was cut or removed under our hands is no corruption.
      if (generation !== this.#safety.generation || !segments.all.includes(segment)) return null
      // Perhaps it is the index that is wrong.
      if (hint !== null || range.position === 0 || !segment.repairIndexes()) throw error
      return this.#readSegment(segment, from, maxBytes, upTo)
    }
  }

  #hint(segment: FileSegment, from: number): number | null {
    if (this.#hintsOf !== this.#safety.generation) this.#hints.clear()
    this.#hintsOf = this.#safety.generation
    return this.#hints.take(segment, from)
  }

  /** See `Store.scan`. */
  *scan(from: number): Generator<BatchHeader, void, void> {
    const { segments, tail } = this.#parts
    let next = Math.max(from, segments.first.baseOffset)
    while (next < Math.min(this.#safety.writtenOffset, tail.first?.baseOffset ?? Number.POSITIVE_INFINITY)) {
      const segment = segments.all[segments.indexOf(next)]!
      const { generation } = this.#safety
      const before = next
      for (const header of this.#headers(segment, next)) {
        next = header.lastOffset + 1
        yield header
        if (generation !== this.#safety.generation) break
      }
      // What waits to be written is in the tail.
      const end = Math.min(segment.endOffset, this.#safety.writtenOffset)
      if (generation === this.#safety.generation) next = Math.max(next, end)
      if (next === before && generation === this.#safety.generation)
        throw new KafkaError(
          'KAFKA_STORAGE_ERROR',
          `${segment.path} has nothing at offset ${next}, where it should go on`,
        )
    }
    yield* tail.batches(next)
  }

  *#headers(segment: FileSegment, from: number): Generator<BatchHeader, void, void> {
    const { generation } = this.#safety
    const place = segment.locate(from)
    if (place === null) return
    const walk = segment.headers(place.position, segment.endOffset)
    let next = segment.baseOffset
    for (let header = walk.next(); header !== null; header = walk.next()) {
      next = header.lastOffset + 1
      yield header
      if (generation !== this.#safety.generation) return
    }
    if (walk.problem !== null && walk.end < segment.sizeInBytes) {
      throw new RottenLog(next, `${segment.path}, byte ${walk.end}: ${walk.problem}`)
    }
  }

  /** See `Store.batchForTimestamp`. */
  batchForTimestamp(timestamp: number): number | null {
    for (const segment of this.#parts.segments.all) {
      if (segment.maxTimestamp < timestamp) continue
      const near = segment.times.floor(timestamp)?.value ?? 0
      for (const batch of this.scan(segment.baseOffset + near)) {
        if (batch.maxTimestamp >= timestamp) return batch.baseOffset
      }
    }
    return null
  }
}
