import type { Command } from 'commander'
import { connectFlags } from '../connect.ts'
import { collect } from '../pairs.ts'
import type { Terminal } from '../terminal.ts'
import { inherit } from './topics.ts'

const defaults = { nodes: '3', port: '9092', data: './ottla-cluster' }

/** What its sub-commands do is in `../cluster/`, each loaded when asked for. */
export function define(command: Command, terminal: Terminal): void {
  command.description('Run a cluster on this machine, or describe one.').helpCommand(false)
  const sub = (name: string, summary: string) =>
    inherit(command, command.command(name).summary(summary).description(summary))

  sub('up', 'run a cluster of local processes, for trying out')
    .option('-n, --nodes <count>', 'how many (default 3)')
    .option('-p, --port <port>', 'of the first node; the others take the next ones (default 9092)')
    .option('-d, --data <folder>', 'where they keep their data (default ./ottla-cluster)')
    .option('--memory', 'keep nothing')
    .option('-s, --set <key=value>', 'a setting for all nodes; may be repeated', collect)
    .action(async flags => (await import('../cluster/up.ts')).up({ ...defaults, ...flags }, terminal))

  connectFlags(sub('describe', 'id, controller, voters and nodes'))
    .option('--json', 'as one JSON object')
    .action(async flags => (await import('../cluster/describe.ts')).describe(flags, terminal))
}
