import type { Voter } from '../orderer.ts'
import type { SnapshotId } from '../snapshot.ts'

/** A replica of the log: a node with its directory (KIP-853). */
export interface ReplicaKey {
  readonly id: number
  readonly directoryId: string
}

export interface RaftSettings {
  /** ms without a leader's word after which a follower doubts it (`controller.quorum.fetch.timeout.ms`). */
  readonly fetchTimeoutMs: number
  /** ms that an election may take before the next; up to as much again is added by dice (`controller.quorum.election.timeout.ms`). */
  readonly electionTimeoutMs: number
  /** ms between attempts to reach somebody (`controller.quorum.retry.backoff.ms`). */
  readonly retryMs: number
  /** ms that a leader keeps a Fetch to which it has nothing new to say. */
  readonly fetchWaitMs: number
}

export const defaultRaftSettings: RaftSettings = {
  fetchTimeoutMs: 1500,
  electionTimeoutMs: 500,
  retryMs: 20,
  fetchWaitMs: 500,
}

/** What an election must remember, before anybody is told. */
export interface ElectionState {
  readonly epoch: number
  /** −1: not known. */
  readonly leaderId: number
  readonly voted: ReplicaKey | null
}

/** Who leads, as answers tell it. */
export interface LeaderNews {
  readonly epoch: number
  /** −1: not known. */
  readonly leaderId: number
}

export interface VoteRequest {
  readonly type: 'vote'
  /** Of the election; with `preVote`, the epoch in which the candidate is now. */
  readonly epoch: number
  readonly candidate: ReplicaKey
  /** Who is asked. */
  readonly voter: ReplicaKey
  readonly lastEpoch: number
  readonly lastOffset: number
  /** Only asks whether a vote would be given (KIP-996). */
  readonly preVote: boolean
}

export interface BeginRequest {
  readonly type: 'begin'
  readonly epoch: number
  readonly leaderId: number
  readonly voter: ReplicaKey
  /** Monotonic ms; stays with who asks. */
  readonly askedAt?: number
}

export interface EndRequest {
  readonly type: 'end'
  readonly epoch: number
  readonly leaderId: number
  /** Who should stand for election, the best first. */
  readonly candidates: readonly ReplicaKey[]
}

export interface FetchRequest {
  readonly type: 'fetch'
  /** −1: the follower is looking for the leader. */
  readonly epoch: number
  readonly replica: ReplicaKey
  /** Everything below is on the follower's stable storage. */
  readonly fetchOffset: number
  readonly lastFetchedEpoch: number
  /** What the follower knows to be committed (KIP-1166); `Number.MAX_SAFE_INTEGER`: it did not say. */
  readonly highWatermark: number
  readonly maxWaitMs: number
  /** True: only a sign of life, records are not wanted. */
  readonly keepAlive: boolean
}

export interface FetchSnapshotRequest {
  readonly type: 'fetchSnapshot'
  readonly epoch: number
  readonly replica: ReplicaKey
  readonly snapshot: SnapshotId
  readonly position: number
}

export type RaftRequest = VoteRequest | BeginRequest | EndRequest | FetchRequest | FetchSnapshotRequest

/** Why a request was not carried out; names of Kafka's errors. */
export type RaftError =
  | 'FENCED_LEADER_EPOCH'
  | 'UNKNOWN_LEADER_EPOCH'
  | 'NOT_LEADER_OR_FOLLOWER'
  | 'INVALID_VOTER_KEY'
  | 'INVALID_REQUEST'
  | 'SNAPSHOT_NOT_FOUND'
  | 'POSITION_OUT_OF_RANGE'
  | 'KAFKA_STORAGE_ERROR'

export interface VoteResponse extends LeaderNews {
  readonly error: RaftError | null
  readonly granted: boolean
}

/** Of `begin` and `end`. */
export interface EpochResponse extends LeaderNews {
  readonly error: RaftError | null
}

/** `Records`: batches as the adapter has them. */
export interface FetchResponse<Records> extends LeaderNews {
  readonly error: RaftError | null
  readonly highWatermark: number
  readonly diverging: { readonly epoch: number; readonly endOffset: number } | null
  /** What was asked for is gone: this snapshot comes before the log. */
  readonly snapshot: SnapshotId | null
  readonly records: Records | null
}

export interface FetchSnapshotResponse extends LeaderNews {
  readonly error: RaftError | null
  readonly size: number
  readonly position: number
  readonly bytes: Uint8Array
}

export type RaftResponse<Records> = VoteResponse | EpochResponse | FetchResponse<Records> | FetchSnapshotResponse

/** A leader's answer to a Fetch, before the records are read. */
export interface FetchAnswer extends LeaderNews {
  readonly error: RaftError | null
  readonly highWatermark: number
  readonly diverging: { readonly epoch: number; readonly endOffset: number } | null
  readonly snapshot: SnapshotId | null
  /** Records from here on are to be read and given; −1: none. */
  readonly readFrom: number
}

/** Our copy of the log, as far as Raft looks at it. */
export interface RaftLog {
  readonly startOffset: number
  readonly endOffset: number
  /** Of the last record below `startOffset`; 0 when there is none; −1 when it is not known. */
  readonly startEpoch: number
  /** Of the last batch, or of the snapshot before an empty log; 0 when there is neither. */
  readonly lastEpoch: number
  /** The newest that is whole and safe. */
  readonly snapshot: SnapshotId | null
  /** The largest epoch ≤ `epoch` of the log (or of the snapshot before it) and where it ends. */
  endOffsetFor(epoch: number): { readonly epoch: number; readonly endOffset: number }
}

/** The voters from an offset on. */
export interface VotersAt {
  readonly offset: number
  readonly voters: readonly Voter[]
}

/** Where a request goes: one of the replicas, or whoever listens at the n-th address we were started with. */
export type Target = { readonly id: number } | { readonly seed: number }

/** What the state machine wants done. Nothing here calls back from inside; completions are events of their own. */
export interface RaftIo<Records> {
  /** Writes it down; `Raft.persisted(sequence)` when it is durable. In order. */
  persist(state: ElectionState, sequence: number): void
  /** `Raft.response(token, …)` or `Raft.failed(token)` follows, possibly never. */
  send(to: Target, request: RaftRequest, token: number): void
  /** Appends the first batch of an epoch that we lead; returns the log's end. Throws when the disk is full. */
  appendLeaderChange(epoch: number, voters: readonly Voter[], granting: readonly ReplicaKey[]): number
  /** Appends a change of the voters; returns the log's end. */
  appendVoters(epoch: number, voters: readonly Voter[]): number
  /** Appends what the leader gave; returns the changes of voters in it. Throws when it does not fit or the disk is full. */
  appendFetched(records: Records): readonly VotersAt[]
  /** Drops what lies at and above `to`; `Raft.truncated(generation)` when that is durable. */
  truncate(to: number, generation: number): void
  /** Keeps a part of a snapshot of `size` bytes; all parts there: `Raft.installed` follows, or `Raft.notInstalled`. */
  takeSnapshot(id: SnapshotId, position: number, bytes: Uint8Array, size: number): void
  /** Everything below `highWatermark` is committed. */
  committed(highWatermark: number): void
  /** We lead in `epoch`, and its first batch is committed; null: no longer. */
  lead(epoch: number | null): void
  /** What must never happen has: the process stops. */
  broken(why: string): void
  /** Others doubt that this node, from whom we had word lately, is there: worth a probe. */
  suspect(leaderId: number): void
  /** An integer of [0, below). */
  random(below: number): number
}
