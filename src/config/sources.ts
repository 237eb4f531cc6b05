import { type Address, type Endpoint, type Endpoints, readAddress, readListeners } from './addresses.ts'
import { BrokerConfig, type Given, LAYERS, type Layer } from './broker-config.ts'
import { type BrokerSetting, brokerSettings, isBrokerSetting, withoutListener } from './broker-configs.ts'
import type { Setting } from './definition.ts'
import { readEnvironment } from './environment.ts'
import { readProperties } from './properties.ts'
import { readRedisEnvironment } from './redis-environment.ts'
import { validate } from './validate.ts'
import { canonical, readValue } from './values.ts'

/** Everything that a broker's settings are made of, read by the caller: this floor touches neither files nor process.env. */
export interface ConfigSources {
  readonly file?: { readonly path: string; readonly text: string }
  readonly env?: Readonly<Record<string, string | undefined>>
  /** From the command line or the embedding program; `origin` as a person would name it (`--port`). */
  readonly flags?: readonly { readonly name: string; readonly value: string; readonly origin: string }[]
}

/** What a broker starts with. */
export interface ResolvedConfig {
  readonly config: BrokerConfig
  /** Where to listen. One entry for each address; `localhost` is two. */
  readonly endpoints: readonly Endpoint[]
  /** What clients of a listener are told, by its name; a listener without an entry tells the address it was reached at. */
  readonly advertised: ReadonlyMap<string, Address>
  /** Folder of the data; null: keep nothing (`memory`). */
  readonly dataDirectory: string | null
  /** Sentences for the log. */
  readonly warnings: readonly string[]
}

/** Something that is wrong with what the user gave; `message` says what, where, and what to do. Never a bug. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Lays the sources over the defaults: file, then environment, then flags. Throws ConfigError with every problem, a line each. */
export function resolveConfig(sources: ConfigSources): ResolvedConfig {
  const layers = new Layers()
  if (sources.file !== undefined) {
    for (const { key, value, line } of readProperties(sources.file.text)) {
      layers.set(key, value, 'file', `${sources.file.path}:${line}`)
    }
  }
  if (sources.env !== undefined) {
    const reading = readEnvironment(sources.env)
    for (const { name, value, variable } of reading.settings) layers.set(name, value, 'environment', variable)
    layers.warnings.push(...reading.warnings)
    layers.errors.push(...reading.errors)
  }
  for (const { name, value, origin } of sources.flags ?? []) layers.set(name, value, 'flag', origin)
  layers.throwErrors()
  if (layers.text('orderer').startsWith('redis')) settleRedis(layers, sources.env ?? {})
  return settle(layers)
}

class Layers {
  readonly given = new Map<BrokerSetting, Given>()
  readonly warnings: string[] = []
  readonly errors: string[] = []

  set(name: string, value: string, layer: Layer, origin: string): void {
    const plain = withoutListener(name)
    const problem = validate('setting', brokerSettings, plain, value)
    if (problem !== null) {
      this.errors.push(`${origin}: ${problem.replace('Unknown setting config name:', 'unknown setting')}`)
      return
    }
    if (!isBrokerSetting(plain) || plain !== name) return
    const setting: Setting<unknown> = brokerSettings[plain]
    if (setting.status === 'read-only' && canonical(setting, value) !== (setting.default ?? '')) {
      this.warnings.push(`${origin}: ${name}=${value} has no effect. ${setting.doc}`)
    }
    this.given.set(plain, { value: value.trim(), layer, origin })
  }

  rank(name: BrokerSetting): number {
    return LAYERS.indexOf(this.given.get(name)?.layer ?? 'default')
  }

  /** The name, of two that mean the same, that was set on the higher layer; `first` when on the same one. */
  stronger(first: BrokerSetting, second: BrokerSetting): BrokerSetting {
    return this.rank(second) > this.rank(first) ? second : first
  }

  text(name: BrokerSetting): string {
    return this.given.get(name)?.value ?? (brokerSettings[name] as Setting<unknown>).default ?? ''
  }

  list(name: BrokerSetting): readonly string[] {
    const reading = readValue(name, brokerSettings[name], this.text(name))
    return 'value' in reading ? (reading.value as readonly string[]) : []
  }

  throwErrors(): void {
    if (this.errors.length > 0) throw new ConfigError(this.errors.join('\n'))
  }
}

/** Ties together what has two names, so that each of them shows the value in force. */
function settle(layers: Layers): ResolvedConfig {
  copy(layers, layers.stronger('node.id', 'broker.id'), 'node.id')
  copy(layers, 'node.id', 'broker.id')
  const endpoints = settleListeners(layers)
  const dataDirectory = settleData(layers)
  const advertised = settleAdvertised(layers, endpoints)
  layers.throwErrors()
  return { config: new BrokerConfig(layers.given), endpoints, advertised, dataDirectory, warnings: layers.warnings }
}

/** Variables with common names, which mean us only with such an orderer. What was said to us by name is stronger. */
function settleRedis(layers: Layers, env: Readonly<Record<string, string | undefined>>): void {
  const reading = readRedisEnvironment(env, layers.text('orderer'))
  layers.errors.push(...reading.errors)
  for (const { name, value, variable } of reading.settings) {
    const given = layers.stronger(name as BrokerSetting, name === 'node.id' ? 'broker.id' : (name as BrokerSetting))
    if (name === 'orderer' || !layers.given.has(given)) layers.set(name, value, 'environment', variable)
  }
  layers.throwErrors()
}

function listenersOf(layers: Layers, name: 'listeners' | 'advertised.listeners'): Endpoints {
  const reading = readListeners(
    layers.text(name),
    layers.text('listener.security.protocol.map'),
    layers.list('controller.listener.names'),
  )
  if ('error' in reading) layers.errors.push(`${layers.given.get(name)!.origin}: ${reading.error}`)
  return reading
}

function settleListeners(layers: Layers): readonly Endpoint[] {
  const short = layers.stronger('host', 'port')
  if (layers.given.has('listeners') && layers.stronger('listeners', short) === 'listeners') {
    const reading = listenersOf(layers, 'listeners')
    return 'endpoints' in reading ? reading.endpoints : []
  }
  const port = Number(layers.text('port'))
  const hosts = layers.list('host').map(host => (host === '*' ? '' : host.replace(/^\[(.*)\]$/, '$1')))
  const shown = hosts.map(host => `PLAINTEXT://${host.includes(':') ? `[${host}]` : host}:${port}`).join(',')
  const origin = layers.given.get(short)
  layers.given.set('listeners', { value: shown, layer: origin?.layer ?? 'default', origin: origin?.origin ?? '' })
  return hosts.map(host => ({ name: 'PLAINTEXT', host, port }))
}

function settleAdvertised(layers: Layers, endpoints: readonly Endpoint[]): ReadonlyMap<string, Address> {
  const told = new Map<string, Address>()
  const name = layers.stronger('advertise', 'advertised.listeners')
  if (!layers.given.has(name)) return told
  if (name === 'advertised.listeners') {
    const reading = listenersOf(layers, name)
    if ('endpoints' in reading) for (const { name, host, port } of reading.endpoints) told.set(name, { host, port })
    return told
  }
  const text = layers.text('advertise')
  if (text === 'auto') return told
  for (const endpoint of endpoints) {
    const address = readAddress(text, endpoint.port)
    if (address !== null) told.set(endpoint.name, address)
    else layers.errors.push(`${layers.given.get(name)!.origin}: advertise must be auto, host or host:port, not ${text}`)
  }
  return told
}

function settleData(layers: Layers): string | null {
  const kafkas = layers.stronger('log.dirs', 'log.dir')
  const name = layers.stronger('data', kafkas)
  const folder = name === 'data' ? layers.text('data') : (layers.list(name)[0] ?? '')
  if (name !== 'data' && layers.list(name).length > 1) {
    layers.errors.push(`${layers.given.get(name)!.origin}: ottla keeps its data in one folder; ${name} names several`)
  }
  const given = layers.given.get(name)
  const shown = { layer: given?.layer ?? ('default' as const), origin: given?.origin ?? '' }
  for (const each of ['data', 'log.dirs', 'log.dir'] as const) layers.given.set(each, { value: folder, ...shown })
  return folder === 'memory' ? null : folder
}

function copy(layers: Layers, from: BrokerSetting, to: BrokerSetting): void {
  const given = layers.given.get(from)
  if (given !== undefined) layers.given.set(to, given)
}
