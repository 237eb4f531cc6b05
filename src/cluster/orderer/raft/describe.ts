import type { Clock } from '../../../world/world.ts'
import type { QuorumDescription, QuorumReplica, Voter } from '../orderer.ts'
import type { Raft } from './raft.ts'
import { observerTimeoutMs, type ReplicaProgress } from './replicas.ts'
import { includes, isSame } from './voters.ts'

interface Parts {
  readonly voter: Voter
  readonly world: { readonly clock: Clock }
}

/** The quorum as this node sees it: only a leader knows how far the others are. */
export function describeQuorum<Records>(
  raft: Raft<Records> | null,
  log: { readonly endOffset: number },
  { voter: self, world: { clock } }: Parts,
): QuorumDescription {
  const logEndOffset = log.endOffset
  if (raft === null) return { ...nobody, logEndOffset }
  const { voters } = raft
  const progress = [...raft.replicas]
  const wall = (mono: number): number => (mono < 0 ? -1 : Math.round(clock.now() - (clock.mono() - mono)))
  const replica = (voter: Voter, found: ReplicaProgress | undefined): QuorumReplica => {
    if (isSame(voter, self)) {
      const leads = raft.role === 'leader'
      const now = leads && voters.length > 1 ? clock.now() : -1
      return { ...voter, logEndOffset, lastFetchTimestamp: now, lastCaughtUpTimestamp: now }
    }
    return {
      ...voter,
      logEndOffset: found?.offset ?? -1,
      lastFetchTimestamp: wall(found?.lastFetch ?? -1),
      lastCaughtUpTimestamp: wall(found?.lastCaughtUp ?? -1),
    }
  }
  const now = clock.mono()
  const observers = progress.filter(
    ({ key, lastFetch }) => !includes(voters, key) && now - lastFetch <= observerTimeoutMs,
  )
  return {
    leaderId: raft.leaderId,
    leaderEpoch: raft.epoch,
    highWatermark: raft.highWatermark,
    logEndOffset,
    voters: voters.map(voter =>
      replica(
        voter,
        progress.find(({ key }) => isSame(voter, key)),
      ),
    ),
    observers: observers.map(found => replica({ ...found.key, endpoints: [] }, found)),
  }
}

const nobody = { leaderId: -1, leaderEpoch: 0, highWatermark: 0, voters: [], observers: [] }
