import type { KafkaRecord } from '../../protocol/batches/records.ts'
import { type JsonFormat, recordJson } from '../record-json.ts'
import { showPosition } from './position.ts'
import type { EventBatch } from './ring.ts'

/** Server-sent events as text (WHATWG HTML, 9.2). JSON has no line breaks here, so that each event has one line of data. */

/** ms after which `EventSource` tries again when the connection was lost, and as many more at most. */
const retryMs = 1000

/**
 * What every stream begins with: a reader that is cut off before its first event comes back to where it began. Not all come
 * back at once: those of one node lose their connections in the same moment.
 */
export const greeting = (id: string, random: { int(below: number): number }): string =>
  `retry: ${retryMs + random.int(retryMs)}\nid: ${id}\n\n`

export const heartbeat = ':\n\n'

/** An id without data sets what `EventSource` sends back, and is no event. */
export const idOnly = (id: string): string => `:\nid: ${id}\n\n`

export const recordEvent = (id: string, topic: string, partition: number, record: KafkaRecord, format: JsonFormat) =>
  Buffer.from(`id: ${id}\ndata: ${recordJson(topic, partition, record, format)}\n\n`)

/** Something about the stream itself: `onmessage` does not hear it, `addEventListener(name)` does. */
export const noticeEvent = (id: string, name: string, data: unknown): Buffer =>
  Buffer.from(`id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`)

/** A key to compare, byte by byte. */
export const keyText = (key: Uint8Array | null): string | null =>
  key === null ? null : Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')

/** Encodes records as they come, and gives them out in batches of about `batchBytes`. */
export class BatchBuilder {
  readonly #topic: string
  readonly #tag: string
  readonly #format: JsonFormat
  readonly #batchBytes: number
  readonly #give: (batch: EventBatch) => void
  readonly #position: number[]
  #events: Buffer[] = []
  #ends: number[] = []
  #keys: (string | null)[] = []
  #bytes = 0
  #skipped = false

  /** `position`: where the first record is expected; a copy is kept. */
  constructor(
    topic: string,
    tag: string,
    format: JsonFormat,
    batchBytes: number,
    position: readonly number[],
    give: (batch: EventBatch) => void,
  ) {
    this.#topic = topic
    this.#tag = tag
    this.#format = format
    this.#batchBytes = batchBytes
    this.#position = [...position]
    this.#give = give
  }

  add(partition: number, record: KafkaRecord): void {
    this.#position[partition] = record.offset + 1
    const event = recordEvent(showPosition(this.#position, this.#tag), this.#topic, partition, record, this.#format)
    this.#events.push(event)
    this.#bytes += event.length
    this.#ends.push(this.#bytes)
    this.#keys.push(keyText(record.key))
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
    const bytes = this.#events.length === 1 ? this.#events[0]! : Buffer.concat(this.#events, this.#bytes)
    this.#give({ bytes, ends: this.#ends, keys: this.#keys, after: [...this.#position] })
    this.#events = []
    this.#ends = []
    this.#keys = []
    this.#bytes = 0
    this.#skipped = false
  }
}

/** The events of a batch whose keys are wanted, as pieces of its bytes. */
export function* matching(batch: EventBatch, keys: ReadonlySet<string>): Generator<Uint8Array, void, void> {
  for (const [i, key] of batch.keys.entries())
    if (key !== null && keys.has(key)) yield batch.bytes.subarray(batch.ends[i - 1] ?? 0, batch.ends[i])
}
