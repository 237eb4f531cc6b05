import type { Command } from 'commander'
import { Option } from 'commander'
import { connectFlags } from '../connect.ts'
import { collect } from '../pairs.ts'
import type { Terminal } from '../terminal.ts'

export function define(command: Command, terminal: Terminal): void {
  const hidden = (flags: string, help = '') => new Option(flags, help).hideHelp()
  connectFlags(command)
    .description('Send messages. Without -m, each line of standard input (or of the files) is one.')
    .argument('[topic]', 'where to')
    .argument('[file...]', 'read messages from these instead of standard input')
    .option('-t, --topic <name>', 'the same as the argument')
    .option('-m, --message <text>', 'a message; may be repeated', collect)
    .option('-k, --key <text>', 'the key of every message')
    .option('-H, --header <name=value>', 'a header of every message; may be repeated', collect)
    .option('-p, --partition <number>', 'the partition of every message (default: chosen by key)')
    .option('-K, --key-delimiter <text>', 'lines begin with a key, up to this')
    .option('-D, --delimiter <text>', 'between messages (default: end of line)')
    .option('--json', 'each line is a JSON object: {"key":…,"value":…,"headers":…}')
    .option('-Z, --null', 'an empty value (or key) is null')
    .option('-z, --compression <codec>', 'none, gzip, snappy, lz4 or zstd')
    .option('-a, --acks <0|1|all>', 'who must have a message before it counts (default all)')
    .option('-c, --count <number>', 'stop after so many')
    .option('-q, --quiet', 'say nothing on success')
    .option('--reader-property <key=value>', "Kafka's parse.key, key.separator, parse.headers, null.marker, …", collect)
    .addOption(hidden('-l, --lines'))
    .addOption(hidden('--property <key=value>').argParser(collect))
    .addOption(hidden('--compression-codec [codec]'))
    .addOption(hidden('--request-required-acks <acks>'))
    .addOption(hidden('--producer-property <key=value>').argParser(collect))
    .addOption(hidden('--producer.config <file>'))
    .addOption(hidden('--batch-size <bytes>'))
    .addOption(hidden('--timeout <ms>'))
    .addOption(hidden('--sync'))
    .addOption(hidden('--line-reader <class>'))
    .addOption(hidden('--max-block-ms <ms>'))
    .addOption(hidden('--request-timeout-ms <ms>'))
    .addOption(hidden('--message-send-max-retries <count>'))
    .addOption(hidden('--retry-backoff-ms <ms>'))
    .addOption(hidden('--max-memory-bytes <bytes>'))
    .addOption(hidden('--max-partition-memory-bytes <bytes>'))
    .addOption(hidden('--metadata-expiry-ms <ms>'))
    .addOption(hidden('--socket-buffer-size <bytes>'))
    .addHelpText('after', EXAMPLES)
    .action(async (topic, files, flags) => (await import('../produce.ts')).produce(topic, files, flags, terminal))
}

const EXAMPLES = `
Examples:
  ottla produce greetings -m 'Hello, Kafka!'
  ottla produce orders -k 42 -H source=shop -m '{"total":7}'
  tail -f access.log | ottla produce access
  printf 'a:1\\nb:2\\n' | ottla produce orders -K :
  ottla consume orders --json -e | ottla produce copy --json
`
