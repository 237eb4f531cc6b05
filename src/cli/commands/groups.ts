import { type Command, Option } from 'commander'
import { connectFlags } from '../connect.ts'
import { collect } from '../pairs.ts'
import type { Terminal } from '../terminal.ts'
import { inherit } from './topics.ts'

/** What its sub-commands do is in `../groups/`, each loaded when asked for. */
export function define(command: Command, terminal: Terminal): void {
  command.description('List, describe, move and delete consumer groups.').helpCommand(false)
  const hidden = (flags: string) => new Option(flags).hideHelp()
  const sub = (name: string, summary: string) =>
    connectFlags(inherit(command, command.command(name).summary(summary).description(summary)))
  const withGroups = (name: string, summary: string) =>
    sub(name, summary)
      .argument('[group...]', 'names')
      .option('-g, --group <name>', 'the same as an argument; may be repeated', collect)

  sub('list', 'names and states of all groups')
    .option('--state [states]', 'only groups in these states (Stable, Empty, …)')
    .option('--type [types]', 'only groups of these types (classic, consumer, share)')
    .option('--json', 'as one JSON object a line')
    .action(async flags => (await import('../groups/list.ts')).list(flags, terminal))

  withGroups('describe', 'what each group has read, how far behind it is, and who its members are')
    .option('--all-groups', 'every group')
    .option('--offsets', 'offsets and lag (the default)')
    .option('--members', 'members and their partitions')
    .option('--state', 'state, coordinator, number of members')
    .option('--json', 'as one JSON object a line')
    .addOption(hidden('--verbose'))
    .addOption(hidden('--timeout <ms>'))
    .action(async (names, flags) => (await import('../groups/describe.ts')).describe(names, flags, terminal))

  withGroups('reset-offsets', 'move a group that has no members; a preview unless --execute is given')
    .option('-t, --topic <name[:0,1]>', 'only this topic, or these of its partitions; may be repeated', collect)
    .option('--all-topics', 'every topic that the group has read (the default)')
    .option('--to-earliest', 'to the oldest message')
    .option('--to-latest', 'to the end')
    .option('--to-offset <offset>', 'to this offset')
    .option('--to-current', 'to where it is, within what is still there')
    .option('--to-datetime <time>', 'to the first message of that time: 2026-01-31T12:00:00.000, or 15m, 2h ago')
    .option('--by-duration <duration>', 'to the first message since: PT1H, P1D')
    .option('--shift-by <count>', 'forwards, or backwards with a minus')
    .option('--from-file <file>', 'as lines of topic,partition,offset say')
    .option('--execute', 'do it')
    .option('--dry-run', 'only show it (the default)')
    .option('--export', 'print lines for --from-file')
    .addOption(hidden('--all-groups'))
    .addOption(hidden('--timeout <ms>'))
    .action(async (names, flags) => (await import('../groups/reset.ts')).reset(names, flags, terminal))

  withGroups('delete', 'forget groups that have no members, with their offsets')
    .option('--all-groups', 'every group')
    .addOption(hidden('--timeout <ms>'))
    .action(async (names, flags) => (await import('../groups/remove.ts')).remove(names, flags, terminal))

  withGroups('delete-offsets', 'forget what a group has read of a topic')
    .option('-t, --topic <name[:0,1]>', 'of this topic, or these of its partitions; may be repeated', collect)
    .addOption(hidden('--timeout <ms>'))
    .action(async (names, flags) => (await import('../groups/remove.ts')).removeOffsets(names, flags, terminal))
}
