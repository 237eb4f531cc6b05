import { array, bool, float64, int8, int16, message, string } from '../../protocol/schema.ts'

/** `resourceType` as in `ConfigResource`; a value of null removes it. */
export const ConfigRecord = message(
  'ConfigRecord',
  '0',
  { flexible: '0+' },
  {
    resourceType: int8,
    resourceName: string,
    name: string,
    value: string.nullable(),
  },
)

/** Level 0: the feature is off. The first record of every log and snapshot is `metadata.version` (KIP-778). */
export const FeatureLevelRecord = message(
  'FeatureLevelRecord',
  '0',
  { flexible: '0+' },
  {
    name: string,
    featureLevel: int16,
  },
)

export const ClientQuotaRecord = message(
  'ClientQuotaRecord',
  '0',
  { flexible: '0+' },
  {
    entity: array({ entityType: string, entityName: string.nullable() }),
    key: string,
    value: float64,
    remove: bool,
  },
)

/** What remains of the way from ZooKeeper in logs that old Kafkas wrote. */
export const ZkMigrationStateRecord = message(
  'ZkMigrationStateRecord',
  '0',
  { flexible: '0+' },
  { zkMigrationState: int8 },
)

export const NoOpRecord = message('NoOpRecord', '0', { flexible: '0+' }, {})

/** What follows counts only when it is ended (KIP-868). */
export const BeginTransactionRecord = message(
  'BeginTransactionRecord',
  '0',
  { flexible: '0+' },
  {
    name: string.nullable().or(null).tag(0, '0+'),
  },
)

export const EndTransactionRecord = message('EndTransactionRecord', '0', { flexible: '0+' }, {})

export const AbortTransactionRecord = message(
  'AbortTransactionRecord',
  '0',
  { flexible: '0+' },
  {
    reason: string.nullable().or(null).tag(0, '0+'),
  },
)
