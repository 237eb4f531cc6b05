import { ProtocolError } from '../../protocol/protocol-error.ts'
import { Reader } from '../../protocol/reader.ts'
import type { Fields, In, Message } from '../../protocol/schema.ts'
import { Writer } from '../../protocol/writer.ts'
import * as brokers from './brokers.ts'
import * as security from './security.ts'
import * as settings from './settings.ts'
import * as topics from './topics.ts'

/** All kinds of metadata records, by Kafka's name. */
export const recordKinds = { ...brokers, ...topics, ...settings, ...security } as const

export type RecordType = keyof typeof recordKinds

/** A fact of the cluster's metadata: one of Kafka's own records (KIP-631), with its kind. */
export type MetadataRecord = { [K in RecordType]: { readonly type: K } & In<(typeof recordKinds)[K]> }[RecordType]
export type RecordOf<K extends RecordType> = Extract<MetadataRecord, { readonly type: K }>

/** The `apiKey` in Kafka's definitions. */
export const recordKeys: { readonly [K in RecordType]: number } = {
  RegisterBrokerRecord: 0,
  UnregisterBrokerRecord: 1,
  TopicRecord: 2,
  PartitionRecord: 3,
  ConfigRecord: 4,
  PartitionChangeRecord: 5,
  FenceBrokerRecord: 7,
  UnfenceBrokerRecord: 8,
  RemoveTopicRecord: 9,
  DelegationTokenRecord: 10,
  UserScramCredentialRecord: 11,
  FeatureLevelRecord: 12,
  ClientQuotaRecord: 14,
  ProducerIdsRecord: 15,
  BrokerRegistrationChangeRecord: 17,
  AccessControlEntryRecord: 18,
  RemoveAccessControlEntryRecord: 19,
  NoOpRecord: 20,
  ZkMigrationStateRecord: 21,
  RemoveUserScramCredentialRecord: 22,
  BeginTransactionRecord: 23,
  EndTransactionRecord: 24,
  AbortTransactionRecord: 25,
  RemoveDelegationTokenRecord: 26,
  RegisterControllerRecord: 27,
  ClearElrRecord: 28,
  UnregisterControllerRecord: 29,
}

const typesByKey = new Map<number, RecordType>()
for (const [type, key] of Object.entries(recordKeys)) typesByKey.set(key, type as RecordType)

/** Kafka's frame around a record: version of the frame, kind, version of the kind, each an unsigned varint. */
const frameVersion = 1

/** `metadataVersion` is the level of that feature: it decides which version of a record everybody can read. */
export function encodeRecord(record: MetadataRecord, metadataVersion: number): Buffer {
  const writer = new Writer(64)
  writeRecord(writer, record, metadataVersion)
  return writer.toBytes()
}

export function writeRecord(writer: Writer, record: MetadataRecord, metadataVersion: number): void {
  const version = recordVersion(record, metadataVersion)
  writer.uvarint(frameVersion)
  writer.uvarint(recordKeys[record.type])
  writer.uvarint(version)
  const kind = recordKinds[record.type] as Message<Fields>
  kind.write(
    writer,
    version,
    version === 2 && metadataVersion < since.directories ? withoutDirectories(record) : record,
  )
}

/** A Kafka at such a level cannot keep what it cannot have: it would not write snapshots any more. */
function withoutDirectories(record: MetadataRecord): MetadataRecord {
  if (record.type === 'PartitionRecord') return { ...record, directories: [] }
  return record.type === 'PartitionChangeRecord' ? { ...record, directories: null } : record
}

/** Throws `ProtocolError` for a kind or a version that we do not know: then somebody newer has written it. */
export function decodeRecord(bytes: Uint8Array): MetadataRecord {
  const reader = new Reader(bytes)
  const frame = reader.uvarint()
  if (frame !== frameVersion)
    throw new ProtocolError(`metadata record with frame version ${frame}, known is ${frameVersion}`)
  const key = reader.uvarint()
  const type = typesByKey.get(key)
  if (type === undefined) throw new ProtocolError(`metadata record of kind ${key}, which is newer than this program`)
  const kind = recordKinds[type] as Message<Fields>
  const record = kind.readFrom(reader, reader.uvarint())
  // The only one with bytes: they are copied, so that they do not hold a whole chunk of the log in memory.
  if (type === 'UserScramCredentialRecord') return ownBytes(Object.assign(record, { type }) as RecordOf<typeof type>)
  return Object.assign(record, { type }) as MetadataRecord
}

function ownBytes(record: RecordOf<'UserScramCredentialRecord'>): MetadataRecord {
  const own = (bytes: Uint8Array | readonly Uint8Array[]) => Buffer.from(bytes as Uint8Array)
  return { ...record, salt: own(record.salt), storedKey: own(record.storedKey), serverKey: own(record.serverKey) }
}

/** Levels of `metadata.version` from which on something can be written. */
const since = {
  inControlledShutdown: 7, // 3.3-IV3
  zkMigration: 8, // 3.4-IV0
  directories: 17, // 3.7-IV2
  eligibleLeaderReplicas: 23, // 4.0-IV1
  cordonedLogDirs: 30, // 4.3-IV0
}

function recordVersion(record: MetadataRecord, level: number): number {
  switch (record.type) {
    case 'RegisterBrokerRecord':
      if (level >= since.cordonedLogDirs) return 4
      if (level >= since.directories) return 3
      if (level >= since.zkMigration) return 2
      return level >= since.inControlledShutdown ? 1 : 0
    case 'BrokerRegistrationChangeRecord':
      if (level >= since.cordonedLogDirs) return 3
      if (level >= since.directories) return 2
      return level >= since.inControlledShutdown ? 1 : 0
    case 'PartitionRecord':
    case 'PartitionChangeRecord':
      // Who is eligible, or no longer is, must be known to whoever decides next. Every Kafka since 3.7 reads this version.
      if (record.eligibleLeaderReplicas != null || record.lastKnownElr != null) return 2
      if (level >= since.eligibleLeaderReplicas) return 2
      return level >= since.directories ? 1 : 0
    default:
      return 0
  }
}
