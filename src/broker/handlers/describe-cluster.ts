import { ErrorCode } from '../../protocol/errors.ts'
import { DescribeCluster } from '../../protocol/messages/describe-cluster.ts'
import { authorizedOperations } from '../authorized.ts'
import { controllerOf, endpointTold } from '../endpoint.ts'
import { handler } from '../handler.ts'

const brokers = 1

/** Who is in the cluster (KIP-700, 919, 1073). A node without controller listeners has only brokers to show. */
export default handler(DescribeCluster, (request, context) => {
  const { node } = context
  if (request.endpointType !== brokers) {
    const errorCode =
      request.endpointType === 2 ? ErrorCode.MISMATCHED_ENDPOINT_TYPE : ErrorCode.UNSUPPORTED_ENDPOINT_TYPE
    const errorMessage = 'this listener serves brokers only'
    return { errorCode, errorMessage, endpointType: request.endpointType, clusterId: '', brokers: [] }
  }
  const shown = [...node.cluster.brokers.values()].filter(broker => request.includeFencedBrokers || !broker.fenced)
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    clusterId: node.clusterId,
    // Who joins must find the one that decides, even before that serves clients.
    controllerId: context.peer.node ? (node.leader() ?? -1) : controllerOf(context),
    brokers: shown
      .sort((a, b) => a.id - b.id)
      .map(broker => {
        const { nodeId: brokerId, host, port, rack } = endpointTold(broker, context)
        return { brokerId, host, port, rack, isFenced: broker.fenced }
      }),
    ...(request.includeClusterAuthorizedOperations
      ? { clusterAuthorizedOperations: authorizedOperations.cluster }
      : {}),
  }
})
