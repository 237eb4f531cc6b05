import { ZERO_UUID } from '../../protocol/uuid.ts'

/** The file beside the log's segments. */
export const quorumStateName = 'quorum-state'

/** What an election must remember (KIP-595, KIP-853), in Kafka's own file. */
export interface QuorumState {
  /** −1: unknown. */
  readonly leaderId: number
  readonly leaderEpoch: number
  /** −1: nobody. */
  readonly votedId: number
  readonly votedDirectoryId: string
  /** Version 0 only: a quorum whose voters stand in configuration files. Null with version 1. */
  readonly voterIds: readonly number[] | null
}

/** Throws when the text is not such a file: a vote that is forgotten could be given twice. */
export function parseQuorumState(text: string): QuorumState {
  let data: { [name: string]: unknown }
  try {
    data = JSON.parse(text)
  } catch (error) {
    throw new Error(`the file ${quorumStateName} of the metadata log is unreadable`, { cause: error })
  }
  const version = data.data_version
  if (version !== 0 && version !== 1) {
    throw new Error(`the file ${quorumStateName} has version ${String(version)}, which is newer than this program`)
  }
  const number = (name: string): number => {
    const value = data[name] ?? -1
    if (!Number.isSafeInteger(value)) throw new Error(`the file ${quorumStateName} has no number ${name}`)
    return value as number
  }
  const voters = data.currentVoters
  return {
    leaderId: number('leaderId'),
    leaderEpoch: number('leaderEpoch'),
    votedId: number('votedId'),
    votedDirectoryId: typeof data.votedDirectoryId === 'string' ? data.votedDirectoryId : ZERO_UUID,
    voterIds: version === 0 && Array.isArray(voters) ? voters.map(voter => Number(voter?.voterId)) : null,
  }
}

export function printQuorumState(state: QuorumState): string {
  const { leaderId, leaderEpoch, votedId, votedDirectoryId, voterIds } = state
  if (voterIds === null) {
    return JSON.stringify({ leaderId, leaderEpoch, votedId, votedDirectoryId, data_version: 1 })
  }
  const currentVoters = voterIds.map(voterId => ({ voterId }))
  return JSON.stringify({
    clusterId: '',
    leaderId,
    leaderEpoch,
    votedId,
    appliedOffset: 0,
    currentVoters,
    data_version: 0,
  })
}
