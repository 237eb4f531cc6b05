import { Command, CommanderError } from 'commander'
import { explain, Failure } from './failure.ts'
import { commandNamed, commands, routed } from './routing.ts'
import { suggestion } from './settings.ts'
import { processTerminal, type Terminal } from './terminal.ts'
import { version } from './version.ts'

/** Runs one command line (without `node` and the script) and leaves its result in `process.exitCode`. Never throws. */
export async function run(args: readonly string[], terminal: Terminal = processTerminal()): Promise<void> {
  try {
    await dispatch(routed(args), terminal)
  } catch (error) {
    process.exitCode = report(error, terminal)
  }
}

async function dispatch(args: readonly string[], terminal: Terminal): Promise<void> {
  const program = root(terminal)
  const wanted = commandNamed(args[0])
  if (wanted === null && args[0] !== undefined && !args[0].startsWith('-') && args[0] !== 'help') {
    const words = commands.flatMap(({ name, aliases }) => [name, ...aliases])
    throw new Failure(`unknown command ${args[0]}${suggestion(args[0], words)}; ottla --help lists all`, 2)
  }
  const asked = args[0] === 'help' ? commandNamed(args[1]) : wanted
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

function report(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0
    const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n')
    terminal.stderr.write(`${terminal.errorPaint.red('ottla:')} ${[first, ...rest].join(' ').trim()}\n`)
    return 2
  }
  const { lines, exitCode } = explain(error)
  for (const line of lines) terminal.stderr.write(`${terminal.errorPaint.red('ottla:')} ${line}\n`)
  if (terminal.env.OTTLA_DEBUG !== undefined) terminal.stderr.write(`${(error as Error).stack}\n`)
  return exitCode
}

const EXAMPLES = `
Examples:
  ottla                                          a broker on localhost:9092, data in ./ottla-data
  ottla --port 9093 --memory                     another one, which keeps nothing
  ottla produce greetings -m 'Hello, Kafka!'     one message
  ottla consume greetings --from-beginning       all messages, and those to come
  ottla topics create orders --partitions 6
  ottla groups describe billing                  members and lag
  ottla config --changed                         what was set, and where

Every command has its own --help. The flags of Kafka's console tools and of kcat work, too.
`
