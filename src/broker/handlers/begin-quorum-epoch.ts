import { ErrorCode } from '../../protocol/errors.ts'
import { BeginQuorumEpoch } from '../../protocol/messages/begin-quorum-epoch.ts'
import { handler } from '../handler.ts'

/** A new leader of the quorum introduces itself (KIP-595). */
export default handler(BeginQuorumEpoch, async (request, { node, peer }) => {
  if (!peer.node) return { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, topics: [] }
  const quorum = await node.quorum()
  return quorum?.server.begin(request) ?? { errorCode: ErrorCode.UNSUPPORTED_VERSION, topics: [] }
})
