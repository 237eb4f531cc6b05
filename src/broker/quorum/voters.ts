import type { Quorum } from '../../cluster/orderer/raft/quorum.ts'
import type { VoterChange } from '../../cluster/orderer/raft/voter-changes.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { RequestContext } from '../handler.ts'

export interface VoterAnswer {
  readonly errorCode: number
  readonly errorMessage: string | null
}

/** Changes of the voters may wait for long: nothing else may stand behind them. */
export const voterLane = 'voters'
/** ms that the leader has less than whoever asks it, so that its answer is still there in time. */
export const answerMs = 500

export const nobodyLeads: VoterAnswer = {
  errorCode: ErrorCode.NOT_CONTROLLER,
  errorMessage: 'Nobody leads the quorum of the metadata now.',
}

/** Why a change of the voters cannot be asked here; null: it can. */
export function refusal({ node }: RequestContext, quorum: Quorum | null, clusterId: string | null): VoterAnswer | null {
  if (clusterId !== null && clusterId !== node.clusterId)
    return { errorCode: ErrorCode.INCONSISTENT_CLUSTER_ID, errorMessage: `This is cluster ${node.clusterId}.` }
  if (quorum !== null) return null
  const errorMessage = 'The metadata of this cluster is put in order elsewhere: it has no voters.'
  return { errorCode: ErrorCode.UNSUPPORTED_VERSION, errorMessage }
}

export function answerOf({ error, message }: VoterChange): VoterAnswer {
  return { errorCode: error === null ? ErrorCode.NONE : ErrorCode[error], errorMessage: message }
}
