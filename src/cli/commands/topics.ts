import { type Command, Option } from 'commander'
import { connectFlags } from '../connect.ts'
import { collect } from '../pairs.ts'
import type { Terminal } from '../terminal.ts'

/** What its sub-commands do is in `../topics/`, each loaded when asked for. */
export function define(command: Command, terminal: Terminal): void {
  command.description('List, create, describe, alter and delete topics.').helpCommand(false)
  const sub = (name: string, summary: string, topics = 'names, or regular expressions') =>
    connectFlags(inherit(command, command.command(name).summary(summary).description(summary)))
      .argument('[topic...]', topics)
      .option('-t, --topic <name>', 'the same as an argument; may be repeated', collect)

  sub('list', 'names of all topics')
    .option('--exclude-internal', 'without those that the broker keeps for itself')
    .option('--json', 'as one JSON object a line')
    .action(async (names, flags) => (await import('../topics/list.ts')).list(names, flags, terminal))

  sub('describe', 'partitions, leaders, offsets and settings')
    .option('--exclude-internal', 'without those that the broker keeps for itself')
    .option('--under-replicated-partitions', 'only partitions whose copies lag behind')
    .option('--unavailable-partitions', 'only partitions without a leader')
    .option('--json', 'as one JSON object a line')
    .action(async (names, flags) => (await import('../topics/list.ts')).describe(names, flags, terminal))

  sub('create', 'make topics', 'names')
    .option('-p, --partitions <count>', "how many partitions (default: the broker's num.partitions)")
    .option('--replication-factor <count>', "how many copies (default: the broker's default.replication.factor)")
    .option('--replica-assignment <list>', 'brokers of each partition: 1:2,2:3,…')
    .option('-c, --config <key=value>', 'a setting of the topic; may be repeated', collect)
    .option('--if-not-exists', 'an existing topic is no error')
    .action(async (names, flags) => (await import('../topics/change.ts')).create(names, flags, terminal))

  sub('alter', 'add partitions, change settings')
    .option('-p, --partitions <count>', 'how many partitions there shall be in all')
    .option('-c, --config <key=value>', 'a setting of the topic; may be repeated', collect)
    .addOption(new Option('--add-config <key=value>').argParser(collect).hideHelp())
    .option('--delete-config <key>', 'a setting that falls back to the default; may be repeated', collect)
    .option('--if-exists', 'a missing topic is no error')
    .action(async (names, flags) => (await import('../topics/change.ts')).alter(names, flags, terminal))

  sub('delete', 'remove topics with all their messages')
    .option('--if-exists', 'a missing topic is no error')
    .action(async (names, flags) => (await import('../topics/change.ts')).remove(names, flags, terminal))
}

/** Sub-commands speak as their parent does. */
export function inherit(parent: Command, command: Command): Command {
  return command.copyInheritedSettings(parent)
}
