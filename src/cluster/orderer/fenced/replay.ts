import type { OrderedLogListener } from '../../../machine/machine.ts'
import type { MetadataRecord } from '../../records/records.ts'
import { type MetadataBatch, RecordEncoder, readMetadataBatches } from '../batches.ts'
import { decodeSnapshot } from '../snapshot.ts'
import { MetadataTransactions } from '../transactions.ts'
import { BrokenChain, positionAfter } from './chain.ts'
import { type Entry, logStart, type Position } from './fenced-log.ts'

/** Reads the log from its beginning to its end, entry by entry, trusting none. */
export class Replay {
  readonly #listener: OrderedLogListener<MetadataRecord>
  #position: Position = logStart
  #encoder = new RecordEncoder()
  #transactions = new MetadataTransactions()
  #epoch = 0
  #timestamp = -1
  #loaded = false
  #registered = new Set<number>()

  constructor(listener: OrderedLogListener<MetadataRecord>) {
    this.#listener = listener
  }

  get position(): Position {
    return this.#position
  }

  /** Of the last entry that was taken. */
  get epoch(): number {
    return this.#epoch
  }

  /** Knows the level at which records of this log are written. */
  get encoder(): RecordEncoder {
    return this.#encoder
  }

  /** ms: of the last batch of records. */
  get timestamp(): number {
    return this.#timestamp
  }

  /** Brokers of the cluster, whether they live or not. */
  get registered(): ReadonlySet<number> {
    return this.#registered
  }

  /** True when the log ends in the midst of a transaction of Kafka's. */
  get unfinished(): boolean {
    return this.#transactions.open
  }

  /** False: `load` comes first. */
  get loaded(): boolean {
    return this.#loaded
  }

  /** From the beginning: of what a snapshot holds, or of an empty log. */
  load(snapshot: (Position & { readonly epoch: number; readonly bytes: Uint8Array }) | null): void {
    const content = snapshot === null ? null : decodeSnapshot(snapshot.bytes)
    this.#encoder = new RecordEncoder()
    this.#transactions = new MetadataTransactions()
    this.#position = snapshot === null ? logStart : { endOffset: snapshot.endOffset, hash: snapshot.hash }
    this.#epoch = snapshot?.epoch ?? 0
    this.#timestamp = content?.timestamp ?? -1
    this.#loaded = true
    this.#registered = new Set()
    for (const record of content?.records ?? []) {
      this.#encoder.follow(record)
      this.#follow(record)
    }
    this.#listener.load(content?.records ?? [], this.#position.endOffset)
  }

  /** The next entry. Throws BrokenChain when it does not follow on those before. */
  take(entry: Entry): void {
    const after = positionAfter(entry)
    const { endOffset, hash } = this.#position
    if (entry.previous !== hash) throw new BrokenChain(`the batch behind offset ${endOffset} follows on another one`)
    const batch = batchOf(entry)
    if (batch.baseOffset !== endOffset || batch.endOffset !== entry.endOffset || batch.leaderEpoch < this.#epoch) {
      throw new BrokenChain(`the batch behind offset ${endOffset} is out of order`)
    }
    this.#position = after
    this.#epoch = batch.leaderEpoch
    if (batch.control.length > 0) return
    for (const record of batch.records) {
      this.#encoder.follow(record)
      this.#follow(record)
    }
    this.#timestamp = batch.timestamp
    const released = this.#transactions.release(batch.records)
    if (released.length > 0) this.#listener.commit(released, batch.endOffset, batch.timestamp)
  }

  /** Our own append, which we need not read. */
  takeOwn(after: Position, epoch: number, records: readonly MetadataRecord[], timestamp: number): void {
    this.#position = after
    this.#epoch = epoch
    if (records.length === 0) return
    for (const record of records) this.#follow(record)
    this.#timestamp = timestamp
    const released = this.#transactions.release(records)
    if (released.length > 0) this.#listener.commit(released, after.endOffset, timestamp)
  }

  #follow(record: MetadataRecord): void {
    if (record.type === 'RegisterBrokerRecord') this.#registered.add(record.brokerId)
    else if (record.type === 'UnregisterBrokerRecord') this.#registered.delete(record.brokerId)
  }
}

function batchOf(entry: Entry): MetadataBatch {
  try {
    const [batch, more] = readMetadataBatches(entry.bytes)
    if (batch !== undefined && more === undefined) return batch
  } catch (error) {
    throw new BrokenChain(`the batch that ends at offset ${entry.endOffset} is unreadable`, { cause: error })
  }
  throw new BrokenChain(`the entry that ends at offset ${entry.endOffset} is not one batch`)
}
