import type { Cluster } from '../../client/cluster.ts'
import { isStale } from '../../client/failures.ts'
import { findOffsets } from '../../client/offsets.ts'
import { readPartition } from '../../client/read-partition.ts'
import type { KafkaRecord } from '../../protocol/batches/records.ts'
import { KafkaError } from '../../protocol/errors.ts'

/** There is no record: the next one is at `next`, or later. */
export interface Gap {
  readonly next: number
}

export type Found = KafkaRecord | Gap

export const isGap = (found: Found): found is Gap => 'next' in found

/** Records that lie side by side in a partition's log. */
interface Chunk {
  /** Nothing lies from here up to, not including, `end` but the records. */
  readonly from: number
  readonly end: number
  readonly records: readonly KafkaRecord[]
  readonly bytes: number
}

/** A partition of a topic; another topic that takes its name has another id. */
export interface Place {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
}

interface Part {
  readonly key: string
  /** The youngest last. */
  chunks: Chunk[]
  reading: Promise<void> | null
}

export interface RecordCacheOptions {
  readonly cluster: () => Cluster
  /** Bytes of batches that one read asks for. */
  readonly readBytes?: number
  /** Bytes of all that is kept. */
  readonly maxBytes?: number
}

/** What a record takes besides its key and value. */
const recordBytes = 200
/** Reads of others that fail before one of the same partition does not try for himself. */
const mostFailed = 2

/**
 * Reads single records, which workers ask for one at a time, by the batch: those that follow are asked for next, most
 * likely.
 */
export class RecordCache {
  readonly #options: Required<RecordCacheOptions>
  readonly #parts = new Map<string, Part>()
  /** In the order in which they came. */
  readonly #kept = new Map<Chunk, Part>()
  #bytes = 0
  hits = 0
  reads = 0

  constructor(options: RecordCacheOptions) {
    this.#options = { readBytes: 256 * 1024, maxBytes: 16 * 1024 * 1024, ...options }
  }

  /** Bytes. */
  get size(): number {
    return this.#bytes
  }

  /** At once where it is kept. Rejects with KafkaError when it cannot be told now. */
  read(place: Place, offset: number): Found | Promise<Found> {
    const key = `${place.topicId}-${place.partition}`
    return this.#find(key, offset) ?? this.#readMore(key, place, offset)
  }

  #find(key: string, offset: number): Found | null {
    const part = this.#parts.get(key)
    const found = part === undefined ? null : find(part, offset)
    if (found !== null) this.hits++
    return found
  }

  async #readMore(key: string, place: Place, offset: number): Promise<Found> {
    let failures = 0
    const failed = (error: unknown): void => {
      // Where there is no leader another offset fares no better, and all leases would be over before each has tried.
      if (isStale(error) || ++failures >= mostFailed) throw error
    }
    for (;;) {
      const reading = this.#parts.get(key)?.reading
      if (reading) await reading.catch(failed)
      else await this.#fill(key, place, offset)
      const found = this.#find(key, offset)
      if (found !== null) return found
    }
  }

  #fill(key: string, place: Place, offset: number): Promise<void> {
    let part = this.#parts.get(key)
    if (part === undefined) {
      part = { key, chunks: [], reading: null }
      this.#parts.set(key, part)
    }
    const filled = part
    filled.reading = this.#readChunk(place, offset)
      .then(chunk => this.#keep(filled, chunk))
      .finally(() => {
        filled.reading = null
        this.#forgetEmpty(filled)
      })
    return filled.reading
  }

  async #readChunk({ topic, topicId, partition }: Place, from: number): Promise<Chunk> {
    this.reads++
    const cluster = this.#options.cluster()
    try {
      const { records, nextOffset } = await readPartition(
        cluster,
        { topic, partition },
        { topicId, offset: from, maxRecords: 2000, maxBytes: this.#options.readBytes, isolation: 'read_committed' },
      )
      // It is committed, or we would not know of it; who leads now does not know that yet.
      if (nextOffset <= from) throw new KafkaError('OFFSET_NOT_AVAILABLE', `${topic}-${partition} ends before ${from}`)
      let bytes = 0
      for (const { key, value } of records) bytes += recordBytes + (key?.length ?? 0) + (value?.length ?? 0)
      return { from, end: nextOffset, records, bytes }
    } catch (error) {
      if (!(error instanceof KafkaError) || error.errorName !== 'OFFSET_OUT_OF_RANGE') throw error
      const [begin] = await findOffsets(cluster, [{ topic, partition, start: 'earliest' }])
      if (begin === undefined || begin.offset <= from) throw error
      return { from, end: begin.offset, records: [], bytes: recordBytes }
    }
  }

  #keep(part: Part, chunk: Chunk): void {
    part.chunks.push(chunk)
    this.#kept.set(chunk, part)
    this.#bytes += chunk.bytes
    for (const [oldest, owner] of this.#kept) {
      if (this.#bytes <= this.#options.maxBytes || oldest === chunk) break
      this.#kept.delete(oldest)
      this.#bytes -= oldest.bytes
      owner.chunks = owner.chunks.filter(other => other !== oldest)
      this.#forgetEmpty(owner)
    }
  }

  #forgetEmpty(part: Part): void {
    if (part.chunks.length === 0 && part.reading === null) this.#parts.delete(part.key)
  }
}

function find({ chunks }: Part, offset: number): Found | null {
  for (let i = chunks.length - 1; i >= 0; i--) {
    const { from, end, records } = chunks[i]!
    if (offset < from || offset >= end) continue
    let low = 0
    let high = records.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (records[middle]!.offset < offset) low = middle + 1
      else high = middle
    }
    const record = records[low]
    return record?.offset === offset ? record : { next: record?.offset ?? end }
  }
  return null
}
