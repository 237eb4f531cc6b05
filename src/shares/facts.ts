/** What a partition of `__share_group_state` can tell (KIP-932), and what its leader alone knows. */
export type ShareRecord = SharePartitionRecord | OtherRecord | LookedRecord | TookLeadRecord

/** How far one group is in one partition of a topic; null: forgotten. */
export interface SharePartitionRecord {
  readonly kind: 'SharePartition'
  readonly groupId: string
  readonly topicId: string
  readonly partition: number
  readonly value: ShareFacts | null
}

export interface ShareFacts {
  /** The topic's name: its id alone says nothing when it is gone. */
  readonly topic: string
  /**
   * Not null: the whole state, which begins here (KIP-932's share-partition start offset); all else is forgotten. Null: a
   * change.
   */
  readonly startOffset: number | null
  /** What became of these records, in order of their offsets. */
  readonly runs: readonly Run[]
}

/**
 * - `available`: was handed out before, and may be again.
 * - `acquired`: somebody has it.
 * - `dying`: will not be handed out any more; on its way to the dead-letter topic.
 * - `finished`: acknowledged or archived; nobody will ask for it.
 */
export type RecordState = 'available' | 'acquired' | 'dying' | 'finished'

/** Records that lie side by side and share one fate. */
export interface Run {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly state: RecordState
  readonly deliveryCount: number
  /** Number of the first record's last lease, those of the others count on; 0: never had one, or forgotten. */
  readonly lease: number
  /** How long the lease is, ms. */
  readonly lockMs: number
  /** Acquired: when the lease ends; available: not handed out before; ms since 1970. */
  readonly until: number
  /** Dying: why; else ''. */
  readonly why: string
}

/** Of another kind or version than we know: kept and handed on as it is. */
export interface OtherRecord {
  readonly kind: 'Other'
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

/** Soft: records whose rest is over may be handed out; nothing else is due before `next` (ms). */
export interface LookedRecord {
  readonly kind: 'Looked'
  readonly groupId: string
  readonly topicId: string
  readonly partition: number
  readonly rested: readonly number[]
  readonly next: number
}

/** Soft: we lead. Every lease runs anew from now: when it was given, another machine's clock knows. */
export interface TookLeadRecord {
  readonly kind: 'TookLead'
  readonly ms: number
}
