/**
 * Where a partition's bytes live. A store knows batches and offsets, nothing of clients, leaders or replicas; Kafka's
 * meaning lives above it, once. One contract suite (`contract.ts`) runs against every adapter.
 */
import type { BatchHeader, BatchSummary } from '../protocol/batches/header.ts'

export type { BatchHeader, BatchSummary }

export interface StoreOptions {
  /** Bytes after which a new segment begins. */
  readonly segmentBytes: number
  /** ms between the first record of a segment and a record that makes a new segment begin. */
  readonly segmentMs: number
  readonly indexIntervalBytes: number
  readonly segmentIndexBytes: number
}

export interface Segment {
  readonly baseOffset: number
  /** Offset after the last record; of a closed segment, where the next one begins. */
  readonly endOffset: number
  readonly sizeInBytes: number
  /** ms of the newest record, −1 when empty. */
  readonly maxTimestamp: number
}

/** Why a store's bytes are not to be trusted, although they had been on stable storage. */
export interface Damage {
  /** Records from this offset on are lost, or lie in bytes that make no sense. */
  readonly offset: number
  readonly reason: string
}

/** Told synchronously, never from inside of a call to the store. */
export interface StoreObserver {
  /** Everything below is in the page cache: it survives the end of this process. */
  written(upTo: number): void
  /** Everything below is on stable storage. */
  durable(upTo: number): void
  /** Appended batches from `from` on are gone (disk full): the store's end is `from` again. It can go on. */
  dropped(from: number, error: Error): void
  /** Stable storage can no longer be promised (a failed fsync): the node must stop. */
  failed(error: Error): void
}

export interface Store {
  /** True: any broker can open it and the store itself replicates. */
  readonly shared: boolean
  /**
   * Bytes below the recovery point are gone or wrong: rot, not a torn tail. Nothing is cut; reads below `offset` go on,
   * appends throw KAFKA_STORAGE_ERROR. `reset` and `truncate` to at most `offset` make it whole again, with another copy.
   */
  readonly damage: Damage | null
  /** Offset of the first segment: none below is kept. */
  readonly startOffset: number
  /** Offset after the last batch appended; not necessarily written yet. */
  readonly endOffset: number
  readonly writtenOffset: number
  readonly durableOffset: number
  readonly sizeInBytes: number
  options: StoreOptions

  observe(observer: StoreObserver): void
  /**
   * Takes whole batches whose offsets follow on `endOffset` (gaps are allowed, going back is not). They can be read at once.
   * `bytes` are copied. Appends of one turn of the event loop leave in one vectored write.
   * Throws RangeError when they do not follow, KafkaError KAFKA_STORAGE_ERROR when the store is closed, failed, damaged or
   * full; then nothing has changed.
   */
  append(bytes: Uint8Array, batches: readonly BatchSummary[]): void
  /**
   * Fulfilled with the end of what is durable, at least everything appended before the call that is still there. All who
   * wait share one sync. Rejects when what was appended was dropped, or when the sync failed (see `StoreObserver`).
   */
  sync(): Promise<number>
  /**
   * Whole batches from the one that contains `from` on, as views. Gives no batch that reaches `upTo` (an offset) or beyond,
   * and at most `maxBytes`, but the first batch however large it is. May give less than there is. Synchronous when the tail
   * cache holds them. Throws (or rejects with) RangeError when `from` lies below `startOffset` or above `endOffset`, KafkaError
   * CORRUPT_MESSAGE at bytes that are no batches. Of batches that come from a disk only the headers' sense is checked, not
   * the CRC: consumers check it, and doing it here would touch every byte once more.
   */
  read(from: number, maxBytes: number, upTo: number): Uint8Array[] | Promise<Uint8Array[]>
  /** The batch with the first record whose timestamp is ≥ `timestamp`: its base offset; null when there is none. */
  batchForTimestamp(timestamp: number): number | null | Promise<number | null>
  /** Headers of all batches from the one that contains `from` on, in order, read synchronously block by block. */
  scan(from: number): Iterable<BatchHeader>
  /**
   * Keeps what lies below `to` (a batch boundary), drops the rest: for readers at once, durably when fulfilled. Throws
   * RangeError when a batch reaches across `to`.
   */
  truncate(to: number): Promise<void>
  /** Forgets everything and starts empty at `at`: for readers at once, durably when fulfilled. */
  reset(at: number): Promise<void>
  /** Drops whole segments that end at or below `to`; never the last one. At once, unless a truncation is under way. */
  trim(to: number): Promise<void>
  /** Closes the active segment, so that it can be trimmed. Nothing happens when it is empty. */
  roll(): void
  /** From the oldest on; never empty. The array is a new one whenever a segment comes or goes. */
  segments(): readonly Segment[]
  /** Small files beside the batches (`leader-epoch-checkpoint`, `00000000000000000042.snapshot`). */
  names(): readonly string[]
  get(name: string): Uint8Array | null
  /** Atomic; durable when fulfilled. */
  put(name: string, bytes: Uint8Array): Promise<void>
  drop(name: string): void
  /** Writes and syncs what is there. */
  close(): Promise<void>
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** All partitions of one node in one place: a directory, a database. */
export interface Volume {
  readonly shared: boolean
  /** True when the last user closed it in order. */
  readonly clean: boolean
  /** Of the broker that left the clean mark; −1 when there is none (KIP-966). */
  readonly previousBrokerEpoch: number
  /** What is there, with the topic id that was noted when it was made (null in old directories). */
  list(): readonly (TopicPartition & { readonly topicId: string | null })[]
  /**
   * Opens, or makes when it is missing; files are created with the first append. Recovers what a crash left behind. Throws
   * KafkaError INCONSISTENT_TOPIC_ID when another topic of this name left its bytes here.
   */
  open(partition: TopicPartition, topicId: string, options: StoreOptions): Store
  /** Gone for readers at once; the bytes are removed later. */
  remove(partition: TopicPartition): Promise<void>
  /** As `remove`, but where bytes outlive the process they stay, under a name that nobody looks at. */
  setAside(partition: TopicPartition): Promise<void>
  /** A reader is done with views that a store's `read` gave it: their memory may be used again. Optional; once for each view. */
  release(views: readonly Uint8Array[]): void
  /** Notes how far every store is durable, so that the next recovery starts there. */
  checkpoint(): Promise<void>
  /** What the last `checkpoint` noted of a partition, also when its folder is gone since; 0: nothing. */
  recoveryPoint(partition: TopicPartition): number
  /** Kafka's `log-start-offset-checkpoint`: set by the log above. */
  logStartOffset(partition: TopicPartition): number
  setLogStartOffset(partition: TopicPartition, offset: number): void
  /** Kafka's `replication-offset-checkpoint`: high watermarks, set by the replica above; 0 when none was noted. */
  highWatermark(partition: TopicPartition): number
  setHighWatermark(partition: TopicPartition, offset: number): void
  /** Small files at the root (`meta.properties`, `join-token`). */
  get(name: string): Uint8Array | null
  put(name: string, bytes: Uint8Array, mode?: number): Promise<void>
  /** Where the newest batches are kept in memory, for metrics. Bytes; counts since the start. */
  readonly tailCache?: {
    readonly usedBytes: number
    readonly limitBytes: number
    readonly hits: number
    readonly misses: number
    readonly evictions: number
  }
  /** Bytes free and in all. */
  space(): { free: number; total: number }
  /** Closes all stores, syncs, leaves the clean mark with `brokerEpoch` in it; −1: with the one that was found in it. */
  close(brokerEpoch?: number): Promise<void>
}
