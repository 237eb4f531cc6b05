import { api, bool, int16, int32, int64, list, uuid } from '../schema.ts'

/** A broker tells the controller that it lives, wants to be unfenced, or wants to stop (KIP-631). */
export const BrokerHeartbeat = api(
  63,
  'BrokerHeartbeat',
  '0-2',
  { flexible: '0+' },
  {
    brokerId: int32,
    brokerEpoch: int64.or(-1),
    currentMetadataOffset: int64,
    wantFence: bool,
    wantShutDown: bool,
    offlineLogDirs: list(uuid).tag(0, '1+'),
    cordonedLogDirs: list(uuid).tag(1, '2+').nullable().or(null),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    isCaughtUp: bool.or(false),
    isFenced: bool.or(true),
    shouldShutDown: bool,
  },
)
