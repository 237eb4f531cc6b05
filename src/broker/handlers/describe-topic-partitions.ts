import { missingTopicCode } from '../../cluster/commands/topic-name.ts'
import type { PartitionState, TopicState } from '../../cluster/state.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { DescribeTopicPartitions } from '../../protocol/messages/describe-topic-partitions.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import { isInternal } from '../../replication/internal-topics.ts'
import { authorizedOperations } from '../authorized.ts'
import { offlineReplicas } from '../endpoint.ts'
import { handler, type RequestContext, type ResponseOf } from '../handler.ts'

type Response = ResponseOf<typeof DescribeTopicPartitions>
type TopicResponse = Response['topics'][number]

/** Topics page by page, sorted by name, from the cursor on (KIP-966). */
export default handler(DescribeTopicPartitions, (request, context): Response => {
  const { node } = context
  const limit = Math.max(
    1,
    Math.min(request.responsePartitionLimit, node.config.get('max.request.partition.size.limit')),
  )
  const names = request.topics.length > 0 ? request.topics.map(({ name }) => name) : [...node.cluster.topics.keys()]
  const { cursor } = request
  const wanted = [...new Set(names)].sort().filter(name => cursor === null || name >= cursor.topicName)
  const topics: TopicResponse[] = []
  let left = limit
  for (const topicName of wanted) {
    if (left === 0) return { topics, nextCursor: { topicName, partitionIndex: 0 } }
    const topic = node.cluster.topics.get(topicName)
    if (topic === undefined) {
      topics.push({ errorCode: missingTopicCode(topicName), name: topicName, topicId: ZERO_UUID, partitions: [] })
      continue
    }
    const from = cursor?.topicName === topicName ? Math.max(0, cursor.partitionIndex) : 0
    const to = Math.min(topic.partitions.length, from + left)
    topics.push(page(topic, from, to, context))
    left -= to - from
    if (to < topic.partitions.length) return { topics, nextCursor: { topicName, partitionIndex: to } }
  }
  return { topics, nextCursor: null }
})

function page(topic: TopicState, from: number, to: number, context: RequestContext): TopicResponse {
  const offline = offlineReplicas(context)
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternal(topic.name),
    partitions: topic.partitions.slice(from, to).map((partition, i) => ({
      ...partitionResponse(partition, from + i),
      offlineReplicas: offline(partition.replicas),
    })),
    topicAuthorizedOperations: authorizedOperations.topic,
  }
}

function partitionResponse(partition: PartitionState, partitionIndex: number): TopicResponse['partitions'][number] {
  return {
    errorCode: partition.leader === -1 ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
    partitionIndex,
    leaderId: partition.leader,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: partition.replicas,
    isrNodes: partition.isr,
    eligibleLeaderReplicas: partition.eligibleLeaderReplicas,
    lastKnownElr: partition.lastKnownElr,
    offlineReplicas: [],
  }
}
