import { topicNameProblem } from '../../cluster/commands/topic-name.ts'
import { ResourceType } from '../../cluster/state.ts'
import {
  type ConfigEntry,
  ConfigSource,
  describeBroker,
  describeClientMetrics,
  describeClusterWide,
  describeGroup,
  describeTopic,
} from '../../config/describe.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { DescribeConfigs } from '../../protocol/messages/describe-configs.ts'
import { handler, type RequestOf } from '../handler.ts'
import type { Services } from '../services.ts'

type Resource = RequestOf<typeof DescribeConfigs>['resources'][number]

/** Settings, where their values came from, and what they mean (KIP-133, 226, 569). */
export default handler(DescribeConfigs, (request, { node, version }) => ({
  results: request.resources.map(resource => {
    const { resourceType, resourceName } = resource
    try {
      const entries = entriesOf(resource, node)
      const configs = entries.map(entry => shown(entry, version, request))
      return { errorCode: ErrorCode.NONE, errorMessage: null, resourceType, resourceName, configs }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      return { errorCode: error.code, errorMessage: error.message, resourceType, resourceName, configs: [] }
    }
  }),
}))

function entriesOf({ resourceType, resourceName, configurationKeys: names }: Resource, node: Services): ConfigEntry[] {
  const own = node.cluster.configs(resourceType, resourceName)
  switch (resourceType) {
    case ResourceType.TOPIC: {
      const problem = topicNameProblem(resourceName)
      if (problem !== null) throw new KafkaError('INVALID_TOPIC_EXCEPTION', problem)
      if (!node.cluster.topics.has(resourceName))
        throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${resourceName}`)
      return describeTopic(own, node.config, names)
    }
    case ResourceType.BROKER:
      if (resourceName === '') return describeClusterWide(node.config, names)
      checkBroker(resourceName, node)
      return describeBroker(node.config, names)
    case ResourceType.BROKER_LOGGER:
      checkBroker(resourceName, node)
      return []
    case ResourceType.CLIENT_METRICS:
      if (resourceName === '') throw new KafkaError('INVALID_REQUEST', 'client metrics need a name')
      return describeClientMetrics(own, names)
    case ResourceType.GROUP:
      if (resourceName === '') throw new KafkaError('INVALID_REQUEST', 'a group needs a name')
      return describeGroup(own, node.config, names)
    default:
      throw new KafkaError('INVALID_REQUEST', `there are no settings of resource type ${resourceType}`)
  }
}

function checkBroker(name: string, { nodeId }: Services): void {
  if (name === String(nodeId)) return
  throw new KafkaError('INVALID_REQUEST', `broker ${name} was asked of broker ${nodeId}`)
}

function shown(
  entry: ConfigEntry,
  version: number,
  { includeSynonyms, includeDocumentation }: { includeSynonyms: boolean; includeDocumentation: boolean },
) {
  return {
    ...entry,
    synonyms: includeSynonyms ? entry.synonyms : [],
    documentation: includeDocumentation ? entry.documentation : null,
    ...(version === 0 ? { isDefault: entry.configSource === ConfigSource.DEFAULT_CONFIG } : {}),
  }
}
