import { ZERO_UUID } from '../../../protocol/uuid.ts'
import type { Volume } from '../../../store/store.ts'
import { lostMetadataHelp, type MetadataLog, metadataTopic } from '../metadata-log.ts'
import type { Voter } from '../orderer.ts'
import type { RaftOrdererOptions } from './orderer-options.ts'
import type { Replay } from './replay.ts'
import type { ElectionState, ReplicaKey, VotersAt } from './types.ts'
import { isSame } from './voters.ts'

export interface Recovered {
  readonly state: ElectionState
  readonly voters: readonly VotersAt[]
  readonly kraftVersion: number
  /** Everything below is known to be committed. */
  readonly committed: number
  /** Somebody was here before. */
  readonly known: boolean
}

/**
 * Reads what is on the disk. The listener gets the newest snapshot; what comes behind it waits until it is known to be
 * committed, which in a quorum of one it is. Rejects when the directory belongs to a quorum in which we have no part.
 */
export async function recover(
  log: MetadataLog,
  replay: Replay,
  { voter: self, volume, joins = false }: Pick<RaftOrdererOptions, 'voter' | 'volume' | 'joins'>,
): Promise<Recovered> {
  await log.recover()
  const former = log.readQuorumState()
  const begins = !log.isBegun && !joins && (former === null || former.leaderId === self.id)
  if (!log.isBegun) checkNothingIsLost(volume)
  const found = await log.loadSnapshot()
  // What others have begun says itself by what rules; without a word about it, voters stand in configuration files.
  let kraftVersion = found?.snapshot.kraftVersion ?? (begins || joins || !log.isBegun ? 1 : 0)
  const voters: VotersAt[] = [
    { offset: (found?.id.endOffset ?? 0) - 1, voters: found?.snapshot.voters ?? (begins ? [self] : []) },
  ]
  replay.load(found?.snapshot.records ?? [], found?.id.endOffset ?? 0, found?.snapshot.timestamp ?? -1)
  for await (const batch of log.batches(found?.id.endOffset ?? 0, log.endOffset)) {
    for (const record of batch.control) {
      if (record.type === 'kraftVersion') kraftVersion = record.kraftVersion
      if (record.type === 'voters') voters.push({ offset: batch.baseOffset, voters: record.voters })
    }
    const { records, endOffset: end, timestamp } = batch
    if (records.length > 0) replay.add({ records, end, timestamp, own: false })
  }
  if (kraftVersion === 0) voters.splice(0, voters.length, configured(former?.voterIds ?? [self.id], self))
  const latest = voters.at(-1)!.voters
  checkVoters(latest, self)
  const alone = latest.length === 1 && isSame(latest[0]!, self)
  if (alone) replay.commit(log.endOffset)
  return {
    state: {
      epoch: former?.leaderEpoch ?? 0,
      leaderId: former?.leaderId ?? -1,
      voted: votedOf(former),
    },
    voters,
    kraftVersion,
    committed: alone ? log.endOffset : (found?.id.endOffset ?? 0),
    known: former !== null,
  }
}

/**
 * Throws when this directory has held the metadata before. A node that began that log a second time would have a cluster of
 * its own under the old one's name: its partitions were strangers to it, and what it tells the others contradicts theirs. One
 * that only copies it once more has forgotten for whom it has voted, and what it said that it has. A folder that is gone is
 * looked for before it is opened: the volume forgets then what it knows of it.
 */
export function checkNothingIsLost(volume: Pick<Volume, 'list' | 'recoveryPoint'>): void {
  const found = volume.list().find(({ topic }) => topic !== metadataTopic.topic)
  if (found === undefined && volume.recoveryPoint(metadataTopic) <= 0) return
  const trace = found === undefined ? 'its checkpoint is there' : `topics are there (${found.topic})`
  throw new Error(
    `the metadata log of this node, the folder __cluster_metadata-0, is gone or empty, and ${trace}: ${lostMetadataHelp}`,
  )
}

function configured(voterIds: readonly number[], self: Voter): VotersAt {
  if (voterIds.length !== 1 || voterIds[0] !== self.id) throw otherVoters(voterIds.join(', '), String(self.id))
  return { offset: -1, voters: [{ ...self, directoryId: ZERO_UUID }] }
}

function votedOf(former: { readonly votedId: number; readonly votedDirectoryId: string } | null): ReplicaKey | null {
  if (former === null || former.votedId < 0) return null
  return { id: former.votedId, directoryId: former.votedDirectoryId }
}

/** The log of a quorum whose only voter was another directory of this node cannot be gone on with: nobody else has it. */
function checkVoters(voters: readonly Voter[], self: Voter): void {
  const [only] = voters
  if (voters.length !== 1 || only!.id !== self.id || isSame(only!, self)) return
  const print = ({ id, directoryId }: ReplicaKey) => `${id} (directory ${directoryId})`
  throw otherVoters(print(only!), print(self))
}

function otherVoters(theirs: string, ours: string): Error {
  return new Error(
    `the metadata in this directory belongs to a quorum of the nodes ${theirs}; node ${ours} cannot go on with it alone`,
  )
}
