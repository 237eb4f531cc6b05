import { compressionBits, controlBit, transactionalBit } from '../protocol/batches/header.ts'
import { type FoundBatch, iterateBatches } from '../protocol/batches/iterate.ts'
import { isMessageSet, readMessages } from '../protocol/batches/legacy.ts'
import { type KafkaRecord, readRecords } from '../protocol/batches/records.ts'
import { compressionReady, loadCompression } from '../protocol/compression/compression.ts'

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

/** Loads what the records of a Fetch answer need, so that they can be read without waiting. */
export async function loadCodecs(bytes: Uint8Array): Promise<void> {
  if (isMessageSet(bytes)) return
  for (const batch of iterateBatches(bytes)) {
    const codec = batch.attributes & compressionBits
    if (!compressionReady(codec)) await loadCompression(codec)
  }
}

/**
 * The records of a Fetch answer from `from` on, as a consumer is meant to see them: without control records and, when
 * `aborted` is given (read_committed), without those of aborted transactions. After the last record `end` says where to go
 * on, which is behind everything that was left out.
 */
export class FetchedRecords {
  readonly #records: Iterator<KafkaRecord, void>
  #next: KafkaRecord | null = null
  /** Leader epochs of the record that is next, and of the batch that is being read. */
  #nextEpoch = -1
  #readEpoch = -1
  /** Met behind the record that is next. */
  #error: unknown = null
  /** The offset to fetch next when all records have been taken. */
  end: number
  /** In which epoch its leader wrote what was taken last, or left out at the end; −1: not told (formats before 2). */
  leaderEpoch = -1

  constructor(bytes: Uint8Array, from: number, aborted: readonly AbortedTransaction[] | null, maxBytes: number) {
    this.end = from
    this.#records = isMessageSet(bytes) ? this.#old(bytes, from, maxBytes) : this.#new(bytes, from, aborted, maxBytes)
    this.#advance()
  }

  /** Throws CORRUPT_MESSAGE or MESSAGE_TOO_LARGE when what comes next cannot be read. */
  take(): KafkaRecord | null {
    const record = this.#next
    if (record === null && this.#error !== null) throw this.#error
    this.leaderEpoch = this.#nextEpoch
    if (record !== null) this.#advance()
    return record
  }

  #advance(): void {
    this.#next = null
    try {
      const step = this.#records.next()
      if (!step.done) this.#next = step.value
      this.#nextEpoch = this.#readEpoch
    } catch (error) {
      this.#error = error
    }
  }

  *#new(
    bytes: Uint8Array,
    from: number,
    aborted: readonly AbortedTransaction[] | null,
    maxBytes: number,
  ): Generator<KafkaRecord, void> {
    const filter = aborted === null ? null : new AbortedFilter(aborted)
    for (const batch of iterateBatches(bytes)) {
      if (batch.lastOffset < from) continue
      this.#readEpoch = batch.leaderEpoch
      if ((batch.attributes & controlBit) !== 0) filter?.marker(batch)
      else if (!filter?.hides(batch)) {
        for (const record of readRecords(bytes, batch.position, maxBytes)) if (record.offset >= from) yield record
      }
      this.end = batch.lastOffset + 1
    }
  }

  *#old(bytes: Uint8Array, from: number, maxBytes: number): Generator<KafkaRecord, void> {
    for (const record of readMessages(bytes, maxBytes)) {
      if (record.offset < from) continue
      yield record
      this.end = record.offset + 1
    }
  }
}

/** Which producers are inside of an aborted transaction, batch by batch (KIP-98). */
class AbortedFilter {
  readonly #coming: AbortedTransaction[]
  readonly #inside = new Set<number>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#coming = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  hides(batch: FoundBatch): boolean {
    while (this.#coming.length > 0 && this.#coming[0]!.firstOffset <= batch.lastOffset) {
      this.#inside.add(this.#coming.shift()!.producerId)
    }
    return (batch.attributes & transactionalBit) !== 0 && this.#inside.has(batch.producerId)
  }

  /** A transaction of that producer ended here, one way or the other; what follows belongs to another. */
  marker(batch: FoundBatch): void {
    this.hides(batch)
    this.#inside.delete(batch.producerId)
  }
}
