import { ResourceType } from '../../cluster/state.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { ListConfigResources } from '../../protocol/messages/list-config-resources.ts'
import { handler } from '../handler.ts'
import type { Services } from '../services.ts'

const { TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP } = ResourceType
const listed: readonly number[] = [TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP]

/** What has, or may have, settings (KIP-1142); version 0 knew client metrics only (KIP-1000). */
export default handler(ListConfigResources, ({ resourceTypes }, { node, version }) => {
  const types = version === 0 ? [CLIENT_METRICS] : resourceTypes.length === 0 ? listed : resourceTypes
  if (types.some(type => !listed.includes(type)))
    return { errorCode: ErrorCode.UNSUPPORTED_VERSION, configResources: [] }
  const configResources = types.flatMap(resourceType =>
    Array.from(namesOf(resourceType, node), resourceName => ({ resourceName, resourceType })),
  )
  return { errorCode: ErrorCode.NONE, configResources }
})

function namesOf(type: number, { cluster, nodeId }: Services): Iterable<string> {
  if (type === TOPIC) return cluster.topics.keys()
  if (type === BROKER || type === BROKER_LOGGER) return [String(nodeId)]
  return cluster.configured(type)
}
