import { ErrorCode } from '../../protocol/errors.ts'
import { FetchSnapshot } from '../../protocol/messages/fetch-snapshot.ts'
import { handler } from '../handler.ts'

/** A follower of the quorum that lacks too much for the log reads a snapshot, part by part (KIP-630). */
export default handler(FetchSnapshot, async (request, { node, peer }) => {
  if (!peer.node) return { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, topics: [] }
  const quorum = await node.quorum()
  return quorum?.server.fetchSnapshot(request) ?? { errorCode: ErrorCode.UNSUPPORTED_VERSION, topics: [] }
})
