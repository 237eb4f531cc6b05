import { ErrorCode } from '../../protocol/errors.ts'
import { DescribeCluster } from '../../protocol/messages/describe-cluster.ts'
import { authorizedOperations } from '../authorized.ts'
import { endpointOf } from '../endpoint.ts'
import { handler } from '../handler.ts'

const brokers = 1

/** Who is in the cluster (KIP-700, 919). A node without controller listeners has only brokers to show. */
export default handler(DescribeCluster, (request, context) => {
  const { node } = context
  if (request.endpointType !== brokers) {
    const errorCode =
      request.endpointType === 2 ? ErrorCode.MISMATCHED_ENDPOINT_TYPE : ErrorCode.UNSUPPORTED_ENDPOINT_TYPE
    const errorMessage = 'this listener serves brokers only'
    return { errorCode, errorMessage, endpointType: request.endpointType, clusterId: '', brokers: [] }
  }
  const { host, port } = endpointOf(context)
  const rack = node.cluster.brokers.get(node.nodeId)?.rack ?? null
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    clusterId: node.clusterId,
    controllerId: node.nodeId,
    brokers: [{ brokerId: node.nodeId, host, port, rack, isFenced: false }],
    ...(request.includeClusterAuthorizedOperations
      ? { clusterAuthorizedOperations: authorizedOperations.cluster }
      : {}),
  }
})
