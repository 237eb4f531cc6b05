import type { Logger } from '../world/logger.ts'
import type { Clock, Random, Timers } from '../world/world.ts'
import type { Machine, OrderedLog } from './machine.ts'

/** Why a command was not decided, or its answer is not known. */
export type Refusal =
  /** Not the leader, or no longer: records of this command may or may not survive. */
  | 'notLeader'
  /** Too many wait already. Nothing was done. */
  | 'overloaded'
  /**
   * The log refused the records, or a bug (`error` tells): nothing was done. With REQUEST_TIMED_OUT they are in the log, and
   * may yet be committed.
   */
  | 'failed'

export interface HostOptions<Command, Record, Answer> {
  readonly log: OrderedLog<Record>
  /** A machine that remembers nothing; called again each time the log starts anew. */
  readonly machine: () => Machine<Command, Record, Answer>
  readonly refuse: (why: Refusal, command: Command, error?: Error) => Answer
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  /** Askers that wait for a commit, and askers that are parked; more are refused as `overloaded`. Default 100,000 each. */
  readonly maxWaiting?: number
  readonly maxParked?: number
  /** ms that an answer waits for a commit before it is refused. Default: for ever. */
  readonly answerTimeoutMs?: number | undefined
  /** Sees committed records only, in order: for readers that must not know what may still be lost. */
  readonly observer?: Observer<Record>
  /** Called with the epoch when the machine leads, with null when it no longer does. */
  readonly onLead?: (epoch: number | null) => void
  readonly compaction?: Compaction<Record>
}

export interface Observer<Record> {
  load(snapshot: Iterable<Record>, upTo: number): void
  commit(records: readonly Record[], upTo: number, timestamp: number): void
}

/**
 * A leader's snapshot is due when either was exceeded since the last one, and never before as much was added as it holds.
 */
export interface Compaction<Record> {
  readonly records: number
  readonly bytes: number
  sizeOf(record: Record): number
  /** Each copy of the log has snapshots of its own, so who follows makes them, too. */
  readonly whileFollowing?: boolean
}
