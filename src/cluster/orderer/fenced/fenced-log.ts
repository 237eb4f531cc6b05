import type { Voter } from '../orderer.ts'
import type { SnapshotId } from '../snapshot.ts'

/**
 * What a store outside of the cluster must give so that the metadata log can live in it. A lease says who should try; what
 * makes an append valid is checked in the same atomic step as the append: the epoch and the nonce of the leadership, and
 * the end of the log.
 */

/** A place in the log: everything below `endOffset`, whose entries are chained up to `hash`. */
export interface Position {
  readonly endOffset: number
  /** Of the entry that ends there; empty at offset 0. */
  readonly hash: string
}

export const logStart: Position = { endOffset: 0, hash: '' }

/** One record batch of the log, as the store keeps it. */
export interface Entry {
  /** Offset after its last record. */
  readonly endOffset: number
  /** In which it was appended; not necessarily that of its batch when the log was carried over from elsewhere. */
  readonly epoch: number
  /** Of the append that wrote it. */
  readonly batchId: string
  /** Hash of the entry before it: see `hashOf`. */
  readonly previous: string
  readonly bytes: Uint8Array
}

/** One leadership. Epochs only grow; the nonce tells two leaderships apart that a store which forgot gave the same epoch. */
export interface Token {
  readonly epoch: number
  readonly nonce: string
}

/** What the store says of the log as a whole. */
export interface Head extends Position {
  /** Made with the log: another one means another log. */
  readonly logId: string
  readonly clusterId: string
  /** Epoch and nonce of the last leadership; 0 and empty: there was none. */
  readonly token: Token
  /** Who was the last to lead. */
  readonly leader: Voter | null
  /** ms until the lease is free; 0: it is. */
  readonly leaseMs: number
  /**
   * All that ends at or below it counts: its append has been answered, or a leader that came later has all of it. What is
   * behind it may be in fewer copies than were asked for, and gone when one of those takes over: nobody is shown it.
   */
  readonly safeOffset: number
  /** Entries that end at or below it are gone. */
  readonly startOffset: number
  readonly snapshot: (SnapshotId & Position) | null
  /** Who answers, as the store itself says: it changes with a restart, and when a copy takes over. */
  readonly source: string
  /** `source` is not the one that the log was last known to be whole on: nothing is appended before `confirm`. */
  readonly moved: boolean
  /**
   * Of a log that has moved. True: it is for sure the same server, started anew, since it had no copies. False: it may be a
   * copy, and what it is a copy of may still be there and go on with other nodes.
   */
  readonly same: boolean
  /** Nodes that have said to this `source` that they will not go on with another one. */
  readonly vouched: readonly number[]
}

/**
 * - `fenced`: another leadership has begun, or the log is another one.
 * - `conflict`: the log does not end where we think.
 * - `moved`: see `Head.moved`.
 */
export type Outcome = 'ok' | 'fenced' | 'conflict' | 'moved'

export interface FencedLog {
  /** How people find it: `Redis at localhost:6379`. */
  readonly name: string
  /** The head and the first entries that end above `after`: none only when there are none. Null: there is no log. */
  look(after: number): Promise<{ readonly head: Head; readonly entries: readonly Entry[] } | null>
  /** Makes an empty log; nothing happens when there is one. */
  create(logId: string, clusterId: string): Promise<void>
  /**
   * Takes the lease, with an epoch that nobody had, when it is free or held under one of `former` (earlier nonces of
   * ours). Null when it is not to be had. All that is in the log then is safe.
   */
  acquire(request: {
    readonly logId: string
    readonly leader: Voter
    readonly nonce: string
    readonly former: readonly string[]
    readonly leaseMs: number
  }): Promise<Head | null>
  /** Ours for another `leaseMs`, unless somebody else has taken it meanwhile. */
  renew(token: Token, leaseMs: number): Promise<Outcome>
  /** Free at once, when it is ours. Fulfilled with how many others that watch have heard it. */
  release(token: Token): Promise<number>
  /**
   * Appends all entries behind `after`, or none. The same again (known by `batchId`) is `ok` and appends nothing: that is
   * how a lost answer is found out. `ok` means durable, as far as the store promises that.
   */
  append(token: Token, after: Position, batchId: string, entries: readonly Entry[], end: Position): Promise<Outcome>
  /** To be remembered by the store, as long as `source` is what it is: see `Head.vouched`. */
  vouch(source: string, node: number): Promise<Outcome>
  /**
   * What is there now is whole, says who led last or a person: see `Head.moved`. The leadership ends with it. Epochs begin
   * 1000 above what they were and above `over`; where that is given, also when nothing has moved.
   */
  confirm(head: Head, over?: number): Promise<Outcome>
  /** Keeps a snapshot and drops entries that end at or below `startOffset`, and all snapshots but the last two. */
  putSnapshot(token: Token, id: SnapshotId & Position, bytes: Uint8Array, startOffset: number): Promise<Outcome>
  /** Null when it is gone. */
  getSnapshot(id: SnapshotId): Promise<Uint8Array | null>
  /** Called when something may have changed, never promised. One watcher; null: none any more. */
  watch(changed: (() => void) | null): void
  close(): void
}

/** Nobody knows whether what was asked was done. It may help to ask again. */
export class StoreUnreachable extends Error {
  override readonly name = 'StoreUnreachable'
}

/** The store has said no: nothing was done. It may help to ask again later (a full memory, a replica in place of a primary). */
export class StoreRefused extends Error {
  override readonly name = 'StoreRefused'
}

/** It will never work like this: a wrong password, a store of the wrong kind. */
export class StoreUnfit extends Error {
  override readonly name = 'StoreUnfit'
}
