import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { FindCoordinator } from '../../protocol/messages/find-coordinator.ts'
import { brokerEndpoint } from '../endpoint.ts'
import { handler, type RequestContext, type ResponseOf } from '../handler.ts'
import { noTransactions } from '../no-transactions.ts'

type Coordinator = NonNullable<ResponseOf<typeof FindCoordinator>['coordinators']>[number]

const group = 0
const transaction = 1

/** Who answers for a group (KIP-699 since version 4: for several at once). */
export default handler(FindCoordinator, async (request, context) => {
  const { keyType, key } = request
  if (context.version < 4) {
    const { errorCode, errorMessage, nodeId, host, port } = await find(keyType, key, context)
    return { errorCode, errorMessage, nodeId, host, port, coordinators: [] }
  }
  return { coordinators: await Promise.all(request.coordinatorKeys.map(name => find(keyType, name, context))) }
})

async function find(keyType: number, key: string, context: RequestContext): Promise<Coordinator> {
  try {
    if (keyType === transaction) throw noTransactions()
    if (keyType !== group) throw new KafkaError('INVALID_REQUEST', `there are no coordinators of type ${keyType}`)
    const { cluster, groups, createOffsetsTopic } = context.node
    if (!cluster.topics.has('__consumer_offsets')) await createOffsetsTopic()
    const partition = cluster.topics.get('__consumer_offsets')?.partitions[groups.partitionFor(key)]
    const leader = partition === undefined ? null : brokerEndpoint(partition.leader, context)
    if (leader === null) throw new KafkaError('COORDINATOR_NOT_AVAILABLE', 'the coordinator is being elected')
    const { nodeId, host, port } = leader
    return { key, nodeId, host, port, errorCode: ErrorCode.NONE, errorMessage: null }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { key, nodeId: -1, host: '', port: -1, errorCode: error.code, errorMessage: error.message }
  }
}
