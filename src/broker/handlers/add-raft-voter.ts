import { AddRaftVoter } from '../../protocol/messages/add-raft-voter.ts'
import { handler } from '../handler.ts'
import { asLeader } from '../quorum/leader.ts'
import { answerOf, nobodyLeads, refusal } from '../quorum/voters.ts'

const defaultTimeoutMs = 30_000

/** One more voter (KIP-853). A node that asks for itself, and for no more than to be noted, applies (as in KIP-1186). */
export default handler(AddRaftVoter, async (request, context) => {
  const quorum = await context.node.quorum()
  const refused = refusal(context, quorum, request.clusterId)
  if (refused !== null) return refused
  const { voterId: id, voterDirectoryId: directoryId, listeners: endpoints, ackWhenCommitted } = request
  const voter = { id, directoryId, endpoints }
  const timeoutMs = request.timeoutMs > 0 ? request.timeoutMs : defaultTimeoutMs
  const here = async () => {
    if (context.peer.node && !ackWhenCommitted) return answerOf(quorum!.growth.applies(voter))
    quorum!.growth.added(voter)
    return answerOf(await quorum!.changes.add(voter, timeoutMs, ackWhenCommitted))
  }
  return asLeader(context, AddRaftVoter, request, here, nobodyLeads, timeoutMs)
})
