/** What lease groups are told. Names and defaults are Kafka's broker settings for share groups; those without one say so. */
export interface ShareConfig {
  /** `group.share.delivery.count.limit`: how often a record is handed out before it counts as undeliverable. */
  readonly deliveryLimit: number
  /** `group.share.record.lock.duration.ms`: how long a lease is when nobody asks for another length. */
  readonly lockMs: number
  /** `group.share.max.record.lock.duration.ms` */
  readonly maxLockMs: number
  /** Ours: the shortest lease that can be asked for. */
  readonly minLockMs: number
  /** `group.share.partition.max.record.locks`: unfinished records that were handed out once, of one partition. */
  readonly maxInFlight: number
  /** `share.dead.letter.topic` (ours): where undeliverable records go; `<topic>` stands for the topic's name; null: nowhere. */
  readonly deadLetterTopic: string | null
  /** `share.redelivery.backoff.ms` (ours): the pause after a first delivery that came to nothing, doubled with each further one. */
  readonly backoffMs: number
  /** `share.redelivery.backoff.max.ms` (ours) */
  readonly maxBackoffMs: number
  /** Ours: groups in one partition of `__share_group_state`. */
  readonly maxGroupsPerPartition: number
  /** Ours: partitions that one group reads. */
  readonly maxPartitionsPerGroup: number
  /** Ours: finished leases that are remembered, of one partition: who asks again is told that it is done. */
  readonly rememberedLeases: number
  /** Ours: a log shorter than this (records) is not worth writing down anew. */
  readonly compactFrom: number
}

export const defaultShareConfig: ShareConfig = {
  deliveryLimit: 5,
  lockMs: 30_000,
  maxLockMs: 3_600_000,
  minLockMs: 100,
  maxInFlight: 2_000,
  deadLetterTopic: '<topic>.dlq',
  backoffMs: 0,
  maxBackoffMs: 60_000,
  maxGroupsPerPartition: 10_000,
  maxPartitionsPerGroup: 10_000,
  rememberedLeases: 1_000,
  compactFrom: 20_000,
}

/** ms that a record rests after its delivery number `deliveryCount` came to nothing. */
export function restMs({ backoffMs, maxBackoffMs }: ShareConfig, deliveryCount: number): number {
  if (backoffMs === 0) return 0
  return Math.min(maxBackoffMs, backoffMs * 2 ** Math.min(30, Math.max(0, deliveryCount - 1)))
}

/** How long a lease becomes, ms, when `lockMs` is asked for; −1 asks for the usual length. */
export function lengthOf(lockMs: number, { lockMs: usual, minLockMs, maxLockMs }: ShareConfig): number {
  return lockMs < 0 ? usual : Math.min(maxLockMs, Math.max(minLockMs, lockMs))
}
