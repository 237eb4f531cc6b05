import type { OrderedLog } from '../../machine/machine.ts'
import type { MetadataRecord } from '../records/records.ts'

/** One member of the quorum: a node with its directory, so that a wiped disk cannot vote twice (KIP-853). */
export interface Voter {
  readonly id: number
  readonly directoryId: string
  readonly endpoints: readonly { readonly name: string; readonly host: string; readonly port: number }[]
}

/** As DescribeQuorum shows it (KIP-836). */
export interface QuorumDescription {
  /** −1: nobody. */
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly highWatermark: number
  readonly logEndOffset: number
  readonly voters: readonly Voter[]
}

/**
 * Puts the metadata log in order and says who leads. What every adapter must hold: epochs only grow and are given once;
 * an append in an old epoch changes nothing, atomically; offsets have no gaps and are never used twice; what is committed
 * is durable; leases say when to try, never whether a write is valid.
 */
export interface Orderer extends OrderedLog<MetadataRecord> {
  /** Call `follow` before. Fulfilled when the log is replayed and, where that is ours to have, the lead is taken. */
  start(): Promise<void>
  describe(): QuorumDescription
  /** Nothing is appended any more; what was appended is durable when fulfilled. */
  close(): Promise<void>
}
