/** Batches of a producer that can be recognised when they come again: as many as it may have in flight (KIP-98). */
export const batchesToRetain = 5

/** Sequence numbers of a producer go from 0 to this and then to 0 again. */
const lastSequenceNumber = 0x7fffffff

/** The sequence number `by` steps after `sequence`. */
export function sequenceAfter(sequence: number, by: number): number {
  return sequence > lastSequenceNumber - by ? sequence + by - lastSequenceNumber - 1 : sequence + by
}

/** The sequence number `by` steps before `sequence`. */
export function sequenceBefore(sequence: number, by: number): number {
  return sequence < by ? sequence - by + lastSequenceNumber + 1 : sequence - by
}

/** A batch that is in the log already. */
export interface KnownBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  /** ms, the batch's max timestamp. */
  readonly timestamp: number
}

/** Numbers kept of each batch, in this order: last sequence, last offset, offset delta, timestamp. */
const width = 4

/** What one producer wrote last to one partition. Numbers in one flat ring, so that an append allocates nothing. */
export class ProducerEntry {
  readonly producerId: number
  /** −1 until its first batch or marker. */
  epoch = -1
  /** Of the transaction coordinator that wrote the last marker; −1: none. */
  coordinatorEpoch = -1
  /** ms, of the last batch or marker. */
  lastTimestamp = -1
  /** First offset of the transaction that is open; −1: none. */
  currentTxnFirstOffset = -1
  /** Our clock when we last heard of it, ms: the producer's own timestamps may lie anywhere. */
  seenMs = 0
  readonly #ring: number[] = []
  #oldest = 0
  #count = 0

  constructor(producerId: number) {
    this.producerId = producerId
  }

  get batchCount(): number {
    return this.#count
  }

  /** −1 when no batch of this epoch is known. */
  get lastSequence(): number {
    return this.#count === 0 ? -1 : this.#ring[this.#slot(this.#count - 1)]!
  }

  /** −1 when no batch of this epoch is known. */
  get lastOffset(): number {
    return this.#count === 0 ? -1 : this.#ring[this.#slot(this.#count - 1) + 1]!
  }

  /** The known batch with exactly these sequence numbers, or null. */
  find(epoch: number, firstSequence: number, lastSequence: number): KnownBatch | null {
    if (epoch !== this.epoch) return null
    for (let index = this.#count - 1; index >= 0; index--) {
      const slot = this.#slot(index)
      if (this.#ring[slot] !== lastSequence) continue
      if (sequenceBefore(lastSequence, this.#ring[slot + 2]!) === firstSequence) return this.#known(slot)
    }
    return null
  }

  addBatch(epoch: number, lastSequence: number, lastOffset: number, offsetDelta: number, timestamp: number): void {
    this.#enter(epoch)
    if (this.#count === batchesToRetain) this.#oldest = (this.#oldest + 1) % batchesToRetain
    else this.#count++
    const slot = this.#slot(this.#count - 1)
    this.#ring[slot] = lastSequence
    this.#ring[slot + 1] = lastOffset
    this.#ring[slot + 2] = offsetDelta
    this.#ring[slot + 3] = timestamp
    this.lastTimestamp = timestamp
  }

  /** The marker that ends a transaction; the batches stay known unless it begins a new epoch (KIP-890). */
  endTransaction(epoch: number, timestamp: number): void {
    this.#enter(epoch)
    this.currentTxnFirstOffset = -1
    this.lastTimestamp = timestamp
  }

  /** The known batches, oldest first. */
  *batches(): Iterable<{ lastSequence: number; lastOffset: number; offsetDelta: number; timestamp: number }> {
    for (let index = 0; index < this.#count; index++) {
      const [lastSequence, lastOffset, offsetDelta, timestamp] = this.#ring.slice(this.#slot(index)) as [
        number,
        number,
        number,
        number,
      ]
      yield { lastSequence, lastOffset, offsetDelta, timestamp }
    }
  }

  #enter(epoch: number): void {
    if (epoch === this.epoch) return
    this.epoch = epoch
    this.#count = 0
  }

  #slot(index: number): number {
    return ((this.#oldest + index) % batchesToRetain) * width
  }

  #known(slot: number): KnownBatch {
    const lastOffset = this.#ring[slot + 1]!
    return { baseOffset: lastOffset - this.#ring[slot + 2]!, lastOffset, timestamp: this.#ring[slot + 3]! }
  }
}
