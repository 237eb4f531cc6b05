import type { KeyAndValue } from '../machine/partition-log.ts'
import { ProtocolError } from '../protocol/protocol-error.ts'
import { Reader } from '../protocol/reader.ts'
import { array, bytes, int32, int64, message, string, uuid } from '../protocol/schema.ts'
import { Writer } from '../protocol/writer.ts'
import type { GroupMetadataRecord, GroupRecord, OffsetCommitRecord } from './facts.ts'

/**
 * Records of `__consumer_offsets`, byte for byte Apache Kafka's (4.4, `group-coordinator/common/message`). A key begins
 * with an int16 that tells its kind, a value with one that tells its version; no value is a tombstone.
 */

export const OffsetCommitKey = message('OffsetCommitKey', '0', {}, { group: string, topic: string, partition: int32 })

export const OffsetCommitValue = message(
  'OffsetCommitValue',
  '0-4',
  { flexible: '4+' },
  {
    offset: int64,
    leaderEpoch: int32.in('3+').or(-1).ignorable(),
    metadata: string,
    commitTimestamp: int64,
    expireTimestamp: int64.in('1').or(-1).ignorable(),
    topicId: uuid.tag(0, '4+').ignorable(),
  },
)

export const GroupMetadataKey = message('GroupMetadataKey', '0', {}, { group: string })

export const GroupMetadataValue = message(
  'GroupMetadataValue',
  '0-4',
  { flexible: '4+' },
  {
    protocolType: string,
    generation: int32,
    protocol: string.nullable(),
    leader: string.nullable(),
    currentStateTimestamp: int64.in('2+').or(-1).ignorable(),
    members: array({
      memberId: string,
      groupInstanceId: string.in('3+').nullable('3+').or(null).ignorable(),
      clientId: string,
      clientHost: string,
      rebalanceTimeout: int32.in('1+').or(-1).ignorable(),
      sessionTimeout: int32,
      subscription: bytes,
      assignment: bytes,
    }),
  },
)

/** Offsets of ancient groups have 0; nobody writes it any more. */
const legacyOffsetCommit = 0
const offsetCommit = 1
const groupMetadata = 2

/** What Kafka 4.4 writes. Version 1 alone can carry an expiry of its own. */
const groupMetadataVersion = 3
const offsetCommitVersion = 4
const offsetCommitVersionWithExpiry = 1

/** Throws for a fact that has no place in a log. */
export function encodeRecord(record: GroupRecord): KeyAndValue {
  switch (record.kind) {
    case 'OffsetCommit':
      return encodeOffsetCommit(record)
    case 'GroupMetadata':
      return {
        key: prefixed(groupMetadata, GroupMetadataKey, 0, { group: record.groupId }),
        value: record.value && prefixed(groupMetadataVersion, GroupMetadataValue, groupMetadataVersion, record.value),
      }
    case 'Other':
      return record
    default:
      throw new TypeError(`${record.kind} is not written as a record`)
  }
}

function encodeOffsetCommit({ groupId, topic, partition, value }: OffsetCommitRecord): KeyAndValue {
  const key = prefixed(offsetCommit, OffsetCommitKey, 0, { group: groupId, topic, partition })
  if (value === null) return { key, value }
  const version = value.expireTimestamp === -1 ? offsetCommitVersion : offsetCommitVersionWithExpiry
  return { key, value: prefixed(version, OffsetCommitValue, version, value) }
}

// The fields' types were checked where the message was declared; here any message will do.
function prefixed<Fields>(prefix: number, of: Writes<Fields>, version: number, fields: Fields): Buffer {
  const writer = new Writer(128)
  writer.int16(prefix)
  of.write(writer, version, fields)
  return writer.toBytes()
}

type Writes<Fields> = { write(writer: Writer, version: number, fields: Fields): void }

/**
 * What a record of the log says; `producerId` is its batch's when that is transactional, else −1. Kinds and versions that
 * we do not know, and bytes that make no sense, come out as `Other`. Nothing in the result is a view of the bytes.
 */
export function decodeRecord(key: Uint8Array, value: Uint8Array | null, producerId: number): GroupRecord {
  try {
    const known = decodeKnown(key, value, producerId)
    if (known !== null) return known
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
  }
  return { kind: 'Other', key: new Uint8Array(key), value: value && new Uint8Array(value) }
}

function decodeKnown(key: Uint8Array, value: Uint8Array | null, producerId: number): GroupRecord | null {
  const kind = new Reader(key, 0).int16()
  if (kind === groupMetadata) return decodeGroup(GroupMetadataKey.read(key, 0, 2).group, value)
  if (kind !== offsetCommit && kind !== legacyOffsetCommit) return null
  const { group, topic, partition } = OffsetCommitKey.read(key, 0, 2)
  const commit = { kind: 'OffsetCommit', groupId: group, topic, partition, producerId } as const
  if (value === null) return { ...commit, value }
  const decoded = readValue(OffsetCommitValue, value)
  return decoded && { ...commit, value: decoded }
}

function decodeGroup(groupId: string, value: Uint8Array | null): GroupMetadataRecord | null {
  if (value === null) return { kind: 'GroupMetadata', groupId, value }
  const decoded = readValue(GroupMetadataValue, value)
  if (decoded === null) return null
  const members = decoded.members.map(member => ({
    ...member,
    subscription: new Uint8Array(member.subscription),
    assignment: new Uint8Array(member.assignment),
  }))
  return { kind: 'GroupMetadata', groupId, value: { ...decoded, members } }
}

function readValue<Value>(of: Reads<Value>, value: Uint8Array): Value | null {
  const version = new Reader(value, 0).int16()
  return of.supports(version) ? of.read(value, version, 2) : null
}

type Reads<Value> = {
  supports(version: number): boolean
  read(bytes: Uint8Array, version: number, offset: number): Value
}

/** What Kafka tells kinds of records apart by; −1: no key to speak of. */
export function kindOf(key: Uint8Array): number {
  return key.length < 2 ? -1 : new Reader(key, 0).int16()
}

/** Keys of all kinds begin with the group after the kind; '' where they do not. */
export function groupIdOf(key: Uint8Array): string {
  try {
    return GroupMetadataKey.read(key, 0, 2).group
  } catch {
    return ''
  }
}
