import type { KeyAndValue, RecordCodec } from '../machine/partition-log.ts'
import { ProtocolError } from '../protocol/protocol-error.ts'
import { Reader } from '../protocol/reader.ts'
import { array, int8, int16, int32, int64, message, string, uuid } from '../protocol/schema.ts'
import { Writer } from '../protocol/writer.ts'
import type { RecordState, Run, ShareRecord } from './facts.ts'

/**
 * Records of `__share_group_state` in Apache Kafka's own form (4.2, `share-coordinator/…/common/message`): snapshots and
 * updates of one share-partition. What Kafka's coordinators do not write down, who has which record and until when, is in
 * tagged fields, which Kafka passes over: to it a record that somebody has is one that is available again, as after every
 * change of leader.
 */

const shareKey = { groupId: string, topicId: uuid, partition: int32 } as const

const stateBatches = array({
  firstOffset: int64,
  lastOffset: int64,
  deliveryState: int8,
  deliveryCount: int16,
  lease: int64.tag(1000, '0+'),
  lockMs: int32.tag(1001, '0+'),
  until: int64.tag(1002, '0+'),
  why: string.tag(1003, '0+'),
})

export const ShareStateKey = message('ShareStateKey', '0', {}, shareKey)

export const ShareSnapshotValue = message(
  'ShareSnapshotValue',
  '0',
  { flexible: '0+' },
  {
    snapshotEpoch: int32,
    stateEpoch: int32,
    leaderEpoch: int32,
    startOffset: int64,
    createTimestamp: int64,
    writeTimestamp: int64,
    stateBatches,
    topic: string.tag(1000, '0+'),
  },
)

export const ShareUpdateValue = message(
  'ShareUpdateValue',
  '0',
  { flexible: '0+' },
  {
    snapshotEpoch: int32,
    leaderEpoch: int32,
    startOffset: int64,
    stateBatches,
    topic: string.tag(1000, '0+'),
  },
)

const snapshotKind = 0
const updateKind = 1
/** In an update: it stays where it is. */
const unchangedStart = -1

/** `RecordState` of Kafka. 1 is "acquired", which it never writes. */
const available = 0
const acknowledged = 2
/** On its way to the dead-letter topic (KIP-1191). */
const archiving = 3

type Batch = Parameters<typeof ShareUpdateValue.write>[2]['stateBatches'][number]

function encode(record: ShareRecord): KeyAndValue {
  if (record.kind === 'Other') return record
  if (record.kind !== 'SharePartition') throw new TypeError(`${record.kind} is not written as a record`)
  const { groupId, topicId, partition, value } = record
  const kind = value === null || value.startOffset !== null ? snapshotKind : updateKind
  const key = prefixed(kind, ShareStateKey, { groupId, topicId, partition })
  if (value === null) return { key, value }
  const stateBatches = value.runs.map(batchOf)
  const { topic, startOffset } = value
  const epochs = { snapshotEpoch: 0, stateEpoch: 0, leaderEpoch: 0 }
  if (startOffset === null)
    return {
      key,
      value: prefixed(0, ShareUpdateValue, { ...epochs, startOffset: unchangedStart, stateBatches, topic }),
    }
  const times = { createTimestamp: 0, writeTimestamp: 0 }
  return { key, value: prefixed(0, ShareSnapshotValue, { ...epochs, ...times, startOffset, stateBatches, topic }) }
}

function batchOf({ state, ...run }: Run): Batch {
  return { ...run, deliveryState: state === 'finished' ? acknowledged : state === 'dying' ? archiving : available }
}

// The fields' types were checked where the message was declared; here any message will do.
function prefixed<Fields>(
  prefix: number,
  of: { write(writer: Writer, version: number, fields: Fields): void },
  fields: Fields,
): Buffer {
  const writer = new Writer(128)
  writer.int16(prefix)
  of.write(writer, 0, fields)
  return writer.toBytes()
}

function decode(key: Uint8Array, value: Uint8Array | null): ShareRecord {
  try {
    const known = decodeKnown(key, value)
    if (known !== null) return known
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
  }
  return { kind: 'Other', key: new Uint8Array(key), value: value && new Uint8Array(value) }
}

function decodeKnown(key: Uint8Array, value: Uint8Array | null): ShareRecord | null {
  const kind = new Reader(key, 0).int16()
  if (kind !== snapshotKind && kind !== updateKind) return null
  const share = { kind: 'SharePartition', ...ShareStateKey.read(key, 0, 2) } as const
  if (value === null) return kind === snapshotKind ? { ...share, value } : null
  if (new Reader(value, 0).int16() !== 0) return null
  const read = kind === snapshotKind ? ShareSnapshotValue.read(value, 0, 2) : ShareUpdateValue.read(value, 0, 2)
  const startOffset = kind === snapshotKind ? read.startOffset : null
  return { ...share, value: { topic: read.topic, startOffset, runs: read.stateBatches.map(runOf) } }
}

function runOf({ deliveryState, ...batch }: ReadBatch): Run {
  return { ...batch, state: stateOf(deliveryState, batch) }
}

type ReadBatch = ReturnType<typeof ShareUpdateValue.read>['stateBatches'][number]

function stateOf(deliveryState: number, { until, lockMs }: Pick<ReadBatch, 'until' | 'lockMs'>): RecordState {
  if (deliveryState === available) return until > 0 && lockMs > 0 ? 'acquired' : 'available'
  return deliveryState === archiving ? 'dying' : 'finished'
}

const kindOf = (key: Uint8Array): number => (key.length < 2 ? -1 : new Reader(key, 0).int16())

export const shareCodec: RecordCodec<ShareRecord> = {
  encode,
  decode,
  foreignKind: record => (record.kind === 'Other' ? kindOf(record.key) : null),
  endTransaction: () => null,
  roughSize: record => {
    if (record.kind === 'Other') return record.key.length + (record.value?.length ?? 0)
    if (record.kind !== 'SharePartition') return 0
    return 128 + record.groupId.length + (record.value?.runs.length ?? 0) * 48
  },
}
