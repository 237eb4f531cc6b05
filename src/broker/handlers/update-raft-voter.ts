import { ErrorCode } from '../../protocol/errors.ts'
import { UpdateRaftVoter } from '../../protocol/messages/update-raft-voter.ts'
import { handler } from '../handler.ts'
import { asLeader } from '../quorum/leader.ts'
import { answerMs, answerOf, voterLane as lane, refusal } from '../quorum/voters.ts'

const timeoutMs = 5_000

/** A voter says where it is now (KIP-853). */
export default handler(UpdateRaftVoter, async (request, context) => {
  if (!context.peer.node) return { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED }
  const quorum = await context.node.quorum()
  const refused = refusal(context, quorum, request.clusterId)
  if (refused !== null) return { errorCode: refused.errorCode }
  const { voterId: id, voterDirectoryId: directoryId, listeners: endpoints } = request
  const here = async () => {
    const { errorCode } = answerOf(await quorum!.changes.update({ id, directoryId, endpoints }, timeoutMs))
    return { errorCode }
  }
  const nobody = { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER }
  return asLeader(context, UpdateRaftVoter, request, here, nobody, { lane, timeoutMs: timeoutMs + answerMs })
})
