import { AddRaftVoter } from '../../protocol/messages/add-raft-voter.ts'
import { handler } from '../handler.ts'
import { asLeader } from '../quorum/leader.ts'
import { answerMs, answerOf, voterLane as lane, nobodyLeads, refusal } from '../quorum/voters.ts'

const defaultTimeoutMs = 30_000
/** Whoever wants longer asks again. */
const mostMs = 60_000

/** One more voter (KIP-853). A node that asks for itself, and for no more than to be noted, applies (as in KIP-1186). */
export default handler(AddRaftVoter, async (request, context) => {
  const quorum = await context.node.quorum()
  const refused = refusal(context, quorum, request.clusterId)
  if (refused !== null) return refused
  const { voterId: id, voterDirectoryId: directoryId, listeners: endpoints, ackWhenCommitted } = request
  const voter = { id, directoryId, endpoints }
  const timeoutMs = request.timeoutMs > 0 ? Math.min(request.timeoutMs, mostMs) : defaultTimeoutMs
  const here = async () => {
    if (context.peer.node && !ackWhenCommitted) return answerOf(quorum!.growth.applies(voter))
    quorum!.growth.added(voter)
    return answerOf(await quorum!.changes.add(voter, timeoutMs - Math.min(answerMs, timeoutMs / 4), ackWhenCommitted))
  }
  const within = (asked: typeof request, leftMs: number) => ({ ...asked, timeoutMs: Math.ceil(leftMs) })
  return asLeader(context, AddRaftVoter, request, here, nobodyLeads, { lane, timeoutMs, within })
})
