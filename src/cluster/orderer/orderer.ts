import type { OrderedLog } from '../../machine/machine.ts'
import type { Address } from '../../world/world.ts'
import type { MetadataRecord } from '../records/records.ts'

/** One member of the quorum: a node with its directory, so that a wiped disk cannot vote twice (KIP-853). */
export interface Voter {
  readonly id: number
  readonly directoryId: string
  readonly endpoints: readonly { readonly name: string; readonly host: string; readonly port: number }[]
}

/** Who holds a copy of the log, and how far it is, as the leader sees it. */
export interface QuorumReplica extends Voter {
  /** −1: not known. */
  readonly logEndOffset: number
  /** Wall clock, ms: when it fetched last, and when it had all that there was; −1: not known. */
  readonly lastFetchTimestamp: number
  readonly lastCaughtUpTimestamp: number
}

/** As DescribeQuorum shows it (KIP-836, KIP-853). */
export interface QuorumDescription {
  /** −1: nobody. */
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly highWatermark: number
  readonly logEndOffset: number
  /** An orderer outside of the cluster has none but the leader. */
  readonly voters: readonly QuorumReplica[]
  /** Those who only read. Known to the leader. */
  readonly observers: readonly QuorumReplica[]
}

/** Who decides now. */
export interface OrdererLeader {
  readonly id: number
  readonly epoch: number
}

/**
 * Puts the metadata log in order and says who leads. What every adapter must hold: epochs only grow and are given once;
 * an append in an old epoch changes nothing, atomically; offsets have no gaps and are never used twice; what is committed
 * is durable; leases say when to try, never whether a write is valid.
 */
export interface Orderer extends OrderedLog<MetadataRecord> {
  /**
   * Call `follow` before. Fulfilled when our copy of the log is replayed as far as it is known to be committed and, where
   * that is ours alone to have, the lead is taken. Who is one of several may hear of a leader, and of more, only later.
   */
  start(): Promise<void>
  describe(): QuorumDescription
  /** Where others said that a node is; null: nobody did. */
  heardOf?(node: number): Address | null
  /** As far as this node knows; null: nobody. It may have been deposed already: only an append tells. */
  leader(): OrdererLeader | null
  /**
   * Monotonic ms. Leader: nobody else had taken over by then. Others: our listener has all that was committed by then, as far
   * as the leader that we heard was one; that it was, its own answers to heartbeats say. To be asked now and then: who does
   * not hear of every change looks when it is long ago. Less than any time: not known, or of an epoch that has just begun.
   */
  wholeAsOf(): number
  /** Called whenever `leader()` has changed. Returns what ends the watch. */
  onLeader(run: (leader: OrdererLeader | null) => void): () => void
  /**
   * This node is going to stop: it gives the lead away, if it has it and somebody can take it, and stands for no other
   * election. Fulfilled, soon, when another leads or nobody can.
   */
  resign(): Promise<void>
  /** Nothing is appended any more; what was appended is durable when fulfilled. */
  close(): Promise<void>
}
