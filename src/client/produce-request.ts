import { KafkaError } from '../protocol/errors.ts'
import type { Produce } from '../protocol/messages/produce.ts'
import type { RequestInput, ResponseOutput } from '../protocol/schema.ts'
import type { Cluster } from './cluster.ts'
import type { Identity, Lane, LaneOptions } from './lane.ts'
import { byTopic } from './offsets.ts'

/** What a broker says of one partition's batch. */
export type PartitionAnswer = ResponseOutput<typeof Produce>['responses'][number]['partitionResponses'][number]

/** What was sent, by topic. */
export type TopicData = Exclude<RequestInput<typeof Produce>['topicData'], undefined>

/** The next batch of each lane. Throws LEADER_NOT_AVAILABLE when a topic is not known any more. */
export function topicData(
  cluster: Cluster,
  lanes: readonly Lane[],
  identity: Identity | null,
  options: LaneOptions,
): TopicData {
  const batches = byTopic(lanes, lane => ({ index: lane.partition, records: lane.next(identity, options).bytes }))
  return batches.map(({ name, partitions }) => {
    const topicId = cluster.knownTopic(name)?.topicId
    if (topicId === undefined) throw new KafkaError('LEADER_NOT_AVAILABLE', `${name} is looked up again`)
    return { name, topicId, partitionData: partitions }
  })
}

/**
 * Each lane's part of an answer; missing where the broker says nothing of it. What is known of a topic may have been forgotten
 * since the request was sent: its ids are those of the request.
 */
export function answersOf(
  sent: TopicData,
  lanes: readonly Lane[],
  answer: ResponseOutput<typeof Produce>,
): Map<Lane, PartitionAnswer> {
  // Newer versions name topics by id only.
  const names = new Map(sent.map(({ name, topicId }) => [topicId, name]))
  const places = new Map(lanes.map(lane => [`${lane.topic}-${lane.partition}`, lane]))
  const answers = new Map<Lane, PartitionAnswer>()
  for (const { name, topicId, partitionResponses } of answer.responses) {
    for (const part of partitionResponses) {
      const lane = places.get(`${name || names.get(topicId)}-${part.index}`)
      if (lane !== undefined) answers.set(lane, part)
    }
  }
  return answers
}
