import type { CommandRequest } from '../cluster/commands/command.ts'
import { supportedFeatures } from '../cluster/features.ts'
import type { ResolvedConfig } from '../config/sources.ts'
import { topicValueInForce } from '../config/topic-values.ts'
import type { Volume } from '../store/store.ts'
import type { Listeners } from './listeners.ts'

/** Kafka's number for it (`SecurityProtocol`). */
const plaintext = 0

/** What a node says of itself to the controller. `own`: its machine's address, for listeners that have none. */
export function registrationOf(
  { config }: ResolvedConfig,
  listeners: Listeners,
  clusterId: string,
  directoryId: string,
  own: () => string,
  volume: Pick<Volume, 'previousBrokerEpoch'>,
): Omit<CommandRequest<'registerBroker'>, 'brokerId' | 'incarnationId'> {
  return {
    clusterId,
    listeners: [...listeners.registered(own), ...listeners.registeredDoors(own)].map(listener => ({
      ...listener,
      securityProtocol: plaintext,
    })),
    features: Array.from(supportedFeatures, ([name, { min, max }]) => ({
      name,
      minSupportedVersion: min,
      maxSupportedVersion: max,
    })),
    rack: config.get('broker.rack'),
    logDirs: [directoryId],
    previousBrokerEpoch: volume.previousBrokerEpoch,
    acknowledgesUnsynced: topicValueInForce('flush', new Map(), config) === 'os',
  }
}
