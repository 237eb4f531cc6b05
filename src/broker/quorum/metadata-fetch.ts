import { metadataTopic, metadataTopicId } from '../../cluster/orderer/metadata-log.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Fetch } from '../../protocol/messages/fetch.ts'
import type { RequestContext, RequestOf, ResponseOf } from '../handler.ts'

/** True for a Fetch with which another node copies the metadata log. */
export function fetchesMetadata(request: RequestOf<typeof Fetch>, { peer }: RequestContext): boolean {
  if (!peer.node || request.topics.length !== 1) return false
  const { topic, topicId } = request.topics[0]!
  return topicId === metadataTopicId || topic === metadataTopic.topic
}

/** Answered by the quorum. It may wait, and nothing else comes over the connection meanwhile: it has a lane of its own. */
export async function fetchMetadata(
  request: RequestOf<typeof Fetch>,
  context: RequestContext,
): Promise<ResponseOf<typeof Fetch>> {
  const { node } = context
  const quorum = await node.quorum()
  if (quorum === null) return { errorCode: ErrorCode.UNSUPPORTED_VERSION, sessionId: 0, responses: [] }
  return quorum.server.fetch(request, views => context.onSent(() => node.volume.release(views)))
}
