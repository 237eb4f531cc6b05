import { api, array, bool, int16, int32, string, uint16, uuid } from '../schema.ts'

/** A controller introduces itself to the active controller (KIP-919). */
export const ControllerRegistration = api(
  70,
  'ControllerRegistration',
  '0',
  { flexible: '0+' },
  {
    controllerId: int32,
    incarnationId: uuid,
    zkMigrationReady: bool,
    listeners: array({ name: string, host: string, port: uint16, securityProtocol: int16 }),
    features: array({ name: string, minSupportedVersion: int16, maxSupportedVersion: int16 }),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable(),
  },
)
