import { clusterSettings } from './broker/cluster.ts'
import { compactionSettings } from './broker/compaction.ts'
import { doorsSettings } from './broker/doors.ts'
import { groupsSettings } from './broker/groups.ts'
import { logSettings } from './broker/log.ts'
import { networkSettings } from './broker/network.ts'
import { ottlaSettings } from './broker/ottla.ts'
import { quotasAndMetricsSettings } from './broker/quotas-and-metrics.ts'
import { securitySettings } from './broker/security.ts'
import { sharesAndStreamsSettings } from './broker/shares-and-streams.ts'
import { tieredStorageSettings } from './broker/tiered-storage.ts'
import { topicsSettings } from './broker/topics.ts'
import { transactionsSettings } from './broker/transactions.ts'
import type { ValueOf } from './definition.ts'

/** Every setting of a broker: Kafka's by their own names, and ottla's few. */
export const brokerSettings = {
  ...ottlaSettings,
  ...doorsSettings,
  ...clusterSettings,
  ...networkSettings,
  ...topicsSettings,
  ...logSettings,
  ...groupsSettings,
  ...transactionsSettings,
  ...quotasAndMetricsSettings,
  ...compactionSettings,
  ...securitySettings,
  ...sharesAndStreamsSettings,
  ...tieredStorageSettings,
}

export type BrokerSetting = keyof typeof brokerSettings
export type BrokerValue<Name extends BrokerSetting> = ValueOf<(typeof brokerSettings)[Name]>

export const isBrokerSetting = (name: string): name is BrokerSetting => Object.hasOwn(brokerSettings, name)

/** Settings that stand for the same thing, the first that is set wins; each of them answers for all. */
const FAMILIES = [
  ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
  ['log.roll.ms', 'log.roll.hours'],
  ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
  ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'],
] as const

/**
 * The settings whose value counts for `name`, most telling first (Kafka's `brokerConfigSynonyms`). The scheduler's
 * interval is only a fallback: it does not itself follow the flush interval.
 */
export function brokerSynonyms(name: string): readonly string[] {
  if (name === 'log.flush.scheduler.interval.ms') return [name]
  return FAMILIES.find(family => (family as readonly string[]).includes(name)) ?? [name]
}

/** Security settings can be given for one listener: `listener.name.<listener>.ssl.keystore.location`. */
export function withoutListener(name: string): string {
  const match = /^listener\.name\.[^.]+\.(.+)$/.exec(name)
  if (match === null) return name
  // A SASL mechanism may stand in between: `listener.name.internal.scram-sha-256.sasl.jaas.config`.
  const rest = match[1]!
  return isBrokerSetting(rest) ? rest : rest.replace(/^[^.]+\./, '')
}
