import {
  type BrokerSetting,
  type BrokerValue,
  brokerSettings,
  brokerSynonyms,
  isBrokerSetting,
} from './broker-configs.ts'
import type { Parsed, Setting } from './definition.ts'
import { readValue } from './values.ts'

/** Who set a value, from the weakest to the strongest. */
export const LAYERS = ['default', 'file', 'environment', 'flag', 'cluster', 'broker'] as const
export type Layer = (typeof LAYERS)[number]

/** A value and where it came from. */
export interface Given {
  readonly value: string
  readonly layer: Layer
  /** For people: `server.properties:3`, `KAFKA_NUM_PARTITIONS`, `--port`. */
  readonly origin: string
}

type Values = ReadonlyMap<string, string>
const none: Values = new Map()

/**
 * The settings of one broker: what it was started with, under what was changed at run time for all brokers (`cluster`)
 * and for this one (`broker`). Reading a value is a map look-up; it is always the one in force now.
 */
export class BrokerConfig {
  readonly #given: ReadonlyMap<BrokerSetting, Given>
  #cluster: Values = none
  #broker: Values = none
  readonly #parsed = new Map<BrokerSetting, Parsed>()
  readonly #listeners: (() => void)[] = []

  /** Every given value must be valid (`resolveConfig` sees to it). */
  constructor(given: ReadonlyMap<BrokerSetting, Given>) {
    this.#given = given
  }

  get<Name extends BrokerSetting>(name: Name): BrokerValue<Name> {
    let value = this.#parsed.get(name)
    if (value === undefined) {
      value = parsed(name, this.text(name))
      this.#parsed.set(name, value)
    }
    return value as BrokerValue<Name>
  }

  /** In Kafka's spelling; null when unset. */
  text(name: BrokerSetting): string | null {
    return this.given(name)?.value ?? setting(name).default
  }

  /** Null when nobody set it: the default is in force. */
  given(name: BrokerSetting): Given | null {
    const broker = this.#broker.get(name)
    if (broker !== undefined) return { value: broker, layer: 'broker', origin: 'set at run time for this broker' }
    const cluster = this.#cluster.get(name)
    if (cluster !== undefined) return { value: cluster, layer: 'cluster', origin: 'set at run time for all brokers' }
    return this.#given.get(name) ?? null
  }

  /** Every value that was set for a name, strongest first, the default not included. */
  allGiven(name: BrokerSetting): Given[] {
    const found: Given[] = []
    const broker = this.#broker.get(name)
    if (broker !== undefined) found.push({ value: broker, layer: 'broker', origin: '' })
    const cluster = this.#cluster.get(name)
    if (cluster !== undefined) found.push({ value: cluster, layer: 'cluster', origin: '' })
    const start = this.#given.get(name)
    if (start !== undefined) found.push(start)
    return found
  }

  /** The name among a setting's synonyms whose value is in force: the first that is set, else the first with a default. */
  inForce(name: BrokerSetting): BrokerSetting {
    const names = brokerSynonyms(name) as readonly BrokerSetting[]
    // A change at run time beats what the broker was started with, whatever the spelling.
    for (const layers of [['broker'], ['cluster'], ['flag', 'environment', 'file']]) {
      const set = names.find(each => this.allGiven(each).some(given => layers.includes(given.layer)))
      if (set !== undefined) return set
    }
    return names.find(each => setting(each).default !== null) ?? name
  }

  /** What the metadata log says now (resource "" and this broker's own id). Values that cannot be read are passed over. */
  update(cluster: Values, broker: Values): void {
    this.#cluster = readable(cluster)
    this.#broker = readable(broker)
    this.#parsed.clear()
    for (const run of this.#listeners) run()
  }

  /** Called after every `update`. */
  onUpdate(run: () => void): void {
    this.#listeners.push(run)
  }

  /** Names and values changed at run time for all brokers: what describing the broker "" shows. */
  get clusterWide(): Values {
    return this.#cluster
  }
}

const setting = (name: BrokerSetting): Setting<unknown> => brokerSettings[name]

function parsed(name: BrokerSetting, text: string | null): Parsed {
  if (text === null) return null
  const reading = readValue(name, setting(name), text)
  if ('error' in reading) throw new Error(reading.error)
  return reading.value
}

/** The log may come from a newer release or another broker: what this one does not understand must not stop it. */
function readable(values: Values): Values {
  const good = new Map<string, string>()
  for (const [name, value] of values) {
    if (!isBrokerSetting(name) || setting(name).update === 'never') continue
    if ('value' in readValue(name, setting(name), value)) good.set(name, value)
  }
  return good
}
