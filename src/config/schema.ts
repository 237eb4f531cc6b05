import { brokerSettings, isBrokerSetting, withoutListener } from './broker-configs.ts'
import { clientMetricsSettings } from './client-metrics-configs.ts'
import type { Setting } from './definition.ts'
import { groupSettings } from './group-configs.ts'
import { topicSettings } from './topic-configs.ts'
import { settingOf, unknown, validate } from './validate.ts'
import { readValue } from './values.ts'

/** What can be configured; the numbers are the protocol's (`ConfigResource.Type`). */
export const ConfigResourceType = { TOPIC: 2, BROKER: 4, BROKER_LOGGER: 8, CLIENT_METRICS: 16, GROUP: 32 } as const

/**
 * What the controller must know of settings to decide about a change. Kafka answers a refusal with INVALID_CONFIG for
 * topics and groups, with INVALID_REQUEST for brokers and client metrics.
 */
export interface ConfigSchema {
  /** A sentence that says what is wrong with a topic's setting, or null. */
  validateTopicConfig(name: string, value: string): string | null
  /** A topic's settings taken together, each valid by itself. */
  validateTopicConfigs(configs: ReadonlyMap<string, string>): string | null
  /** For a change at run time; `defaultResource`: for all brokers at once (resource name ""). */
  validateBrokerConfig(name: string, value: string, defaultResource?: boolean): string | null
  validateGroupConfig(name: string, value: string): string | null
  validateClientMetricsConfig(name: string, value: string): string | null
  /** True when APPEND and SUBTRACT make sense. */
  isList(resourceType: number, name: string): boolean
  /** What APPEND and SUBTRACT start from when nothing is set. Null: nothing. */
  defaultValue(resourceType: number, name: string): string | null
  /** Such a value is never shown or logged. An unknown name counts as sensitive. */
  isSensitive(resourceType: number, name: string): boolean
}

export const configSchema: ConfigSchema = {
  validateTopicConfig: (name, value) => validate('topic', topicSettings, name, value),
  validateTopicConfigs(configs) {
    const ms = (name: string) => {
      const text = configs.get(name)
      const reading = text === undefined ? null : readValue(name, settingOf(topicSettings, name)!, text)
      return reading !== null && 'value' in reading ? (reading.value as number) : null
    }
    const least = ms('min.compaction.lag.ms')
    const most = ms('max.compaction.lag.ms')
    return least !== null && most !== null && least > most
      ? `conflict between topic config setting min.compaction.lag.ms (${least}) and max.compaction.lag.ms (${most})`
      : null
  },
  validateBrokerConfig(name, value, defaultResource = false) {
    const plain = withoutListener(name)
    const setting = settingOf(brokerSettings, plain)
    if (setting === undefined) return unknown('broker', brokerSettings, plain)
    if (setting.update === 'never') return `Cannot update these configs dynamically: ${name}`
    if (setting.update === 'per-broker' && defaultResource) {
      return `Cannot update per-broker configs at default cluster level: ${name}`
    }
    return validate('broker', brokerSettings, plain, value)
  },
  validateGroupConfig: (name, value) => validate('group', groupSettings, name, value),
  validateClientMetricsConfig: (name, value) => validate('client metrics', clientMetricsSettings, name, value),
  isList: (resourceType, name) => find(resourceType, name)?.type === 'list',
  defaultValue: (resourceType, name) => find(resourceType, name)?.default ?? null,
  isSensitive: (resourceType, name) => (find(resourceType, name)?.type ?? 'password') === 'password',
}

function find(resourceType: number, name: string): Setting<unknown> | undefined {
  switch (resourceType) {
    case ConfigResourceType.TOPIC:
      return settingOf(topicSettings, name)
    case ConfigResourceType.BROKER: {
      const plain = withoutListener(name)
      return isBrokerSetting(plain) ? brokerSettings[plain] : undefined
    }
    case ConfigResourceType.GROUP:
      return settingOf(groupSettings, name)
    case ConfigResourceType.CLIENT_METRICS:
      return settingOf(clientMetricsSettings, name)
    default:
      return undefined
  }
}
