import { parseArgs } from 'node:util'
import type { Command } from 'commander'
import { nearest } from '../config/nearest.ts'
import { type ConfigSources, type ResolvedConfig, resolveConfig } from '../config/sources.ts'
import { Failure } from './failure.ts'
import type { Terminal } from './terminal.ts'

/** The flags of `ottla start` and `ottla config`, as commander hands them over. */
export interface StartFlags {
  readonly config?: string
  readonly port?: string
  readonly host?: string
  readonly advertise?: string
  readonly data?: string
  readonly memory?: boolean
  readonly flush?: string
  readonly httpPort?: string
  readonly grpcPort?: string
  readonly doors?: string
  readonly roles?: string
  readonly join?: string
  readonly token?: string
  readonly orderer?: string
  readonly set?: readonly string[]
  readonly override?: readonly string[]
}

interface StartOption {
  /** As commander gives it: `http-port` is `httpPort`. */
  readonly name: keyof StartFlags
  readonly short?: string
  /** Left out: a switch. */
  readonly value?: string
  readonly multiple?: boolean
  readonly hidden?: boolean
  readonly help: string
}

const spelling = (name: string, between = '-') => name.replace(/[A-Z]/g, letter => between + letter.toLowerCase())

/** The flags that `start` and `config` share. */
const START_OPTIONS: readonly StartOption[] = [
  { name: 'port', short: 'p', value: '<port>', help: 'port to listen on; 0: any free one (default 9092)' },
  { name: 'host', value: '<host>', help: 'address to listen on; 0.0.0.0: every interface (default localhost)' },
  {
    name: 'advertise',
    value: '<host[:port]>',
    help: 'what clients are told; default: the address at which they reached us',
  },
  { name: 'data', short: 'd', value: '<folder>', help: 'where the data is kept (default ./ottla-data)' },
  { name: 'memory', help: 'keep nothing' },
  {
    name: 'flush',
    value: '<when>',
    help: 'what an acknowledgement means: ack (on disk, default) or os (as Apache Kafka)',
  },
  { name: 'httpPort', value: '<port>', help: 'a port for HTTP alone; it is served on the common port anyway' },
  { name: 'grpcPort', value: '<port>', help: 'a port for gRPC alone' },
  { name: 'doors', value: '<list>', help: 'what the common port serves (default kafka,http,grpc)' },
  { name: 'roles', value: '<what>', help: 'gateway: no data, all doors for the cluster at --join (default all)' },
  {
    name: 'join',
    value: '<host:port,…>',
    help: 'become a node of the cluster that these are of; needs --token or OTTLA_TOKEN',
  },
  {
    name: 'token',
    value: '<token>',
    help: "the cluster's secret: the file join-token in the data of any of its nodes",
  },
  { name: 'orderer', value: '<where>', help: 'who puts the metadata in order: raft (default) or redis://host:port' },
  {
    name: 'config',
    short: 'c',
    value: '<file>',
    help: "settings in Java's properties format, such as Kafka's server.properties",
  },
  {
    name: 'set',
    short: 's',
    value: '<key=value>',
    multiple: true,
    help: 'any setting of Kafka or ottla; may be repeated',
  },
  {
    name: 'override',
    value: '<key=value>',
    multiple: true,
    hidden: true,
    help: "as --set (kafka-server-start's spelling)",
  },
]

const collect = (value: string, before: readonly string[] = []) => [...before, value]

export function startFlags(command: Command): Command {
  for (const { name, short, value, multiple, hidden, help } of START_OPTIONS) {
    const long = `--${spelling(name)}`
    const flags = [short === undefined ? long : `-${short}, ${long}`, value].filter(Boolean).join(' ')
    const option = command.createOption(flags, help)
    if (multiple === true) option.argParser(collect)
    if (hidden === true) option.hideHelp()
    command.addOption(option)
  }
  return command
}

/** The same flags without loading a parser that knows everything; null: let that one see (and say) what is wrong. */
export function quickFlags(args: readonly string[]): StartFlags | null {
  const options = Object.fromEntries(
    START_OPTIONS.map(({ name, short, value, multiple = false }) => {
      const type: 'string' | 'boolean' = value === undefined ? 'boolean' : 'string'
      return [spelling(name), short === undefined ? { type, multiple } : { type, multiple, short }]
    }),
  )
  try {
    const { values } = parseArgs({ args: [...args], options })
    return Object.fromEntries(START_OPTIONS.map(({ name }) => [name, values[spelling(name)]])) as StartFlags
  } catch {
    return null
  }
}

/** Flags that are settings: `--http-port` is `http.port`. */
const SHORT = [
  'port',
  'host',
  'advertise',
  'data',
  'flush',
  'httpPort',
  'grpcPort',
  'doors',
  'roles',
  'join',
  'token',
  'orderer',
] as const

/** Reads the file and the environment, lays the flags over them. */
export function settingsOf(flags: StartFlags, terminal: Terminal): ResolvedConfig {
  const path = flags.config ?? terminal.env.OTTLA_CONFIG
  const sources: ConfigSources = {
    env: terminal.env,
    flags: flagSettings(flags),
    ...(path === undefined ? {} : { file: { path, text: terminal.world.disk.readFile(path).toString('utf8') } }),
  }
  return resolveConfig(sources)
}

function flagSettings(flags: StartFlags): NonNullable<ConfigSources['flags']> {
  if (flags.memory === true && flags.data !== undefined) throw new Failure('--memory and --data exclude each other', 2)
  const settings = []
  for (const name of SHORT) {
    const value = flags[name]
    if (value !== undefined) settings.push({ name: spelling(name, '.'), value, origin: `--${spelling(name)}` })
  }
  if (flags.memory === true) settings.push({ name: 'data', value: 'memory', origin: '--memory' })
  for (const pair of [...(flags.override ?? []), ...(flags.set ?? [])]) {
    const [, name, value] = /^([^=]+)=([\s\S]*)$/.exec(pair) ?? []
    if (name === undefined || value === undefined) throw new Failure(`--set ${pair}: say --set key=value`, 2)
    settings.push({ name: name.trim(), value, origin: '--set' })
  }
  return settings
}

/** For a typing error among a few words. */
export function suggestion(wrong: string, words: readonly string[]): string {
  const word = nearest(wrong, words)
  return word === null ? '' : `; did you mean ${word}?`
}
