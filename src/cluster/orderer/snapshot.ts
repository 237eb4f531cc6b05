import type { MetadataRecord } from '../records/records.ts'
import { type ControlRecord, controlBatch, RecordEncoder, readMetadataBatches } from './batches.ts'
import type { Voter } from './orderer.ts'

/** A snapshot holds what all offsets below `endOffset` led to; `epoch` is that of the last of them (KIP-630). */
export interface SnapshotId {
  readonly endOffset: number
  readonly epoch: number
}

/** Raft's part of a snapshot. */
export interface QuorumFacts {
  /** 0: voters stand in configuration files. 1: they stand in the log (KIP-853). */
  readonly kraftVersion: number
  readonly voters: readonly Voter[]
}

export interface Snapshot extends QuorumFacts {
  /** ms: time of the last record of the log that went into it. */
  readonly timestamp: number
  readonly records: readonly MetadataRecord[]
}

const suffix = '.checkpoint'
const recordsPerBatch = 2000

export function snapshotName({ endOffset, epoch }: SnapshotId): string {
  return `${String(endOffset).padStart(20, '0')}-${String(epoch).padStart(10, '0')}${suffix}`
}

/** Ids of the snapshots among some files, the newest first. */
export function snapshotIds(names: Iterable<string>): SnapshotId[] {
  const ids: SnapshotId[] = []
  for (const name of names) {
    const match = /^(\d{20})-(\d{10})\.checkpoint$/.exec(name)
    if (match !== null) ids.push({ endOffset: Number(match[1]), epoch: Number(match[2]) })
  }
  return ids.sort((a, b) => b.endOffset - a.endOffset || b.epoch - a.epoch)
}

/** Kafka's own format: a control batch with a header, batches of records, a control batch with a footer. */
export function encodeSnapshot(snapshot: Snapshot, epoch: number, now: number): Buffer {
  const header: ControlRecord[] = [{ type: 'snapshotHeader', lastContainedLogTimestamp: snapshot.timestamp }]
  if (snapshot.kraftVersion > 0) {
    header.push({ type: 'kraftVersion', kraftVersion: snapshot.kraftVersion })
    header.push({ type: 'voters', voters: snapshot.voters })
  }
  const encoder = new RecordEncoder()
  const batches = [controlBatch(header, now, 0, epoch)]
  let offset = header.length
  for (let from = 0; from < snapshot.records.length; from += recordsPerBatch) {
    const records = snapshot.records.slice(from, from + recordsPerBatch)
    batches.push(encoder.dataBatch(records, now, offset, epoch))
    offset += records.length
  }
  batches.push(controlBatch([{ type: 'snapshotFooter' }], now, offset, epoch))
  return Buffer.concat(batches)
}

/** Throws when it is damaged, cut off, or newer than this program. */
export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  let timestamp = -1
  let kraftVersion = 0
  let voters: readonly Voter[] = []
  let ended = false
  const records: MetadataRecord[] = []
  for (const batch of readMetadataBatches(bytes)) {
    for (const record of batch.records) records.push(record)
    for (const control of batch.control) {
      if (control.type === 'snapshotHeader') timestamp = control.lastContainedLogTimestamp
      if (control.type === 'kraftVersion') kraftVersion = control.kraftVersion
      if (control.type === 'voters') voters = control.voters
      if (control.type === 'snapshotFooter') ended = true
    }
  }
  if (!ended) throw new Error('the snapshot has no end')
  return { timestamp, kraftVersion, voters, records }
}
