import type { Group } from './group.ts'

/**
 * What a partition of `__consumer_offsets` can tell. Names and meaning are Apache Kafka's (records.ts has their bytes);
 * `LiveGroup` alone is ours and soft: it dies with the lead, as Kafka's coordinators forget who was about to join.
 */
export type GroupRecord =
  | GroupMetadataRecord
  | OffsetCommitRecord
  | EndTransactionRecord
  | OtherRecord
  | LiveGroupRecord

/** The group as of its last completed rebalance; null: gone. */
export interface GroupMetadataRecord {
  readonly kind: 'GroupMetadata'
  readonly groupId: string
  readonly value: GroupMetadata | null
}

export interface GroupMetadata {
  /** '' for a group that nobody joined yet. */
  readonly protocolType: string
  readonly generation: number
  readonly protocol: string | null
  readonly leader: string | null
  /** ms since 1970; −1: unknown. */
  readonly currentStateTimestamp: number
  readonly members: readonly MemberMetadata[]
}

export interface MemberMetadata {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** −1 (versions before KIP-62's): as the session timeout. */
  readonly rebalanceTimeout: number
  readonly sessionTimeout: number
  /** The metadata beside the chosen protocol. */
  readonly subscription: Uint8Array
  readonly assignment: Uint8Array
}

/** A committed offset; null: gone. */
export interface OffsetCommitRecord {
  readonly kind: 'OffsetCommit'
  readonly groupId: string
  readonly topic: string
  readonly partition: number
  readonly value: CommittedOffset | null
  /** Counts only when this producer's transaction commits; −1: no transaction. */
  readonly producerId: number
}

export interface CommittedOffset {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
  /** ms since 1970. */
  readonly commitTimestamp: number
  /** Asked for by old clients (OffsetCommit 2–4); −1: the broker's retention holds. */
  readonly expireTimestamp: number
  /** Zero: unknown. */
  readonly topicId: string
}

/** A transaction marker: offsets that wait for this producer come to count, or are forgotten. */
export interface EndTransactionRecord {
  readonly kind: 'EndTransaction'
  readonly producerId: number
  readonly committed: boolean
}

/**
 * A kind that this machine does not know: the groups of newer protocols, as Apache Kafka keeps them. Kept and handed on as
 * they are, so that a log can go from Kafka to us and back.
 */
export interface OtherRecord {
  readonly kind: 'Other'
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

/** The whole of what the leader knows about a group, until it no longer leads. */
export interface LiveGroupRecord {
  readonly kind: 'LiveGroup'
  readonly group: Group
  /** Why it changed, for the log. */
  readonly reason: string
}
