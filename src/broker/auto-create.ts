import { topicNameProblem } from '../cluster/commands/topic-name.ts'
import { isInternal } from '../replication/internal-topics.ts'
import type { RequestContext } from './handler.ts'

/** −1: as the broker is configured (KIP-464). */
const byDefault = -1

/** Makes those of `names` that do not exist, when the broker allows it (`auto.create.topics.enable`). Errors show in the answer. */
export async function autoCreateTopics(names: readonly string[], { node }: RequestContext): Promise<void> {
  const missing = [...new Set(names)].filter(name => !node.cluster.topics.has(name) && topicNameProblem(name) === null)
  if (missing.length === 0) return
  if (missing.includes('__consumer_offsets')) await node.createOffsetsTopic()
  if (!node.config.get('auto.create.topics.enable')) return
  const topics = missing
    .filter(name => !isInternal(name))
    .map(name => ({ name, numPartitions: byDefault, replicationFactor: byDefault, assignments: [], configs: [] }))
  if (topics.length > 0) await node.controller.ask('createTopics', { topics })
}
