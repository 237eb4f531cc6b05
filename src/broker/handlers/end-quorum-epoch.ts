import { ErrorCode } from '../../protocol/errors.ts'
import { EndQuorumEpoch } from '../../protocol/messages/end-quorum-epoch.ts'
import { handler } from '../handler.ts'

/** The leader of the quorum goes, and says who should follow (KIP-595). */
export default handler(EndQuorumEpoch, async (request, { node, peer }) => {
  if (!peer.node) return { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, topics: [] }
  const quorum = await node.quorum()
  return quorum?.server.end(request) ?? { errorCode: ErrorCode.UNSUPPORTED_VERSION, topics: [] }
})
