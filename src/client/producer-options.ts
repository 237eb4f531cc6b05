import type { RecordHeader } from '../protocol/batches/records.ts'
import type { CompressionType } from '../protocol/compression/compression.ts'

export interface ProducerOptions {
  /** −1: all in-sync replicas. 0: no answer, offsets are −1. */
  readonly acks: -1 | 0 | 1
  /** Each record once, in order, through all retries (KIP-98). Needs acks −1. */
  readonly idempotent: boolean
  readonly compression: CompressionType
  readonly level: number | null
  /** Largest batch, bytes before compression. One larger record still goes alone. */
  readonly maxBatchBytes: number
  /** ms to wait for company before a batch leaves. 0: what comes while a batch is under way is company enough. */
  readonly lingerMs: number
  /** Bytes of records that wait or are under way. */
  readonly bufferBytes: number
  /** ms from `send` to giving up. */
  readonly deliveryTimeoutMs: number
  /** Partitions of which is remembered what was sent last, also when nothing is under way. */
  readonly maxIdlePartitions: number
  /**
   * A topic that was deleted meanwhile is made anew where the broker does that by itself, as Java's client has it; where not,
   * its records fail at once. Otherwise they wait for somebody to make it.
   */
  readonly remakesTopics: boolean
}

export const defaultProducerOptions: ProducerOptions = {
  acks: -1,
  idempotent: true,
  compression: 'none',
  level: null,
  maxBatchBytes: 900_000,
  lingerMs: 0,
  bufferBytes: 32 * 1024 * 1024,
  deliveryTimeoutMs: 120_000,
  maxIdlePartitions: 10_000,
  remakesTopics: false,
}

export interface RecordToSend {
  readonly topic: string
  /** Left out: by key like Java's client, sticky without a key. */
  readonly partition?: number
  readonly key?: Uint8Array | null
  readonly value?: Uint8Array | null
  readonly headers?: readonly RecordHeader[]
  /** ms; left out: now. */
  readonly timestamp?: number
}

export interface PlacedRecord {
  readonly partition: number
  /** −1: not known (acks 0, or an old repetition). */
  readonly offset: number
  /** ms; the broker's where the topic says LogAppendTime. */
  readonly timestamp: number
}

/** Where a record is, or why it is not there. */
export type SendOutcome = PlacedRecord | Error
