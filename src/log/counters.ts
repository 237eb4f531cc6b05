/** What the logs of one node did since it started: plain numbers for whoever shows metrics. */
export interface LogCounters {
  batchesAppended: number
  bytesAppended: number
  /** Batches of idempotent producers that were in the log already. */
  duplicates: number
  /** Appends refused because of what they held. */
  rejected: number
  /** Times that appended batches were taken back because the disk was full. */
  dropped: number
  /** Legacy message sets and other codecs than the topic's. */
  converted: number
  segmentsRemoved: number
  bytesRemoved: number
}

export function newCounters(): LogCounters {
  return {
    batchesAppended: 0,
    bytesAppended: 0,
    duplicates: 0,
    rejected: 0,
    dropped: 0,
    converted: 0,
    segmentsRemoved: 0,
    bytesRemoved: 0,
  }
}
