import type { Decision, Effect } from '../machine/machine.ts'
import type { ErrorName } from '../protocol/errors.ts'
import type { ShareRecord } from './facts.ts'

/** What one partition of a topic holds now, as far as readers may see: `start` up to, not including, `end`. */
export interface Tail {
  readonly partition: number
  readonly start: number
  readonly end: number
}

/** Where a group begins in a partition that it meets for the first time. */
export type Begin = 'earliest' | 'latest'

/** Somebody who asks for records. */
export interface Want {
  readonly max: number
  /** ms; −1: as long as is usual. */
  readonly lockMs: number
}

export interface AcquireCommand {
  readonly type: 'Acquire'
  readonly groupId: string
  readonly topic: string
  readonly topicId: string
  readonly begin: Begin
  /** In order of partitions; those without a leader are missing. */
  readonly tails: readonly Tail[]
  readonly wants: readonly Want[]
}

/**
 * - `accept`: done with it.
 * - `release`: somebody else shall try it.
 * - `reject`: nobody can do anything with it.
 * - `renew`: the lease begins again.
 * - `return`: it was never seen (a worker went away before it was handed over): not even the delivery counts.
 * The first three are KIP-932's, the fourth KIP-1222's.
 */
export type Settlement = 'accept' | 'release' | 'reject' | 'renew' | 'return'

export interface SettleItem {
  readonly partition: number
  readonly offset: number
  readonly lease: number
  readonly what: Settlement
  /** `renew`: the new length, ms; `release`: how long it rests. −1: as usual. */
  readonly ms: number
  /** `reject`: why; for the dead letter's headers. */
  readonly why: string
}

export interface SettleCommand {
  readonly type: 'Settle'
  readonly groupId: string
  readonly topicId: string
  readonly items: readonly SettleItem[]
}

/** There are no records from `from` up to, not including, `to`: deleted, compacted, or a transaction's markers. */
export interface SkipCommand {
  readonly type: 'Skip'
  readonly groupId: string
  readonly topicId: string
  readonly partition: number
  readonly from: number
  readonly to: number
}

/** These dying records are in the dead-letter topic, or gone. */
export interface BuryCommand {
  readonly type: 'Bury'
  readonly groupId: string
  readonly topicId: string
  readonly partition: number
  readonly offsets: readonly number[]
}

/** Something is due: a lease or a rest is over. */
export interface LookCommand {
  readonly type: 'Look'
  readonly groupId: string
  readonly topicId: string
  readonly partition: number
}

/** The group goes on from there, whatever was handed out before. */
export interface ResetCommand {
  readonly type: 'Reset'
  readonly groupId: string
  readonly topic: string
  readonly topicId: string
  readonly offsets: readonly { readonly partition: number; readonly offset: number }[]
}

/** Null: all. */
export interface DescribeCommand {
  readonly type: 'Describe'
  readonly groups: readonly string[] | null
}

export interface DeleteCommand {
  readonly type: 'Delete'
  readonly groupId: string
}

/** Topics are gone; null: any may be. `exists`: whether there is still, or again, a topic of that id. */
export interface TopicsDeletedCommand {
  readonly type: 'TopicsDeleted'
  readonly topics: readonly string[] | null
  readonly exists: (topicId: string) => boolean
}

export type ShareCommand =
  | AcquireCommand
  | SettleCommand
  | SkipCommand
  | BuryCommand
  | LookCommand
  | ResetCommand
  | DescribeCommand
  | DeleteCommand
  | TopicsDeletedCommand

/** A record that is handed out. */
export interface Granted {
  readonly partition: number
  readonly offset: number
  readonly lease: number
  readonly deliveryCount: number
}

export interface Grant {
  /** ms */
  readonly lockMs: number
  readonly records: readonly Granted[]
}

export interface AcquireAnswer {
  readonly error: ErrorName
  /** One for each want. */
  readonly grants: readonly Grant[]
}

export interface SettleAnswer {
  readonly error: ErrorName
  /** One for each item: NONE, or INVALID_RECORD_STATE (the lease is over, or never was). */
  readonly results: readonly ErrorName[]
}

export interface DescribedPartition {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly startOffset: number
  /** The first offset that was never handed out. */
  readonly endOffset: number
  readonly acquired: number
  /** Wait to be handed out again: now, later. */
  readonly ready: number
  readonly resting: number
  /** On their way to the dead-letter topic. */
  readonly dying: number
  /** When the lease of the first record in flight ends, ms since 1970; −1: there is none. */
  readonly oldestLeaseEnds: number
}

export interface DescribedGroup {
  readonly groupId: string
  readonly error: ErrorName
  readonly partitions: readonly DescribedPartition[]
}

/** The answer to a command, by its type. */
export interface Answers {
  Acquire: AcquireAnswer
  Settle: SettleAnswer
  Skip: { readonly error: ErrorName }
  Bury: { readonly error: ErrorName }
  Look: null
  Reset: { readonly error: ErrorName }
  Describe: readonly DescribedGroup[]
  Delete: { readonly error: ErrorName }
  TopicsDeleted: null
}

/** Why there is no answer. */
export class Refused {
  readonly error: ErrorName

  constructor(error: ErrorName) {
    this.error = error
  }
}

export type ShareAnswer = Answers[keyof Answers] | Refused
export type ShareEffect = Effect<ShareCommand, ShareAnswer>
export type ShareDecision = Decision<ShareCommand, ShareRecord, ShareAnswer>
