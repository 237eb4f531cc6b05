import { ErrorCode } from '../../protocol/errors.ts'
import { Vote } from '../../protocol/messages/vote.ts'
import { handler } from '../handler.ts'

/** A candidate asks for our vote (KIP-595, 996). */
export default handler(Vote, async (request, { node, peer }) => {
  if (!peer.node) return { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, topics: [] }
  const quorum = await node.quorum()
  return quorum?.server.vote(request) ?? { errorCode: ErrorCode.UNSUPPORTED_VERSION, topics: [] }
})
