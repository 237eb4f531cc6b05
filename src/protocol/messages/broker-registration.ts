import { api, array, bool, int16, int32, int64, list, string, uint16, uuid } from '../schema.ts'

/** A broker introduces itself to the controller (KIP-631). */
export const BrokerRegistration = api(
  62,
  'BrokerRegistration',
  '0-4',
  { flexible: '0+' },
  {
    brokerId: int32,
    clusterId: string,
    incarnationId: uuid,
    listeners: array({ name: string, host: string, port: uint16, securityProtocol: int16 }),
    features: array({ name: string, minSupportedVersion: int16, maxSupportedVersion: int16 }),
    rack: string.nullable(),
    isMigratingZkBroker: bool.in('1+'),
    logDirs: list(uuid).in('2+').ignorable(),
    previousBrokerEpoch: int64.in('3+').or(-1).ignorable(),
    /** ottla's own: what this broker acknowledges is with its operating system only (`flush=os`), where topics do not say. */
    acknowledgesUnsynced: bool.tag(10000, '3+').ignorable(),
    /** ottla's own: the number is one that this broker took for free, and it would take any other. */
    choseNumber: bool.tag(10001, '3+').ignorable(),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    brokerEpoch: int64.or(-1),
  },
)
