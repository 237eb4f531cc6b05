import { topicNameProblem } from '../../cluster/commands/topic-name.ts'
import type { TopicState } from '../../cluster/state.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { Metadata } from '../../protocol/messages/metadata.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import { isInternal } from '../../replication/partition.ts'
import { authorizedOperations } from '../authorized.ts'
import { autoCreateTopics } from '../auto-create.ts'
import { endpointOf } from '../endpoint.ts'
import { handler, type RequestContext, type ResponseOf } from '../handler.ts'

type TopicResponse = ResponseOf<typeof Metadata>['topics'][number]
type Wanted = { readonly name: string | null; readonly topicId: string }

/** Brokers, topics, leaders; topics that are asked for by name are made when that is allowed (KIP-204, 516). */
export default handler(Metadata, async (request, context) => {
  const { node, version } = context
  // Version 0 has no null: an empty list asks for all.
  const all = request.topics === null || (version === 0 && request.topics.length === 0)
  const wanted: readonly Wanted[] | null = all ? null : request.topics
  if (wanted !== null && request.allowAutoTopicCreation) await autoCreateTopics(namesOf(wanted), context)
  const topics = wanted === null ? everyTopic(context) : wanted.map(topic => describe(topic, context))
  const { host, port } = endpointOf(context)
  return {
    brokers: [{ nodeId: node.nodeId, host, port, rack: node.cluster.brokers.get(node.nodeId)?.rack ?? null }],
    clusterId: node.clusterId,
    controllerId: node.nodeId,
    topics: request.includeTopicAuthorizedOperations ? topics.map(withOperations) : topics,
    ...(request.includeClusterAuthorizedOperations
      ? { clusterAuthorizedOperations: authorizedOperations.cluster }
      : {}),
  }
})

function namesOf(wanted: readonly Wanted[]): string[] {
  return wanted.flatMap(({ name, topicId }) => (name !== null && topicId === ZERO_UUID ? [name] : []))
}

function everyTopic({ node }: RequestContext): TopicResponse[] {
  return Array.from(node.cluster.topics.values(), topicResponse)
}

function describe({ name, topicId }: Wanted, { node, version }: RequestContext): TopicResponse {
  const { topics, topicsById } = node.cluster
  const byId = topicId !== ZERO_UUID
  // Versions 10 and 11 have ids in the request and refuse them: their answer cannot leave the name out.
  if (version < 12 && (byId || name === null))
    return { errorCode: ErrorCode.INVALID_REQUEST, name: name ?? '', topicId, partitions: [] }
  const topic = byId ? topicsById.get(topicId) : topics.get(name ?? '')
  if (topic !== undefined) return topicResponse(topic)
  const errorCode = byId ? ErrorCode.UNKNOWN_TOPIC_ID : missing(name ?? '')
  return { errorCode, name, topicId, partitions: [] }
}

function missing(name: string): number {
  return topicNameProblem(name) === null ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION
}

function topicResponse(topic: TopicState): TopicResponse {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternal(topic.name),
    partitions: topic.partitions.map((partition, partitionIndex) => ({
      errorCode: partition.leader === -1 ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
      partitionIndex,
      leaderId: partition.leader,
      leaderEpoch: partition.leaderEpoch,
      replicaNodes: partition.replicas,
      isrNodes: partition.isr,
      offlineReplicas: [],
    })),
  }
}

function withOperations(topic: TopicResponse): TopicResponse {
  return { ...topic, topicAuthorizedOperations: authorizedOperations.topic }
}
