import type { Voter } from '../orderer.ts'
import type { ReplicaKey } from './types.ts'
import { isSame } from './voters.ts'

/** When and how voters come and go by themselves; what is decided is tried, one change at a time, by the leader. */

export interface GrowthSettings {
  /** As many voters as there shall be: an odd number (`quorum.voters`). */
  readonly voters: number
  /** ms for which a node must have kept up before it gets a vote (`quorum.voter.probation.ms`). */
  readonly probationMs: number
  /** ms of silence after which another node takes a voter's place; −1: never (`quorum.voter.replace.after.ms`). */
  readonly replaceAfterMs: number
}

export interface Candidate {
  readonly voter: Voter
  /** It has all that there is. */
  readonly caughtUp: boolean
  /** ms for which it has fetched without a pause. */
  readonly steadyMs: number
}

export interface GrowthView {
  /** Monotonic ms. */
  readonly now: number
  /** `silentMs`: since its last Fetch; of the leader itself 0. `leaves`: it is drained, or will not come back. */
  readonly voters: readonly { readonly voter: Voter; readonly silentMs: number; readonly leaves: boolean }[]
  /** Nodes that would like to vote. */
  readonly candidates: readonly Candidate[]
  /** The change that this leader has begun and not finished: whom it added, when. */
  readonly attempt: { readonly added: ReplicaKey; readonly at: number } | null
  /** ms of silence after which a replica counts as gone. */
  readonly goneMs: number
}

export type GrowthStep =
  | { readonly do: 'add'; readonly voter: Voter; readonly why: string }
  | { readonly do: 'remove'; readonly voter: ReplicaKey; readonly why: string }

/** ms in which the second of two new voters must follow the first: an even number survives no more than one less. */
export const windowMs = 60_000

/** The next step; null: all is as it should be, or must stay as it is. */
export function nextStep(view: GrowthView, settings: GrowthSettings): GrowthStep | null {
  const { voters, candidates } = view
  const ready = candidates
    .filter(({ caughtUp, steadyMs }) => caughtUp && steadyMs >= settings.probationMs)
    .filter(({ voter }) => !voters.some(known => known.voter.id === voter.id))
    .map(({ voter }) => voter)
    .sort((a, b) => a.id - b.id)
  return wiped(view) ?? (voters.length % 2 === 0 ? evenStep(view, settings, ready) : oddStep(view, settings, ready))
}

/** A node that is back with an empty disk: what it was has no vote any more, what it is gets one as any other. */
function wiped({ voters, candidates, goneMs }: GrowthView): GrowthStep | null {
  for (const { voter, silentMs } of voters) {
    const again = candidates.find(other => other.voter.id === voter.id && !isSame(voter, other.voter))
    if (again?.caughtUp && silentMs > goneMs)
      return { do: 'remove', voter, why: `node ${voter.id} has come back with another directory` }
  }
  return null
}

function oddStep({ voters }: GrowthView, settings: GrowthSettings, ready: readonly Voter[]): GrowthStep | null {
  const [first] = ready
  if (first === undefined) return null
  // Both of two, or none: with one more the cluster would survive no more, and more could fail.
  if (voters.length + 2 <= settings.voters && ready.length >= 2)
    return { do: 'add', voter: first, why: 'there are nodes enough for two more voters' }
  const gone = lost(voters, settings)
  if (gone !== null && voters.length > 1)
    return { do: 'add', voter: first, why: `it takes the place of node ${gone.id}` }
  return null
}

function evenStep(
  { voters, attempt, now }: GrowthView,
  settings: GrowthSettings,
  ready: readonly Voter[],
): GrowthStep | null {
  const gone = lost(voters, settings)
  if (gone !== null && voters.length > 2) return { do: 'remove', voter: gone, why: 'another node has taken its place' }
  const [first] = ready
  if (first !== undefined && voters.length < settings.voters)
    return { do: 'add', voter: first, why: 'an odd number of voters is missing one' }
  if (attempt === null || now - attempt.at < windowMs) return null
  const added = voters.find(({ voter }) => isSame(voter, attempt.added))
  if (added === undefined) return null
  return { do: 'remove', voter: added.voter, why: 'the other new voter did not come in time' }
}

/** Who leaves, or has been silent for too long. */
function lost(voters: GrowthView['voters'], { replaceAfterMs }: GrowthSettings): Voter | null {
  const leaving = voters.find(({ leaves }) => leaves)
  if (leaving !== undefined) return leaving.voter
  if (replaceAfterMs < 0) return null
  const [silent] = [...voters].sort((a, b) => b.silentMs - a.silentMs)
  return silent !== undefined && silent.silentMs > replaceAfterMs ? silent.voter : null
}
