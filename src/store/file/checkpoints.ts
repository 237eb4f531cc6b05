import type { TopicPartition } from '../store.ts'
import { keyOf } from './names.ts'

/** The small text files of a data directory, in Kafka's formats. */

/** Offsets by partition: `recovery-point-offset-checkpoint` and its kin (Kafka's OffsetCheckpointFile, version 0). */
export class OffsetCheckpoint {
  readonly #entries = new Map<string, TopicPartition & { readonly offset: number }>()
  /** True when there is something to write. */
  changed = false

  /** Null when the text is not in this format. */
  static parse(text: string): OffsetCheckpoint | null {
    const [version, count, ...lines] = text.trimEnd().split('\n')
    if (version !== '0' || Number(count) !== lines.length) return null
    const checkpoint = new OffsetCheckpoint()
    for (const line of lines) {
      const [, topic, partition, offset] = /^(\S+) (\d+) (\d+)$/.exec(line) ?? []
      if (topic === undefined || !Number.isSafeInteger(Number(offset))) return null
      checkpoint.set({ topic, partition: Number(partition) }, Number(offset))
    }
    checkpoint.changed = false
    return checkpoint
  }

  get(partition: TopicPartition): number | undefined {
    return this.#entries.get(keyOf(partition))?.offset
  }

  set({ topic, partition }: TopicPartition, offset: number): void {
    const key = keyOf({ topic, partition })
    if (this.#entries.get(key)?.offset === offset) return
    this.#entries.set(key, { topic, partition, offset })
    this.changed = true
  }

  delete(partition: TopicPartition): void {
    if (this.#entries.delete(keyOf(partition))) this.changed = true
  }

  toText(): string {
    const lines = [...this.#entries.values()].map(({ topic, partition, offset }) => `${topic} ${partition} ${offset}\n`)
    return `0\n${lines.length}\n${lines.join('')}`
  }
}

/** `partition.metadata`: which topic of this name the folder belongs to (KIP-516). */
export function partitionMetadata(topicId: string): string {
  return `version: 0\ntopic_id: ${topicId}`
}

/** Null when the text is not in this format, as after a crash while it was first written. */
export function topicIdIn(text: string): string | null {
  return /^version: 0\s+topic_id: ([\w-]{22})\s*$/.exec(text)?.[1] ?? null
}

/** `.kafka_cleanshutdown` (KIP-966). */
export function cleanMark(brokerEpoch: number): string {
  return JSON.stringify({ version: 0, brokerEpoch })
}

/** −1 when the mark names none, as those of older brokers. */
export function brokerEpochIn(text: string): number {
  try {
    const { brokerEpoch } = JSON.parse(text) as { brokerEpoch?: unknown }
    return Number.isSafeInteger(brokerEpoch) ? (brokerEpoch as number) : -1
  } catch {
    return -1
  }
}
