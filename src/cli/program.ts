import { Command } from 'commander'
import { Failure } from './failure.ts'
import { commandNamed, commands } from './routing.ts'
import { suggestion } from './settings.ts'
import type { Terminal } from './terminal.ts'
import { version } from './version.ts'

/** Understands a whole command line and runs what it asks for. Throws CommanderError for one that is wrong. */
export async function dispatch(args: readonly string[], terminal: Terminal): Promise<void> {
  const program = root(terminal)
  const word = args[0] === 'help' ? args[1] : args[0]
  const asked = commandNamed(word)
  if (asked === null && word !== undefined && !word.startsWith('-')) {
    const words = commands.flatMap(({ name, aliases }) => [name, ...aliases])
    throw new Failure(`unknown command ${word}: ottla --help lists all${suggestion(word, words)}`, 2)
  }
  for (const { name, aliases, summary, load } of commands) {
    const command = program
      .command(name)
      .aliases([...aliases])
      .summary(summary)
      .description(summary)
    settle(command, terminal)
    if (name === asked) (await load()).define(command, terminal)
  }
  await program.parseAsync([...args], { from: 'user' })
}

function root(terminal: Terminal): Command {
  const program = new Command('ottla')
    .description('A message broker that every Kafka client takes for Apache Kafka.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print help for a command')
    .addHelpText('after', EXAMPLES)
  return settle(program, terminal)
}

/** Errors become exceptions, and nothing is printed but by `report`. */
function settle(command: Command, terminal: Terminal): Command {
  return command
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: text => terminal.stdout.write(text),
      writeErr: text => terminal.stderr.write(text),
      outputError: () => {},
      getOutHasColors: () => terminal.paint.bold('x') !== 'x',
    })
    .configureHelp({
      styleTitle: text => terminal.paint.bold(text),
      styleCommandText: text => terminal.paint.cyan(text),
    })
}

const EXAMPLES = `
Examples:
  ottla                                          a broker on localhost:9092, data in ./ottla-data
  ottla --port 9093 --memory                     another one, which keeps nothing
  ottla produce greetings -m 'Hello, Kafka!'     one message
  ottla consume greetings --from-beginning       all messages, and those to come
  ottla topics create orders --partitions 6
  ottla groups describe billing                  members and lag
  ottla cluster up                               three nodes on this machine
  ottla nodes                                    who is in the cluster, and who leads what
  ottla config --changed                         what was set, and where

Every command has its own --help. The flags of Kafka's console tools and of kcat work, too.
`
