import { RemoveRaftVoter } from '../../protocol/messages/remove-raft-voter.ts'
import { handler } from '../handler.ts'
import { asLeader } from '../quorum/leader.ts'
import { answerMs, answerOf, voterLane as lane, nobodyLeads, refusal } from '../quorum/voters.ts'

const timeoutMs = 10_000

/** One voter less (KIP-853). */
export default handler(RemoveRaftVoter, async (request, context) => {
  const quorum = await context.node.quorum()
  const refused = refusal(context, quorum, request.clusterId)
  if (refused !== null) return refused
  const key = { id: request.voterId, directoryId: request.voterDirectoryId }
  const here = async () => answerOf(await quorum!.remove(key, timeoutMs))
  return asLeader(context, RemoveRaftVoter, request, here, nobodyLeads, { lane, timeoutMs: timeoutMs + answerMs })
})
