import { array, bool, int8, int16, int32, int64, list, message, string, uint16, uuid } from '../../protocol/schema.ts'

const endPoints = array({ name: string, host: string, port: uint16, securityProtocol: int16 })
const features = array({ name: string, minSupportedVersion: int16, maxSupportedVersion: int16 })

/** A broker process has joined under a new epoch (KIP-631). */
export const RegisterBrokerRecord = message(
  'RegisterBrokerRecord',
  '0-4',
  { flexible: '0+' },
  {
    brokerId: int32,
    isMigratingZkBroker: bool.in('2+').or(false).ignorable(),
    incarnationId: uuid,
    brokerEpoch: int64,
    endPoints,
    features,
    rack: string.nullable(),
    fenced: bool.or(true),
    inControlledShutdown: bool.in('1+').or(false).ignorable(),
    logDirs: list(uuid).tag(0, '3+').ignorable(),
    cordonedLogDirs: list(uuid).nullable('4+').or(null).tag(1, '4+').ignorable(),
  },
)

export const UnregisterBrokerRecord = message(
  'UnregisterBrokerRecord',
  '0',
  { flexible: '0+' },
  {
    brokerId: int32,
    brokerEpoch: int64,
  },
)

export const FenceBrokerRecord = message('FenceBrokerRecord', '0', { flexible: '0+' }, { id: int32, epoch: int64 })

export const UnfenceBrokerRecord = message('UnfenceBrokerRecord', '0', { flexible: '0+' }, { id: int32, epoch: int64 })

export const BrokerRegistrationChangeRecord = message(
  'BrokerRegistrationChangeRecord',
  '0-3',
  { flexible: '0+' },
  {
    brokerId: int32,
    brokerEpoch: int64,
    /** −1: unfenced, 0: as before, 1: fenced. */
    fenced: int8.tag(0, '0+'),
    /** 0: as before, 1: in controlled shutdown. */
    inControlledShutdown: int8.tag(1, '1+').ignorable(),
    /** Empty: as before. */
    logDirs: list(uuid).tag(2, '2+').ignorable(),
    cordonedLogDirs: list(uuid).nullable('3+').or(null).tag(3, '3+').ignorable(),
  },
)

export const RegisterControllerRecord = message(
  'RegisterControllerRecord',
  '0',
  { flexible: '0+' },
  {
    controllerId: int32,
    incarnationId: uuid,
    zkMigrationReady: bool,
    endPoints,
    features,
  },
)

export const UnregisterControllerRecord = message(
  'UnregisterControllerRecord',
  '0',
  { flexible: '0+' },
  {
    controllerId: int32,
  },
)

/** The next block of producer ids begins here. */
export const ProducerIdsRecord = message(
  'ProducerIdsRecord',
  '0',
  { flexible: '0+' },
  {
    brokerId: int32,
    brokerEpoch: int64.or(-1),
    nextProducerId: int64,
  },
)
