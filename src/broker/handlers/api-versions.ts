import { ErrorCode } from '../../protocol/errors.ts'
import { ApiVersions } from '../../protocol/messages/api-versions.ts'
import { handler } from '../handler.ts'
import { servedApis } from '../served.ts'

const newest = Math.max(...servedApis.filter(({ key }) => key === ApiVersions.key).map(({ max }) => max))
const apiKeys = servedApis.map(({ key, min, max }) => ({ apiKey: key, minVersion: min, maxVersion: max }))
const clientName = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/** What this broker serves. A version that we do not know is answered in version 0 with the range (KIP-35, 511). */
export default handler(ApiVersions, (request, { broker, version, peer }) => {
  if (version > newest) return answer(ErrorCode.UNSUPPORTED_VERSION)
  if (version >= 3) {
    const { clientSoftwareName, clientSoftwareVersion } = request
    if (!clientName.test(clientSoftwareName) || !clientName.test(clientSoftwareVersion))
      return answer(ErrorCode.INVALID_REQUEST)
    peer.software = `${clientSoftwareName} ${clientSoftwareVersion}`
  }
  // KIP-1242: the client meant another broker than the one it reached.
  if (version >= 5 && !broker.isMeant(request)) return answer(ErrorCode.REBOOTSTRAP_REQUIRED)
  return { ...answer(ErrorCode.NONE), ...broker.features() }
})

function answer(errorCode: number) {
  return { errorCode, apiKeys, throttleTimeMs: 0 }
}
