import type { Handler } from '../../broker/handler.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { ApiVersions } from '../../protocol/messages/api-versions.ts'
import type { Api, RequestOf } from '../../protocol/schema.ts'
import { type ApiRange, common } from './announcement.ts'
import { goAway } from './exchange.ts'
import type { ProxyContext } from './proxy.ts'
import { proxiedApis } from './served.ts'

const ours: readonly ApiRange[] = proxiedApis.map(({ key, min, max }) => ({
  apiKey: key,
  minVersion: min,
  maxVersion: max,
}))

/** What both this gateway and all nodes of the cluster know. */
export const apiVersions: Handler<Api, ProxyContext> = {
  api: ApiVersions as never,
  keepsBytes: false,
  handle(asked, context) {
    return answer(asked as unknown as RequestOf<typeof ApiVersions>, context) as never
  },
}

async function answer(request: RequestOf<typeof ApiVersions>, context: ProxyContext): Promise<unknown> {
  const { broker, version, peer } = context
  const { min, max } = proxiedApis.find(({ key }) => key === ApiVersions.key)!
  if (version < min || version > max) return { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys: ours }
  try {
    const { apiKeys, ...features } = await broker.announced()
    const { clientSoftwareName, clientSoftwareVersion, clusterId, nodeId } = request
    const { directory } = broker
    const isOther = clusterId !== null && directory.clusterId !== null && clusterId !== directory.clusterId
    if (isOther || (nodeId >= 0 && !directory.brokers.has(nodeId)))
      return { errorCode: ErrorCode.REBOOTSTRAP_REQUIRED, apiKeys: [] }
    if (version >= 3) peer.software = `${clientSoftwareName} ${clientSoftwareVersion}`
    if (nodeId >= 0) broker.upstream(context).meant = nodeId
    return { errorCode: ErrorCode.NONE, apiKeys: common([{ apiKeys: ours }, { apiKeys }]), ...features }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return goAway(peer)
  }
}
