import type { ClusterState, TopicState } from '../cluster/state.ts'
import type { TopicInfo, TopicLookup } from '../groups/offset-topics.ts'

/** Topics as the metadata has them now, for who commits offsets in them. */
export function topicLookup(cluster: ClusterState): TopicLookup {
  return {
    byName: name => infoOf(cluster.topics.get(name)),
    byId: topicId => infoOf(cluster.topicsById.get(topicId)),
  }
}

function infoOf(topic: TopicState | undefined): TopicInfo | undefined {
  return topic && { name: topic.name, topicId: topic.id, partitions: topic.partitions.length }
}
