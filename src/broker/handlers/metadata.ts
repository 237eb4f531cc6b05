import { missingTopicCode } from '../../cluster/commands/topic-name.ts'
import type { TopicState } from '../../cluster/state.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { Metadata } from '../../protocol/messages/metadata.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import { isInternal } from '../../replication/internal-topics.ts'
import { authorizedOperations } from '../authorized.ts'
import { autoCreateTopics } from '../auto-create.ts'
import { controllerOf, offlineReplicas, servingBrokers } from '../endpoint.ts'
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
  return {
    brokers: servingBrokers(context),
    clusterId: node.clusterId,
    controllerId: controllerOf(context),
    topics: request.includeTopicAuthorizedOperations ? topics.map(withOperations) : topics,
    ...(request.includeClusterAuthorizedOperations
      ? { clusterAuthorizedOperations: authorizedOperations.cluster }
      : {}),
  }
})

function namesOf(wanted: readonly Wanted[]): string[] {
  return wanted.flatMap(({ name, topicId }) => (name !== null && topicId === ZERO_UUID ? [name] : []))
}

function everyTopic(context: RequestContext): TopicResponse[] {
  return Array.from(context.node.cluster.topics.values(), topic => topicResponse(topic, context))
}

function describe({ name, topicId }: Wanted, context: RequestContext): TopicResponse {
  const { node, version } = context
  const { topics, topicsById } = node.cluster
  const byId = topicId !== ZERO_UUID
  // Versions 10 and 11 have ids in the request and refuse them: their answer cannot leave the name out.
  if (version < 12 && (byId || name === null))
    return { errorCode: ErrorCode.INVALID_REQUEST, name: name ?? '', topicId, partitions: [] }
  const topic = byId ? topicsById.get(topicId) : topics.get(name ?? '')
  if (topic !== undefined) return topicResponse(topic, context)
  const errorCode = byId ? ErrorCode.UNKNOWN_TOPIC_ID : missingTopicCode(name ?? '')
  return { errorCode, name, topicId, partitions: [] }
}

function topicResponse(topic: TopicState, context: RequestContext): TopicResponse {
  const { brokers } = context.node.cluster
  const offline = offlineReplicas(context)
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternal(topic.name),
    partitions: topic.partitions.map((partition, partitionIndex) => {
      // A leader that was fenced a moment ago serves nobody: the next one is on its way.
      const serves = brokers.get(partition.leader)?.fenced === false
      return {
        errorCode: serves ? ErrorCode.NONE : ErrorCode.LEADER_NOT_AVAILABLE,
        partitionIndex,
        leaderId: serves ? partition.leader : -1,
        leaderEpoch: partition.leaderEpoch,
        replicaNodes: partition.replicas,
        isrNodes: partition.isr,
        offlineReplicas: offline(partition.replicas),
      }
    }),
  }
}

function withOperations(topic: TopicResponse): TopicResponse {
  return { ...topic, topicAuthorizedOperations: authorizedOperations.topic }
}
