import type { CommanderError } from 'commander'
import { explain } from './failure.ts'
import { routed } from './routing.ts'
import { quickFlags } from './settings.ts'
import { processTerminal, type Terminal } from './terminal.ts'

/** Runs one command line (without `node` and the script) and leaves its result in `process.exitCode`. Never throws. */
export async function run(args: readonly string[], terminal: Terminal = processTerminal()): Promise<void> {
  try {
    await dispatch(routed(args), terminal)
  } catch (error) {
    process.exitCode = report(error, terminal)
  }
}

async function dispatch(args: readonly string[], terminal: Terminal): Promise<void> {
  // A broker starts in a fraction of a second; a parser for everything would be a tenth of it.
  const flags = args[0] === 'start' ? quickFlags(args.slice(1)) : null
  if (flags !== null) return (await import('./commands/start.ts')).start(flags, terminal)
  return (await import('./program.ts')).dispatch(args, terminal)
}

function report(error: unknown, terminal: Terminal): number {
  if (isCommanderError(error)) {
    if (error.exitCode === 0) return 0
    const line = error.message
      .replace(/^error: /, '')
      .replaceAll('\n', ' ')
      .trim()
    terminal.stderr.write(`${terminal.errorPaint.red('ottla:')} ${line}\n`)
    return 2
  }
  const { lines, exitCode } = explain(error)
  for (const line of lines) terminal.stderr.write(`${terminal.errorPaint.red('ottla:')} ${line}\n`)
  if (terminal.env.OTTLA_DEBUG !== undefined) terminal.stderr.write(`${(error as Error).stack}\n`)
  return exitCode
}

/** By its code, because the class is only there when it was needed. */
function isCommanderError(error: unknown): error is CommanderError {
  return String((error as Partial<CommanderError> | null)?.code).startsWith('commander.')
}
