import { ErrorCode } from '../../protocol/errors.ts'
import { GetTelemetrySubscriptions } from '../../protocol/messages/get-telemetry-subscriptions.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import { handler } from '../handler.ts'

/** ms until a client asks again whether somebody wants its metrics; nobody does yet (KIP-714). */
const pushIntervalMs = 5 * 60_000

export default handler(GetTelemetrySubscriptions, ({ clientInstanceId }, { broker }) => ({
  throttleTimeMs: 0,
  errorCode: ErrorCode.NONE,
  clientInstanceId:
    clientInstanceId === ZERO_UUID
      ? Buffer.from(broker.world.random.bytes(16)).toString('base64url')
      : clientInstanceId,
  subscriptionId: 0,
  acceptedCompressionTypes: [],
  pushIntervalMs,
  telemetryMaxBytes: 1024 * 1024,
  deltaTemporality: true,
  requestedMetrics: [],
}))
