import type { Command } from 'commander'
import { connectFlags } from '../connect.ts'
import type { Terminal } from '../terminal.ts'
import { inherit } from './topics.ts'

/** What its sub-commands do is in `../nodes/`, each loaded when asked for. */
export function define(command: Command, terminal: Terminal): void {
  command.description('The nodes of a cluster: who is there, who does what, what is on the move.').helpCommand(false)
  const sub = (name: string, summary: string) =>
    connectFlags(inherit(command, command.command(name).summary(summary).description(summary)))
  const change = async () => import('../nodes/change.ts')

  sub('list', 'nodes, what they lead and hold, voters, and moves under way')
    .option('--json', 'as one JSON object a line')
    .action(async flags => (await import('../nodes/list.ts')).list(flags, terminal))

  sub('drain', 'move everything away from a node, so that it can be stopped for good')
    .argument('<node>', 'its number')
    .option('--no-wait', 'begin, and do not wait for the end')
    .action(async (node, flags) => (await change()).drain(node, flags, terminal))

  sub('undrain', 'let a node have its share again')
    .argument('<node>', 'its number')
    .action(async (node, flags) => (await change()).undrain(node, flags, terminal))

  sub('remove', 'forget a node that was stopped and will not come back')
    .argument('<node>', 'its number')
    .action(async (node, flags) => (await change()).remove(node, flags, terminal))

  sub('replace', 'a node is gone for good: make what it held elsewhere, then forget it')
    .argument('<node>', 'its number')
    .option('--no-wait', 'begin, and do not wait for the end')
    .action(async (node, flags) => (await change()).replace(node, flags, terminal))
}
