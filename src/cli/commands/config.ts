import type { Command } from 'commander'
import { type BrokerSetting, brokerSettings, isBrokerSetting } from '../../config/broker-configs.ts'
import type { Setting } from '../../config/definition.ts'
import type { ResolvedConfig } from '../../config/sources.ts'
import { Failure } from '../failure.ts'
import { type StartFlags, settingsOf, startFlags, suggestion } from '../settings.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'

interface Flags extends StartFlags {
  readonly changed?: boolean
  readonly json?: boolean
}

export function define(command: Command, terminal: Terminal): void {
  startFlags(command)
    .argument('[setting...]', 'only these')
    .option('--changed', 'only what differs from the defaults')
    .option('--json', 'as one JSON object a line')
    .action((names: string[], flags: Flags) => print(names, flags, terminal))
}

interface Line {
  readonly name: BrokerSetting
  readonly value: string | null
  readonly from: string
  readonly status: string
  readonly documentation: string
}

function print(names: readonly string[], flags: Flags, terminal: Terminal): void {
  const resolved = settingsOf(flags, terminal)
  const lines = wanted(names).map(name => lineOf(name, resolved))
  const shown = flags.changed === true ? lines.filter(line => line.from !== 'default') : lines
  for (const warning of resolved.warnings)
    terminal.stderr.write(`${terminal.errorPaint.yellow('warning:')} ${warning}\n`)
  if (flags.json === true) {
    for (const line of shown) terminal.stdout.write(`${JSON.stringify(line)}\n`)
    return
  }
  if (shown.length === 0) {
    terminal.stderr.write('nothing was changed: every setting has its default\n')
    return
  }
  const { bold, dim, cyan } = terminal.paint
  const rows = shown.map(({ name, value, from, status }) => {
    const set = from !== 'default'
    const note = status === 'honoured' ? '' : `  (${status})`
    return [set ? bold(name) : name, set ? cyan(value ?? '') : (value ?? ''), dim(from + note)]
  })
  terminal.stdout.write(table(['setting', 'value', 'from'], rows, terminal))
  if (names.length > 0) {
    for (const { name, documentation } of shown) terminal.stdout.write(`\n${bold(name)}: ${documentation}\n`)
  }
}

function wanted(names: readonly string[]): readonly BrokerSetting[] {
  const all = Object.keys(brokerSettings) as BrokerSetting[]
  for (const name of names) {
    if (!isBrokerSetting(name)) throw new Failure(`unknown setting ${name}${suggestion(name, all)}`, 2)
  }
  if (names.length > 0) return names as BrokerSetting[]
  return all.filter(name => !(brokerSettings[name] as Setting<unknown>).internal).sort()
}

function lineOf(name: BrokerSetting, { config }: ResolvedConfig): Line {
  const setting: Setting<unknown> = brokerSettings[name]
  const value = config.text(name)
  return {
    name,
    value: setting.type === 'password' && value !== null ? '[hidden]' : value,
    from: config.given(name)?.origin || 'default',
    status: setting.status,
    documentation: setting.doc,
  }
}
