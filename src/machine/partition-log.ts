import { buildBatch, type RecordToWrite, recordSize } from '../protocol/batches/build.ts'
import { compressionBits, controlBit, transactionalBit } from '../protocol/batches/header.ts'
import { type FoundBatch, iterateBatches } from '../protocol/batches/iterate.ts'
import { readRecords } from '../protocol/batches/records.ts'
import { compressionReady, loadCompression } from '../protocol/compression/compression.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Logger } from '../world/logger.ts'
import type { Clock, Timers } from '../world/world.ts'
import { NotLeader, type OrderedLog, type OrderedLogListener } from './machine.ts'

/** A partition of an internal topic that is led here, as far as a coordinator needs it. */
export interface LedPartition {
  /** Offset after the last committed record. */
  readonly highWatermark: number
  readonly log: { readonly logStartOffset: number; readonly logEndOffset: number }
  /** Whole batches, all or none; stamps them. Throws KafkaError, and then nothing was appended. */
  append(bytes: Uint8Array, acks: number, now: number, origin: 'coordinator'): { readonly lastOffset: number }
  /** `done` when everything below `offset` is committed, or with an error when it never will be. */
  whenCommitted(offset: number, done: (error: Error | null) => void): void
  /** Committed batches from the one that holds `from` on. */
  read(from: number, maxBytes: number): Uint8Array[] | Promise<Uint8Array[]>
  /** Lets go of what lies before `offset`. */
  deleteRecords(offset: number): Promise<number>
}

export interface KeyAndValue {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

/** What a machine's records look like in a log. */
export interface RecordCodec<Record> {
  /** Throws for a record that has no place in a log. */
  encode(record: Record): KeyAndValue
  /** `producerId`: of the batch when it is transactional, else −1. Total. The result has no view of the bytes. */
  decode(key: Uint8Array, value: Uint8Array | null, producerId: number): Record
  /** A number for kinds that the machine does not know (they are named in a warning); null: it knows this one. */
  foreignKind(record: Record): number | null
  /** What a transaction's end is to the machine; null: nothing. */
  endTransaction(producerId: number, committed: boolean): Record | null
  /** Bytes, near enough to fill batches by. */
  roughSize(record: Record): number
}

export interface PartitionLogOptions<Record> {
  readonly partition: LedPartition
  readonly codec: RecordCodec<Record>
  /** For log lines: `__consumer_offsets-7`. */
  readonly name: string
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
  /** A commit failed, so this term is over. */
  readonly lost?: (error: Error) => void
}

/** Fewer bytes than any `max.message.bytes` worth having; a single record may be larger. */
const batchBytes = 256 * 1024
const loadBytes = 1024 * 1024
/** The key of a marker tells how a transaction ended (KIP-98): version int16, then 0 for abort or 1 for commit. */
const commitMarker = 1

interface Appended<Record> {
  readonly records: readonly Record[]
  readonly end: number
  readonly timestamp: number
}

/**
 * One led partition of an internal topic as a machine's ordered log. Reads everything that is there, in parts so that
 * others get their turn; leads when it has read and seen committed what was there as of the election; then appends. One
 * object for one term of leadership.
 *
 * The log is a plain Kafka topic, which has no room for a snapshot file. A snapshot is therefore appended like any other
 * records, and the head let go when it is safe. It is read lazily, a part a turn: each record must be what holds when it
 * is read, because it takes its place behind everything that was appended until then.
 */
export class PartitionLog<Record> implements OrderedLog<Record> {
  readonly #partition: LedPartition
  readonly #codec: RecordCodec<Record>
  readonly #name: string
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #logger: Logger
  readonly #lost: (error: Error) => void
  #listener: OrderedLogListener<Record> | null = null
  #epoch: number | null = null
  #over = false
  /** Not yet committed, in order. */
  #appended: Appended<Record>[] = []
  /** Producers with offsets in open transactions, and where those begin: before that, the head must stay. */
  readonly #openTransactions = new Map<number, number>()
  /** Kinds of records that are not ours. */
  readonly #foreign = new Set<number>()
  #compacting = false

  constructor({ partition, codec, name, clock, timers, logger, lost = () => {} }: PartitionLogOptions<Record>) {
    this.#partition = partition
    this.#codec = codec
    this.#name = name
    this.#clock = clock
    this.#timers = timers
    this.#logger = logger
    this.#lost = lost
  }

  /** Offsets between the log's start and end: what a load has to read. */
  get length(): number {
    return this.#partition.log.logEndOffset - this.#partition.log.logStartOffset
  }

  get end(): number {
    return this.#partition.log.logEndOffset
  }

  get compacting(): boolean {
    return this.#compacting
  }

  follow(listener: OrderedLogListener<Record>): void {
    this.#listener = listener
  }

  /** Reads what is there and then leads in `epoch`. Rejects when the log cannot be read. */
  async start(epoch: number): Promise<void> {
    const { log } = this.#partition
    const end = log.logEndOffset
    const began = log.logStartOffset
    this.#listener?.load([], began)
    await this.#committed(end)
    let at = began
    while (at < end && !this.#over) {
      const chunks = await this.#partition.read(at, loadBytes)
      if (this.#over) return
      const next = await this.#give(chunks, at)
      if (next <= at) throw new KafkaError('CORRUPT_MESSAGE', `there is no whole batch at offset ${at}`)
      at = next
      await new Promise<void>(resolve => this.#timers.soon(resolve))
    }
    if (this.#over) return
    this.#sayForeign()
    this.#epoch = epoch
    this.#listener?.lead(epoch)
  }

  /** The lead is lost, or the node stops. */
  stop(): void {
    if (this.#over) return
    this.#over = true
    this.#epoch = null
    this.#appended = []
    this.#listener?.lead(null)
  }

  append(epoch: number, records: readonly Record[], timestamp: number): number {
    if (this.#over || epoch !== this.#epoch) throw new NotLeader()
    const end = this.#write(records, timestamp)
    this.#appended.push({ records, end, timestamp })
    this.#partition.whenCommitted(end, error => this.#acknowledged(end, error))
    return end
  }

  /** `snapshot` is read while others append (see above): `upTo` must be the log's end at the time of the call. */
  compact(upTo: number, snapshot: Iterable<Record>): void {
    if (this.#compacting || this.#over) return
    this.#compacting = true
    const keepFrom = Math.min(upTo, ...this.#openTransactions.values())
    this.#writeSnapshot(snapshot[Symbol.iterator](), keepFrom)
  }

  #committed(offset: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#partition.whenCommitted(offset, error => (error === null ? resolve() : reject(error)))
    })
  }

  /** Hands on the records of whole batches; returns the offset after them. */
  async #give(chunks: readonly Uint8Array[], from: number): Promise<number> {
    let next = from
    for (const chunk of chunks) {
      for (const batch of iterateBatches(chunk)) {
        // Only the batch that holds `from` may begin before it, and a reader starts where a batch begins.
        if (batch.lastOffset < from) continue
        const codec = batch.attributes & compressionBits
        if (!compressionReady(codec)) await loadCompression(codec)
        next = batch.lastOffset + 1
        this.#listener?.commit(this.#decode(chunk, batch), next, batch.maxTimestamp)
      }
    }
    return next
  }

  #decode(chunk: Uint8Array, batch: FoundBatch): Record[] {
    if ((batch.attributes & controlBit) !== 0) return this.#decodeMarker(chunk, batch)
    const producerId = (batch.attributes & transactionalBit) === 0 ? -1 : batch.producerId
    if (producerId !== -1 && !this.#openTransactions.has(producerId)) {
      this.#openTransactions.set(producerId, batch.baseOffset)
    }
    const records: Record[] = []
    for (const { key, value } of readRecords(chunk, batch.position)) {
      if (key === null) continue
      const record = this.#codec.decode(key, value, producerId)
      const foreign = this.#codec.foreignKind(record)
      if (foreign !== null) this.#foreign.add(foreign)
      records.push(record)
    }
    return records
  }

  #decodeMarker(chunk: Uint8Array, batch: FoundBatch): Record[] {
    for (const { key } of readRecords(chunk, batch.position)) {
      if (key === null || key.length < 4) continue
      const type = (key[2]! << 8) | key[3]!
      if (type > commitMarker) continue
      this.#openTransactions.delete(batch.producerId)
      const ended = this.#codec.endTransaction(batch.producerId, type === commitMarker)
      return ended === null ? [] : [ended]
    }
    return []
  }

  #sayForeign(): void {
    if (this.#foreign.size === 0) return
    const message = 'records of newer group protocols are kept as they are, their groups are not served'
    this.#logger.warn(message, { log: this.#name, kinds: [...this.#foreign].sort((one, other) => one - other) })
  }

  #acknowledged(end: number, error: Error | null): void {
    if (this.#over) return
    if (error !== null) {
      // Another node leads it now: that is how clusters live.
      if (!isLostLead(error)) this.#logger.error('a group partition cannot commit any more', { log: this.#name, error })
      this.stop()
      this.#lost(error)
      return
    }
    while (this.#appended.length > 0 && this.#appended[0]!.end <= end) {
      const { records, end, timestamp } = this.#appended.shift()!
      this.#listener?.commit(records, end, timestamp)
    }
  }

  /** Appends as one write, in batches of a reasonable size; returns the offset after the last record. */
  #write(records: readonly Record[], timestamp: number): number {
    const batches: Uint8Array[] = []
    let batch: RecordToWrite[] = []
    let size = 0
    for (const record of records) {
      const { key, value } = this.#codec.encode(record)
      const toWrite = { timestamp, key, value }
      const bytes = recordSize(toWrite)
      if (size > 0 && size + bytes > batchBytes) {
        batches.push(buildBatch({ records: batch }))
        batch = []
        size = 0
      }
      batch.push(toWrite)
      size += bytes
    }
    batches.push(buildBatch({ records: batch }))
    try {
      const bytes = batches.length === 1 ? batches[0]! : Buffer.concat(batches)
      return this.#partition.append(bytes, -1, timestamp, 'coordinator').lastOffset + 1
    } catch (error) {
      if (!isLostLead(error)) throw error
      this.#timers.soon(() => this.stop())
      throw new NotLeader()
    }
  }

  #writeSnapshot(records: Iterator<Record>, keepFrom: number): void {
    if (this.#over) return
    try {
      const part: Record[] = []
      let size = 0
      let next = records.next()
      while (!next.done) {
        part.push(next.value)
        size += this.#codec.roughSize(next.value)
        if (size > batchBytes) break
        next = records.next()
      }
      if (part.length > 0) this.#write(part, this.#clock.now())
      if (!next.done) {
        this.#timers.soon(() => this.#writeSnapshot(records, keepFrom))
        return
      }
    } catch (error) {
      this.#compacting = false
      this.#logger.warn('a group partition could not be compacted; tried again later', { log: this.#name, error })
      return
    }
    this.#partition.whenCommitted(this.#partition.log.logEndOffset, error => this.#letHeadGo(keepFrom, error))
  }

  #letHeadGo(keepFrom: number, error: Error | null): void {
    const done = (error: unknown): void => {
      this.#compacting = false
      if (error !== null) this.#logger.warn('the head of a group partition stays', { log: this.#name, error })
    }
    if (error !== null || this.#over) done(error)
    else this.#partition.deleteRecords(keepFrom).then(() => done(null), done)
  }
}

function isLostLead(error: unknown): boolean {
  return (
    error instanceof KafkaError &&
    (error.errorName === 'NOT_LEADER_OR_FOLLOWER' || error.errorName === 'FENCED_LEADER_EPOCH')
  )
}
