import { type Command, Option } from 'commander'
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
  readonly set?: readonly string[]
  readonly override?: readonly string[]
}

const collect = (value: string, before: readonly string[] = []) => [...before, value]

/** The flags that `start` and `config` share. */
export function startFlags(command: Command): Command {
  return command
    .option('-p, --port <port>', 'port to listen on; 0: any free one (default 9092)')
    .option('--host <host>', 'address to listen on; 0.0.0.0: every interface (default localhost)')
    .option('--advertise <host[:port]>', 'what clients are told; default: the address at which they reached us')
    .option('-d, --data <folder>', 'where the data is kept (default ./ottla-data)')
    .option('--memory', 'keep nothing')
    .option('--flush <when>', 'what an acknowledgement means: ack (on disk, default) or os (as Apache Kafka)')
    .option('-c, --config <file>', "settings in Java's properties format, such as Kafka's server.properties")
    .option('-s, --set <key=value>', 'any setting of Kafka or ottla; may be repeated', collect)
    .addOption(
      new Option('--override <key=value>', "as --set (kafka-server-start's spelling)").argParser(collect).hideHelp(),
    )
}

const SHORT = ['port', 'host', 'advertise', 'data', 'flush'] as const

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
    if (value !== undefined) settings.push({ name, value, origin: `--${name}` })
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
