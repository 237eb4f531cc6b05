import { api, bool, int8, int16, int32, list, string, uuid } from '../schema.ts'

/** Which metrics a client is asked to push (KIP-714). */
export const GetTelemetrySubscriptions = api(
  71,
  'GetTelemetrySubscriptions',
  '0',
  { flexible: '0+' },
  {
    clientInstanceId: uuid,
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    clientInstanceId: uuid,
    subscriptionId: int32,
    acceptedCompressionTypes: list(int8),
    pushIntervalMs: int32,
    telemetryMaxBytes: int32,
    deltaTemporality: bool,
    requestedMetrics: list(string),
  },
)
