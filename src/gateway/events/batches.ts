import type { KafkaRecord } from '../../protocol/batches/records.ts'
import type { EventCodec } from './codec.ts'
import type { EventBatch } from './ring.ts'

/** A key to compare, byte by byte. */
export const keyText = (key: Uint8Array | null): string | null =>
  key === null ? null : Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')

const nothing = new Uint8Array(0)

/** Encodes records as they come, and gives them out in batches of about `batchBytes`. */
export class BatchBuilder {
  readonly #topic: string
  readonly #tag: string
  readonly #codec: EventCodec
  readonly #batchBytes: number
  readonly #give: (batch: EventBatch) => void
  readonly #position: number[]
  #events: Uint8Array[] = []
  #ends: number[] = []
  #keys: (string | null)[] = []
  #partitions: number[] = []
  #bytes = 0
  #skipped = false

  /** `position`: where the first record is expected; a copy is kept. */
  constructor(
    topic: string,
    tag: string,
    codec: EventCodec,
    batchBytes: number,
    position: readonly number[],
    give: (batch: EventBatch) => void,
  ) {
    this.#topic = topic
    this.#tag = tag
    this.#codec = codec
    this.#batchBytes = batchBytes
    this.#position = [...position]
    this.#give = give
  }

  add(partition: number, record: KafkaRecord): void {
    this.#position[partition] = record.offset + 1
    const place = { topic: this.#topic, tag: this.#tag, position: this.#position }
    const event = this.#codec.record(place, partition, record)
    if (event === null) {
      this.#skipped = true
      return
    }
    this.#events.push(event)
    this.#bytes += event.length
    this.#ends.push(this.#bytes)
    this.#keys.push(keyText(record.key))
    this.#partitions.push(partition)
    if (this.#bytes >= this.#batchBytes) this.flush()
  }

  /** Nobody sees this record any more. */
  skip(partition: number, offset: number): void {
    this.#position[partition] = offset + 1
    this.#skipped = true
  }

  /** Gives what there is. */
  flush(): void {
    if (this.#events.length === 0 && !this.#skipped) return
    const bytes = this.#events.length === 0 ? nothing : this.#codec.join(this.#events, this.#bytes)
    const [ends, keys, partitions] = [this.#ends, this.#keys, this.#partitions]
    this.#give({ bytes, ends, keys, partitions, after: [...this.#position] })
    this.#events = []
    this.#ends = []
    this.#keys = []
    this.#partitions = []
    this.#bytes = 0
    this.#skipped = false
  }
}

/** Which records a subscriber wants. Null: all. */
export interface Wanted {
  /** As `keyText` has them. */
  readonly keys: ReadonlySet<string> | null
  readonly partitions: ReadonlySet<number> | null
}

export function isWanted({ keys, partitions }: Wanted, key: string | null, partition: number): boolean {
  return (keys === null || (key !== null && keys.has(key))) && (partitions === null || partitions.has(partition))
}

/** The events of a batch that are wanted, `most` at most, as pieces of its bytes. */
export function matching(batch: EventBatch, wanted: Wanted, headBytes: number, most: number): Uint8Array[] {
  const events: Uint8Array[] = []
  for (let i = 0; i < batch.keys.length && events.length < most; i++)
    if (isWanted(wanted, batch.keys[i]!, batch.partitions[i]!))
      events.push(batch.bytes.subarray(headBytes + (batch.ends[i - 1] ?? 0), headBytes + batch.ends[i]!))
  return events
}
