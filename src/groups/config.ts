/** What the group coordinator is told. Names and defaults are Kafka's broker settings; those without one say so. */
export interface GroupConfig {
  /** `group.min.session.timeout.ms` */
  readonly minSessionTimeoutMs: number
  /** `group.max.session.timeout.ms` */
  readonly maxSessionTimeoutMs: number
  /** `group.initial.rebalance.delay.ms`: how long an empty group waits for more members before its first generation. */
  readonly initialRebalanceDelayMs: number
  /** `group.max.size`: members in one group. */
  readonly maxSize: number
  /** How long the first JoinGroup of a new member may stay parked; Kafka's is fixed at five minutes, too. */
  readonly newMemberJoinTimeoutMs: number
  /** `offset.metadata.max.bytes`: characters of metadata beside one committed offset. */
  readonly offsetMetadataMaxBytes: number
  /** `offsets.commit.timeout.ms`: how long any answer waits until what it rests upon is committed. */
  readonly commitTimeoutMs: number
  /** `offsets.retention.minutes`, here in ms. */
  readonly offsetsRetentionMs: number
  /** `offsets.retention.check.interval.ms` */
  readonly offsetsRetentionCheckIntervalMs: number
  /** Ours: groups in one partition of `__consumer_offsets`; beyond it new groups are told to try again. */
  readonly maxGroupsPerPartition: number
  /** Ours: member ids that were given out by one group and did not join yet (KIP-394). */
  readonly maxPendingMembers: number
  /** Ours: committed offsets in one partition of `__consumer_offsets`. */
  readonly maxOffsetsPerPartition: number
  /** Ours: bytes that one member's protocols, or the assignments of a whole group divided by its members, may have. */
  readonly maxMemberMetadataBytes: number
  /** Ours: tombstones in one append when many offsets go at once; the rest follows in the next. */
  readonly maxTombstonesPerAppend: number
}

export const defaultGroupConfig: GroupConfig = {
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  initialRebalanceDelayMs: 3_000,
  maxSize: 2_147_483_647,
  newMemberJoinTimeoutMs: 300_000,
  offsetMetadataMaxBytes: 4_096,
  commitTimeoutMs: 5_000,
  offsetsRetentionMs: 7 * 24 * 60 * 60_000,
  offsetsRetentionCheckIntervalMs: 600_000,
  maxGroupsPerPartition: 100_000,
  maxPendingMembers: 1_000,
  maxOffsetsPerPartition: 2_000_000,
  maxMemberMetadataBytes: 1_048_576,
  maxTombstonesPerAppend: 1_000,
}
