import type { MetadataLog } from '../metadata-log.ts'
import type { OrdererLeader, Voter } from '../orderer.ts'
import type { OwnVote } from './own-vote.ts'
import type { Raft } from './raft.ts'
import type { Records } from './transport.ts'
import type { Whereabouts } from './whereabouts.ts'

/** Our replica of the metadata log, for those who serve what other nodes ask and look after the voters. */
export interface QuorumNode {
  /** Null before the start, and when it is closed. */
  readonly raft: Raft<Records> | null
  readonly log: MetadataLog
  readonly whereabouts: Whereabouts
  /** This node. */
  readonly voter: Voter
  readonly vote: Pick<OwnVote, 'leaveQuorum'>
  /** Monotonic ms: since when we lead. */
  readonly ledSince: number
  /** Called with each change of who leads; null: nobody is known. Returns what ends the watch. */
  onLeader(run: (leader: OrdererLeader | null) => void): () => void
  /** Runs an event of the state machine, and what follows from it. Throws NOT_LEADER_OR_FOLLOWER where `raft` is null. */
  event<T>(run: (raft: Raft<Records>, now: number) => T): T
}
