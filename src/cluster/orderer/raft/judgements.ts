import type { BeginRequest, RaftError, RaftLog, ReplicaKey, VoteRequest } from './types.ts'
import { isSame } from './voters.ts'

/** Whether a candidate's log has all that ours has: the later epoch counts, then the longer log. */
export function isUpToDate(
  { lastEpoch, lastOffset }: Pick<VoteRequest, 'lastEpoch' | 'lastOffset'>,
  log: Pick<RaftLog, 'lastEpoch' | 'endOffset'>,
): boolean {
  return lastEpoch === log.lastEpoch ? lastOffset >= log.endOffset : lastEpoch > log.lastEpoch
}

/** Why we cannot take somebody's word that it leads; null: we can. */
export function beginError({ epoch, leaderId, voter }: BeginRequest, self: ReplicaKey, own: number): RaftError | null {
  if (!isSame(voter, self)) return 'INVALID_VOTER_KEY'
  if (epoch < own) return 'FENCED_LEADER_EPOCH'
  return leaderId === self.id || leaderId < 0 ? 'INVALID_REQUEST' : null
}
