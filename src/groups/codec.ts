import type { RecordCodec } from '../machine/partition-log.ts'
import type { GroupRecord } from './facts.ts'
import { decodeRecord, encodeRecord, kindOf } from './records.ts'

/** What a partition of `__consumer_offsets` holds. */
export const groupCodec: RecordCodec<GroupRecord> = {
  encode: encodeRecord,
  decode: decodeRecord,
  foreignKind: record => (record.kind === 'Other' ? kindOf(record.key) : null),
  endTransaction: (producerId, committed) => ({ kind: 'EndTransaction', producerId, committed }),
  roughSize,
}

/** Bytes, near enough to fill batches by. */
function roughSize(record: GroupRecord): number {
  if (record.kind === 'Other') return record.key.length + (record.value?.length ?? 0)
  if (record.kind !== 'GroupMetadata' || record.value === null) return 128
  let size = 128
  for (const { subscription, assignment } of record.value.members) size += 256 + subscription.length + assignment.length
  return size
}
