import { type Command, Option } from 'commander'
import { connectFlags } from '../connect.ts'
import { collect } from '../pairs.ts'
import type { Terminal } from '../terminal.ts'

export function define(command: Command, terminal: Terminal): void {
  const hidden = (flags: string, help = '') => new Option(flags, help).hideHelp()
  connectFlags(command)
    .description('Print messages: those to come, or from wherever you say.')
    .argument('[topic...]', 'names, or regular expressions')
    .option('-t, --topic <name>', 'the same as an argument; may be repeated', collect)
    .option('--from-beginning', 'from the oldest message on (with a group: where it has not committed)')
    .option('-o, --offset <where>', 'beginning, end, a number, -N (the last N), s@TIME, e@TIME (stop)', collect)
    .option('--since <time>', 'from that time on: 15m, 2h, 2026-01-31T12:00:00')
    .option('--until <time>', 'stop at that time')
    .option('-p, --partition <number>', 'only this partition; may be repeated', collect)
    .option('-G, --group <name>', 'share the work with the others of a group, and commit')
    .option('-c, --max-messages <count>', 'stop after so many')
    .option('-e, --exit', 'stop at the end instead of waiting for more')
    .option('--timeout-ms <ms>', 'stop when nothing came for so long')
    .option('-f, --format <format>', "kcat's: %t %p %o %k %s %h %T %K %S %R \\n \\t")
    .option('--json', 'one JSON object a line')
    .option('-J', "the same in kcat's form")
    .option('-K, --key-delimiter <text>', 'print keys, too, and this after them')
    .option('-D, --delimiter <text>', 'after each message (default: end of line)')
    .option('-Z, --null', 'print NULL for null')
    .option('-q, --quiet', 'no word about progress')
    .option('--isolation-level <level>', 'read_committed or read_uncommitted (default)')
    .option('--formatter-property <key=value>', "Kafka's print.key, print.timestamp, key.separator, …", collect)
    .addOption(hidden('-u, --unbuffered'))
    .addOption(hidden('--include <pattern>').argParser(collect))
    .addOption(hidden('--whitelist <pattern>').argParser(collect))
    .addOption(hidden('--property <key=value>').argParser(collect))
    .addOption(hidden('--consumer-property <key=value>').argParser(collect))
    .addOption(hidden('--consumer.config <file>'))
    .addOption(hidden('--formatter <class>'))
    .addOption(hidden('--formatter-config <file>'))
    .addOption(hidden('--key-deserializer <class>'))
    .addOption(hidden('--value-deserializer <class>'))
    .addOption(hidden('--skip-message-on-error'))
    .addOption(hidden('--enable-systest-events'))
    .addHelpText('after', EXAMPLES)
    .action(async (topics, flags) => (await import('../consume.ts')).consume(topics, flags, terminal))
}

const EXAMPLES = `
Examples:
  ottla consume greetings --from-beginning
  ottla consume orders -o -10 -f '%p:%o %k = %s\\n'      the last ten of each partition
  ottla consume orders --since 15m -e --json | jq .value
  ottla consume orders -G billing                       as a member of a group
`
