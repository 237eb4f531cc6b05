import { api, bool, bytes, int8, int16, int32, uuid } from '../schema.ts'

/** Metrics of a client, in the format of OpenTelemetry (KIP-714). */
export const PushTelemetry = api(
  72,
  'PushTelemetry',
  '0',
  { flexible: '0+' },
  {
    clientInstanceId: uuid,
    subscriptionId: int32,
    terminating: bool,
    compressionType: int8,
    metrics: bytes,
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
  },
)
