import type { Compaction } from './host-options.ts'

/** How much was added to a log since its machine was written down last, beside what that had come to. */
export class Growth<Record> {
  readonly #compaction: Compaction<Record> | undefined
  #records = 0
  #bytes = 0
  #recordsWritten = 0
  #bytesWritten = 0

  constructor(compaction: Compaction<Record> | undefined) {
    this.#compaction = compaction
  }

  /** A snapshot is worth its while. */
  get due(): boolean {
    const compaction = this.#compaction
    if (compaction === undefined) return false
    const manyRecords = this.#records > Math.max(compaction.records, this.#recordsWritten)
    const manyBytes = this.#bytes > Math.max(compaction.bytes, this.#bytesWritten)
    return manyRecords || manyBytes
  }

  add(records: readonly Record[]): void {
    this.#records += records.length
    this.#bytes += this.#sizeOf(records)
  }

  /** All that there is was written down as these records. */
  written(records: readonly Record[]): void {
    this.#recordsWritten = records.length
    this.#bytesWritten = this.#sizeOf(records)
    this.#records = 0
    this.#bytes = 0
  }

  #sizeOf(records: readonly Record[]): number {
    if (this.#compaction === undefined) return 0
    let bytes = 0
    for (const record of records) bytes += this.#compaction.sizeOf(record)
    return bytes
  }
}
