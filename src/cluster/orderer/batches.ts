import { buildBatch, type RecordToWrite } from '../../protocol/batches/build.ts'
import { controlBit } from '../../protocol/batches/header.ts'
import { iterateBatches, validateBatch } from '../../protocol/batches/iterate.ts'
import { readRecords } from '../../protocol/batches/records.ts'
import {
  KRaftVersionRecord,
  LeaderChangeMessage,
  SnapshotFooterRecord,
  SnapshotHeaderRecord,
  VotersRecord,
} from '../../protocol/messages/control-records.ts'
import { decodeRecord, encodeRecord, type MetadataRecord } from '../records/records.ts'
import type { Voter } from './orderer.ts'

/** Raft's own records (KIP-595, 630, 853), as far as a reader must know them. */
export type ControlRecord =
  | { readonly type: 'leaderChange'; readonly leaderId: number; readonly voterIds: readonly number[] }
  | { readonly type: 'snapshotHeader'; readonly lastContainedLogTimestamp: number }
  | { readonly type: 'snapshotFooter' }
  | { readonly type: 'kraftVersion'; readonly kraftVersion: number }
  | { readonly type: 'voters'; readonly voters: readonly Voter[] }

/** One batch of a metadata log or of a snapshot. */
export interface MetadataBatch {
  readonly baseOffset: number
  /** Offset after its last record. */
  readonly endOffset: number
  readonly leaderEpoch: number
  /** ms. */
  readonly timestamp: number
  readonly control: readonly ControlRecord[]
  readonly records: readonly MetadataRecord[]
}

const controlIds = { leaderChange: 2, snapshotHeader: 3, snapshotFooter: 4, kraftVersion: 5, voters: 6 } as const

/** Which levels of `metadata.version` records are written for: the last one that came by. */
export class RecordEncoder {
  #metadataVersion = 0

  /** Notes what a record says of the level, written by others. */
  follow(record: MetadataRecord): void {
    if (record.type === 'FeatureLevelRecord' && record.name === 'metadata.version') {
      this.#metadataVersion = record.featureLevel
    }
  }

  dataBatch(records: readonly MetadataRecord[], timestamp: number, baseOffset = 0, leaderEpoch = 0): Buffer {
    const written = records.map(record => {
      this.follow(record)
      return { timestamp, value: encodeRecord(record, this.#metadataVersion) }
    })
    return buildBatch({ records: written, baseOffset, leaderEpoch })
  }
}

export function controlBatch(
  records: readonly ControlRecord[],
  timestamp: number,
  baseOffset = 0,
  leaderEpoch = 0,
): Buffer {
  return buildBatch({
    records: records.map(record => controlRecord(record, timestamp)),
    baseOffset,
    leaderEpoch,
    control: true,
  })
}

function controlRecord(record: ControlRecord, timestamp: number): RecordToWrite {
  const key = Buffer.alloc(4) // version and type, an int16 each
  key.writeInt16BE(controlIds[record.type], 2)
  return { timestamp, key, value: controlValue(record) }
}

function controlValue(record: ControlRecord): Buffer {
  switch (record.type) {
    case 'leaderChange': {
      const voters = record.voterIds.map(voterId => ({ voterId }))
      return LeaderChangeMessage.toBytes(0, { version: 0, leaderId: record.leaderId, voters, grantingVoters: voters })
    }
    case 'snapshotHeader':
      return SnapshotHeaderRecord.toBytes(0, {
        version: 0,
        lastContainedLogTimestamp: record.lastContainedLogTimestamp,
      })
    case 'snapshotFooter':
      return SnapshotFooterRecord.toBytes(0, { version: 0 })
    case 'kraftVersion':
      return KRaftVersionRecord.toBytes(0, { version: 0, kRaftVersion: record.kraftVersion })
    case 'voters':
      return VotersRecord.toBytes(0, {
        version: 0,
        voters: record.voters.map(({ id, directoryId, endpoints }) => ({
          voterId: id,
          voterDirectoryId: directoryId,
          endpoints,
          kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: 1 },
        })),
      })
  }
}

/** Throws CORRUPT_MESSAGE, or an error that says that the log is newer than this program. */
export function* readMetadataBatches(bytes: Uint8Array): Iterable<MetadataBatch> {
  for (const batch of iterateBatches(bytes)) {
    const problem = validateBatch(bytes, batch.position)
    if (problem !== null) throw new Error(`the metadata at offset ${batch.baseOffset} is damaged: ${problem}`)
    const control: ControlRecord[] = []
    const records: MetadataRecord[] = []
    for (const { key, value } of readRecords(bytes, batch.position)) {
      if (value === null) continue
      if ((batch.attributes & controlBit) === 0) records.push(decodeRecord(value))
      else control.push(...readControl(key, value))
    }
    yield {
      baseOffset: batch.baseOffset,
      endOffset: batch.lastOffset + 1,
      leaderEpoch: batch.leaderEpoch,
      timestamp: batch.maxTimestamp,
      control,
      records,
    }
  }
}

/** Kinds that came after this program was written say nothing to it. */
function readControl(key: Uint8Array | null, value: Uint8Array): ControlRecord[] {
  if (key === null || key.length < 4) return []
  switch ((key[2]! << 8) | key[3]!) {
    case controlIds.leaderChange: {
      const { leaderId, voters } = LeaderChangeMessage.read(value, 0)
      return [{ type: 'leaderChange', leaderId, voterIds: voters.map(({ voterId }) => voterId) }]
    }
    case controlIds.snapshotHeader: {
      const { lastContainedLogTimestamp } = SnapshotHeaderRecord.read(value, 0)
      return [{ type: 'snapshotHeader', lastContainedLogTimestamp }]
    }
    case controlIds.snapshotFooter:
      return [{ type: 'snapshotFooter' }]
    case controlIds.kraftVersion:
      return [{ type: 'kraftVersion', kraftVersion: KRaftVersionRecord.read(value, 0).kRaftVersion }]
    case controlIds.voters: {
      const { voters } = VotersRecord.read(value, 0)
      return [
        {
          type: 'voters',
          voters: voters.map(({ voterId, voterDirectoryId, endpoints }) => ({
            id: voterId,
            directoryId: voterDirectoryId,
            endpoints,
          })),
        },
      ]
    }
    default:
      return []
  }
}
