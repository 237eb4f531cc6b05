import type { MetadataRecord } from '../records/records.ts'

/**
 * Kafka's controller wraps what does not fit into one batch between begin and end records (KIP-868): until the end is
 * there, none of it counts.
 */
export class MetadataTransactions {
  #held: MetadataRecord[] | null = null

  /** True when the log has begun what it has not ended. */
  get open(): boolean {
    return this.#held !== null
  }

  /** What counts now that these records are there. */
  release(records: readonly MetadataRecord[]): readonly MetadataRecord[] {
    if (this.#held === null && !records.some(({ type }) => type === 'BeginTransactionRecord')) return records
    const released: MetadataRecord[] = []
    for (const record of records) {
      if (record.type === 'BeginTransactionRecord') this.#held = []
      else if (record.type === 'AbortTransactionRecord') this.#held = null
      else if (record.type === 'EndTransactionRecord') {
        released.push(...(this.#held ?? []))
        this.#held = null
      } else if (this.#held === null) released.push(record)
      else this.#held.push(record)
    }
    return released
  }
}
