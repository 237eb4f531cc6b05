import { KafkaError } from '../protocol/errors.ts'
import { type KnownBatch, ProducerEntry } from './producer-entry.ts'

export interface ProducerLimits {
  /** ms after which a silent producer is forgotten (`producer.id.expiration.ms`). */
  readonly expirationMs: number
  /** Producers remembered for one partition; above it those that wrote longest ago are forgotten. */
  readonly perPartition: number
}

export const defaultProducerLimits: ProducerLimits = { expirationMs: 24 * 60 * 60 * 1000, perPartition: 10_000 }

/**
 * Who writes to a partition, so that a batch which comes twice is appended once and none is skipped (KIP-98). Checks never
 * change anything; `append` is called for what is in the log.
 */
export class Producers {
  readonly #entries = new Map<number, ProducerEntry>()
  #limits: ProducerLimits
  #evicted = 0
  #everUsed = false

  constructor(limits: ProducerLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#entries.size
  }

  /** Producers forgotten because there were too many. */
  get evicted(): number {
    return this.#evicted
  }

  /** False when no producer ever was here: then there is nothing to rebuild after a truncation. */
  get everUsed(): boolean {
    return this.#everUsed
  }

  get(producerId: number): ProducerEntry | undefined {
    return this.#entries.get(producerId)
  }

  all(): Iterable<ProducerEntry> {
    return this.#entries.values()
  }

  setLimits(limits: ProducerLimits): void {
    this.#limits = limits
  }

  /**
   * Judges a client's batch: null when it may be appended, the batch in the log when this is the same one once more.
   * Throws INVALID_PRODUCER_EPOCH for a producer that has been replaced, OUT_OF_ORDER_SEQUENCE_NUMBER for a gap or for a
   * batch too old to be recognised. A producer that is not known may begin anywhere: retention may have taken its past.
   */
  check(producerId: number, epoch: number, firstSequence: number, lastSequence: number): KnownBatch | null {
    const entry = this.#entries.get(producerId)
    if (entry === undefined) return null
    const known = entry.find(epoch, firstSequence, lastSequence)
    if (known !== null) return known
    this.checkEpoch(producerId, epoch)
    const expected = epoch === entry.epoch ? followOn(entry.lastSequence) : 0
    if (firstSequence !== expected)
      throw new KafkaError(
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
        `Producer ${producerId} in epoch ${epoch} wrote sequence ${firstSequence}, expected was ${expected}`,
      )
    return null
  }

  /** Throws INVALID_PRODUCER_EPOCH when a newer epoch of this producer has written. */
  checkEpoch(producerId: number, epoch: number): void {
    const current = this.#entries.get(producerId)?.epoch ?? -1
    if (epoch < current)
      throw new KafkaError(
        'INVALID_PRODUCER_EPOCH',
        `Epoch ${epoch} of producer ${producerId} has been replaced by epoch ${current}`,
      )
  }

  /** A batch that is in the log; `seenMs` is our clock. */
  append(
    producerId: number,
    epoch: number,
    lastSequence: number,
    lastOffset: number,
    offsetDelta: number,
    timestamp: number,
    transactional: boolean,
    seenMs: number,
  ): void {
    const entry = this.#entries.get(producerId) ?? this.#add(producerId, lastOffset)
    entry.addBatch(epoch, lastSequence, lastOffset, offsetDelta, timestamp)
    if (transactional && entry.currentTxnFirstOffset < 0) entry.currentTxnFirstOffset = lastOffset - offsetDelta
    entry.seenMs = seenMs
  }

  /** A transaction marker that is in the log. */
  appendMarker(producerId: number, epoch: number, offset: number, timestamp: number, seenMs: number): void {
    const entry = this.#entries.get(producerId) ?? this.#add(producerId, offset)
    entry.endTransaction(epoch, timestamp)
    entry.seenMs = seenMs
  }

  /** From a snapshot. */
  restore(entry: ProducerEntry): void {
    this.#everUsed = true
    this.#entries.set(entry.producerId, entry)
  }

  /** Forgets producers that were silent for too long, unless a transaction of theirs is open. */
  expire(now: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.currentTxnFirstOffset < 0 && now - entry.seenMs >= this.#limits.expirationMs)
        this.#entries.delete(entry.producerId)
    }
  }

  #add(producerId: number, offset: number): ProducerEntry {
    if (this.#entries.size >= this.#limits.perPartition) this.#evict(offset)
    const entry = new ProducerEntry(producerId)
    this.restore(entry)
    return entry
  }

  /** A tenth at once, so that a flood of new producers costs a sort only now and then. */
  #evict(offset: number): void {
    const idle = [...this.#entries.values()]
      .filter(entry => entry.currentTxnFirstOffset < 0 && entry.lastOffset < offset)
      .sort((one, other) => one.lastOffset - other.lastOffset)
      .slice(0, Math.ceil(this.#limits.perPartition / 10))
    for (const entry of idle) this.#entries.delete(entry.producerId)
    this.#evicted += idle.length
  }
}

/** What must come after `lastSequence`; −1, no batch known, is followed by 0. */
function followOn(lastSequence: number): number {
  return lastSequence === 0x7fffffff ? 0 : lastSequence + 1
}
