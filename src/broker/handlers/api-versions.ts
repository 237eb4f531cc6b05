import { ErrorCode } from '../../protocol/errors.ts'
import { ApiVersions } from '../../protocol/messages/api-versions.ts'
import { handler, type RequestOf } from '../handler.ts'
import { nodeApis, type ServedApi, servedApis } from '../served.ts'
import type { Services } from '../services.ts'

const newest = Math.max(...servedApis.filter(({ key }) => key === ApiVersions.key).map(({ max }) => max))
const range = ({ key, min, max }: ServedApi) => ({ apiKey: key, minVersion: min, maxVersion: max })
const apiKeys = servedApis.map(range)
/** What nodes say of themselves. They know whom they mean, see `isMeant`. */
const ourselves = 'ottla'
const apiKeysForNodes = [...apiKeys, ...nodeApis.map(range)]
const softwareName = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]{0,254}[a-zA-Z0-9])?$/
/** Features that clients may act on, as far as they are served. */
const announced = ['metadata.version']

/** What this broker serves. A version that we do not know is answered in version 0 with the range (KIP-35, 511). */
export default handler(ApiVersions, (request, { node, version, peer }) => {
  if (version < 0 || version > newest) return { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys }
  if (version >= 3) {
    const { clientSoftwareName, clientSoftwareVersion } = request
    if (!softwareName.test(clientSoftwareName) || !softwareName.test(clientSoftwareVersion))
      return { errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [] }
    peer.software = `${clientSoftwareName} ${clientSoftwareVersion}`
  }
  if (!isMeant(request, node)) return { errorCode: ErrorCode.REBOOTSTRAP_REQUIRED, apiKeys: [] }
  const isNode = request.clientSoftwareName === ourselves && request.clusterId !== null
  return { errorCode: ErrorCode.NONE, apiKeys: isNode ? apiKeysForNodes : apiKeys, ...features(node) }
})

/** The client may say whom it believes to be talking to: then another cluster or node must not serve it (KIP-1242). */
function isMeant({ clusterId, nodeId }: RequestOf<typeof ApiVersions>, node: Services): boolean {
  return (clusterId === null || clusterId === node.clusterId) && (nodeId === -1 || nodeId === node.nodeId)
}

function features({ cluster }: Services) {
  const levels = announced.flatMap(name => {
    const level = cluster.features.get(name)
    return level === undefined ? [] : [{ name, level }]
  })
  return {
    supportedFeatures: levels.map(({ name, level }) => ({ name, minVersion: level, maxVersion: level })),
    finalizedFeaturesEpoch: cluster.changedAt.features,
    finalizedFeatures: levels.map(({ name, level }) => ({ name, minVersionLevel: level, maxVersionLevel: level })),
  }
}
