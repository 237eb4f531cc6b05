import type { Command } from 'commander'
import type { Terminal } from './terminal.ts'

/** A command's file: it declares its flags and says what to do. Loaded only when it is asked for. */
export interface CommandModule {
  define(command: Command, terminal: Terminal): void
}

export interface CommandEntry {
  readonly name: CommandName
  /** What Kafka's tools and the older spelling call it. */
  readonly aliases: readonly string[]
  readonly summary: string
  readonly load: () => Promise<CommandModule>
}

export type CommandName = 'start' | 'config' | 'topics' | 'produce' | 'consume' | 'groups' | 'nodes' | 'cluster'

export const commands: readonly CommandEntry[] = [
  {
    name: 'start',
    aliases: ['server-start'],
    summary: 'run a broker (what `ottla` alone does)',
    load: () => import('./commands/start.ts'),
  },
  {
    name: 'config',
    aliases: [],
    summary: 'print each setting, its value, and where it came from',
    load: () => import('./commands/config.ts'),
  },
  {
    name: 'topics',
    aliases: ['topic'],
    summary: 'list, create, describe, alter and delete topics',
    load: () => import('./commands/topics.ts'),
  },
  {
    name: 'produce',
    aliases: ['producer', 'console-producer'],
    summary: 'send messages: from the command line, lines, or JSON',
    load: () => import('./commands/produce.ts'),
  },
  {
    name: 'consume',
    aliases: ['consumer', 'console-consumer'],
    summary: 'print messages as text, in a format of your own, or as JSON',
    load: () => import('./commands/consume.ts'),
  },
  {
    name: 'groups',
    aliases: ['group', 'consumer-groups'],
    summary: 'list, describe (with lag), move and delete consumer groups',
    load: () => import('./commands/groups.ts'),
  },
  {
    name: 'nodes',
    aliases: ['node'],
    summary: 'list the nodes of a cluster, drain, remove and replace them',
    load: () => import('./commands/nodes.ts'),
  },
  {
    name: 'cluster',
    aliases: [],
    summary: 'run a cluster on this machine, or describe one',
    load: () => import('./commands/cluster.ts'),
  },
]

export function commandNamed(word: string | undefined): CommandName | null {
  const plain = word?.replace(/^kafka-/, '').replace(/\.sh$/, '')
  return commands.find(({ name, aliases }) => name === plain || aliases.includes(plain ?? ''))?.name ?? null
}

const ABOUT_US = ['-h', '--help', '-V', '--version', 'help']

/** `ottla --port 1` means `ottla start --port 1`; `ottla kafka-topics.sh --list` means `ottla topics list`. */
export function routed(args: readonly string[]): string[] {
  const [first, ...rest] = args
  if (first === undefined) return ['start']
  if (first.startsWith('-')) return ABOUT_US.includes(first) ? [...args] : ['start', ...args]
  if (first === 'kcat' || first === 'kafkacat') return fromKcat(rest)
  const name = commandNamed(first)
  if (name === null) return [...args]
  if (name === 'nodes' && (rest[0]?.startsWith('-') ?? true) && !rest.includes('--help') && !rest.includes('-h'))
    return [name, 'list', ...rest]
  return name === 'topics' || name === 'groups' ? [name, ...withAction(name, rest)] : [name, ...rest]
}

const ACTIONS = {
  topics: ['list', 'create', 'describe', 'alter', 'delete'],
  groups: ['list', 'describe', 'reset-offsets', 'delete', 'delete-offsets'],
} as const

/** Kafka's tools spell the action as a flag, anywhere: `--describe --topic t`. */
function withAction(name: 'topics' | 'groups', args: readonly string[]): string[] {
  if (args[0] !== undefined && !args[0].startsWith('-')) return [...args]
  const action = ACTIONS[name].find(each => args.includes(`--${each}`))
  if (action === undefined) return args.length === 0 ? ['list'] : [...args]
  return [action, ...args.filter(arg => arg !== `--${action}`)]
}

/** kcat says what to do by a letter: -P produces, -C consumes, -L lists. */
function fromKcat(args: readonly string[]): string[] {
  const without = (mode: string) => args.filter(arg => arg !== mode)
  if (args.includes('-P')) return ['produce', ...without('-P')]
  if (args.includes('-L')) return ['topics', 'describe', ...without('-L')]
  // kcat begins at the beginning, Kafka's consumer at the end.
  const start = args.some(arg => arg.startsWith('-o') || arg === '-G') ? [] : ['-o', 'beginning']
  return ['consume', ...start, ...without('-C')]
}
