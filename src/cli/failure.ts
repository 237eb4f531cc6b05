/** Something that the user can mend; the message says how. Shown as one line, without a stack trace. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly exitCode: number

  /** `exitCode` 2: the command line itself is wrong. */
  constructor(message: string, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

const BUGS = new Set(['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'AssertionError'])

/** What to print for an error (without `ottla:`), and with which status to end. */
export function explain(error: unknown): { lines: readonly string[]; exitCode: number } {
  if (!(error instanceof Error)) return { lines: [`internal error: ${String(error)}`], exitCode: 70 }
  if (error instanceof Failure) return { lines: error.message.split('\n'), exitCode: error.exitCode }
  if (error.name === 'ConfigError') return { lines: error.message.split('\n'), exitCode: 2 }
  const system = systemError(error as NodeJS.ErrnoException)
  if (system !== null) return { lines: [system], exitCode: 1 }
  if (BUGS.has(error.name) || String((error as NodeJS.ErrnoException).code).startsWith('ERR_')) {
    return { lines: [`internal error: ${error.message} (OTTLA_DEBUG=1 shows where)`], exitCode: 70 }
  }
  return { lines: [error.message], exitCode: 1 }
}

interface AddressError extends NodeJS.ErrnoException {
  readonly address?: string
  readonly port?: number
}

/** The errors of an operating system that people meet, in words. */
function systemError(error: AddressError): string | null {
  const at = error.port === undefined ? '' : `${error.address ?? ''}:${error.port}`
  const path = error.path ?? ''
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${error.port} is already in use (${at}): stop the other program, or choose another port with --port`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return error.port === undefined
        ? `unknown host ${(error as { hostname?: string }).hostname ?? ''}`
        : `cannot listen on ${at}: this machine has no such address; check --host`
    case 'ECONNREFUSED':
      return `nothing listens on ${at}: is the broker running there? (start one with: ottla)`
    case 'EACCES':
    case 'EPERM':
      if (error.syscall === 'listen' || error.syscall === 'bind') {
        return `not allowed to listen on ${at}: choose a port from 1024 on with --port`
      }
      return `permission denied: ${path || error.message}`
    case 'EROFS':
      return `read-only file system: ${path}`
    case 'ENOSPC':
      return `no space left on the device: ${path || error.message}`
    case 'ENOENT':
      return `no such file or folder: ${path}`
    case 'ENOTDIR':
    case 'EEXIST':
      return `not a folder: ${path}`
    case 'EISDIR':
      return `a folder, not a file: ${path}`
    case 'EMFILE':
    case 'ENFILE':
      return 'too many open files: raise the limit (ulimit -n)'
    default:
      return null
  }
}
