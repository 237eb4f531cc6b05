import type { BrokerConfig, Layer } from './broker-config.ts'
import { type BrokerSetting, brokerSettings, brokerSynonyms } from './broker-configs.ts'
import { clientMetricsSettings } from './client-metrics-configs.ts'
import type { ConfigType, Setting } from './definition.ts'
import { GROUP_FALLBACKS, groupSettings } from './group-configs.ts'
import { topicSettings } from './topic-configs.ts'
import { fallbacksOf, topicValue } from './topic-values.ts'
import { settingOf } from './validate.ts'
import { canonical } from './values.ts'

/** Where a value came from; the numbers are the protocol's (`DescribeConfigsResponse.ConfigSource`). */
export const ConfigSource = {
  DYNAMIC_TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_CLIENT_METRICS_CONFIG: 7,
  GROUP_CONFIG: 8,
} as const

const SOURCES: Record<Layer, number> = {
  broker: ConfigSource.DYNAMIC_BROKER_CONFIG,
  cluster: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG,
  flag: ConfigSource.STATIC_BROKER_CONFIG,
  environment: ConfigSource.STATIC_BROKER_CONFIG,
  file: ConfigSource.STATIC_BROKER_CONFIG,
  default: ConfigSource.DEFAULT_CONFIG,
}

const TYPES: Record<ConfigType, number> = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
}

/** One line of a DescribeConfigs answer; the names are the response's fields. */
export interface ConfigEntry {
  readonly name: string
  /** Null: unset, or not to be shown. */
  readonly value: string | null
  readonly readOnly: boolean
  readonly configSource: number
  readonly isSensitive: boolean
  /** Strongest first. */
  readonly synonyms: readonly ConfigSynonym[]
  readonly configType: number
  readonly documentation: string
}

export interface ConfigSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: number
}

type Values = ReadonlyMap<string, string>

/** `names`: null for all. Unknown names are left out, as Kafka does. */
export function describeTopic(
  own: Values,
  broker: BrokerConfig,
  names: readonly string[] | null = null,
): ConfigEntry[] {
  return entries(topicSettings, names, own, (name, setting) => {
    const set = own.get(name)
    const synonyms = fallbacksOf(name).length > 0 ? topicSynonyms(name, broker) : []
    if (set !== undefined) synonyms.unshift({ name, value: set, source: ConfigSource.DYNAMIC_TOPIC_CONFIG })
    return entry(name, setting, topicValue(name, own, broker), synonyms, false)
  })
}

export function describeBroker(broker: BrokerConfig, names: readonly string[] | null = null): ConfigEntry[] {
  return entries(brokerSettings, names, new Map(), (name, setting) => {
    const synonyms = layersOf(brokerSynonyms(name) as readonly BrokerSetting[], broker)
    // Kafka's rule: what stands before the first value of this very name belongs to another one.
    const first = synonyms.findIndex(synonym => synonym.name === name)
    const own = first < 0 ? [] : synonyms.slice(first)
    return entry(name, setting, broker.text(name as BrokerSetting), own, setting.update === 'never')
  })
}

/** The broker "": only what was set for all brokers at run time. */
export function describeClusterWide(broker: BrokerConfig, names: readonly string[] | null = null): ConfigEntry[] {
  const wanted = [...broker.clusterWide.keys()].filter(name => names === null || names.includes(name))
  return wanted.map(name => {
    const value = broker.clusterWide.get(name)!
    const synonyms = [{ name, value, source: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG }]
    return entry(name, brokerSettings[name as BrokerSetting], value, synonyms, false)
  })
}

export function describeGroup(
  own: Values,
  broker: BrokerConfig,
  names: readonly string[] | null = null,
): ConfigEntry[] {
  const stands: { readonly [name: string]: string } = GROUP_FALLBACKS
  return entries(groupSettings, names, own, (name, setting) => {
    const fallback = stands[name] as BrokerSetting | undefined
    const synonyms = fallback === undefined ? [] : layersOf([fallback], broker)
    const set = own.get(name)
    if (set !== undefined) synonyms.unshift({ name, value: set, source: ConfigSource.GROUP_CONFIG })
    return entry(name, setting, set ?? (fallback && broker.text(fallback)) ?? setting.default, synonyms, false)
  })
}

export function describeClientMetrics(own: Values, names: readonly string[] | null = null): ConfigEntry[] {
  return entries(clientMetricsSettings, names, own, (name, setting) => {
    const set = own.get(name)
    const synonyms: ConfigSynonym[] = []
    if (set !== undefined) synonyms.push({ name, value: set, source: ConfigSource.DYNAMIC_CLIENT_METRICS_CONFIG })
    if (setting.default !== null) synonyms.push({ name, value: setting.default, source: ConfigSource.DEFAULT_CONFIG })
    return entry(name, setting, set ?? setting.default, synonyms, false)
  })
}

function entries(
  settings: { readonly [name: string]: Setting<unknown> },
  names: readonly string[] | null,
  own: Values,
  make: (name: string, setting: Setting<unknown>) => ConfigEntry,
): ConfigEntry[] {
  const found: ConfigEntry[] = []
  for (const name of names ?? Object.keys(settings)) {
    const setting = settingOf(settings, name)
    if (setting !== undefined && (!setting.internal || own.has(name))) found.push(make(name, setting))
  }
  return found
}

/** Each with its own name and unit (`log.retention.hours=168`): synonyms tell where a value came from. */
function topicSynonyms(name: string, broker: BrokerConfig): ConfigSynonym[] {
  return layersOf(fallbacksOf(name).map(each => each.name) as BrokerSetting[], broker)
}

/** Everything set for any of these names, strongest layer first, then their defaults. */
function layersOf(names: readonly BrokerSetting[], broker: BrokerConfig): ConfigSynonym[] {
  const found: ConfigSynonym[] = []
  for (const source of [2, 3, 4]) {
    for (const name of names) {
      for (const given of broker.allGiven(name)) {
        if (SOURCES[given.layer] === source) found.push({ name, value: given.value, source })
      }
    }
  }
  for (const name of names) {
    const value = (brokerSettings[name] as Setting<unknown>).default
    if (value !== null) found.push({ name, value, source: ConfigSource.DEFAULT_CONFIG })
  }
  return found
}

function entry(
  name: string,
  setting: Setting<unknown>,
  value: string | null,
  synonyms: readonly ConfigSynonym[],
  readOnly: boolean,
): ConfigEntry {
  const isSensitive = setting.type === 'password'
  return {
    name,
    value: isSensitive || value === null ? null : canonical(setting, value),
    readOnly,
    configSource: synonyms[0]?.source ?? ConfigSource.DEFAULT_CONFIG,
    isSensitive,
    synonyms: isSensitive ? synonyms.map(synonym => ({ ...synonym, value: null })) : synonyms,
    configType: TYPES[setting.type],
    documentation: setting.doc,
  }
}
