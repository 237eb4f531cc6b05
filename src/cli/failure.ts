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
  return { lines: [kafkaError(error) ?? error.message], exitCode: 1 }
}

/** What Kafka's bare codes mean to a person, where no sentence came with them. */
const CODES: { readonly [name: string]: string } = {
  INVALID_TOPIC_EXCEPTION: "not a topic's name: up to 249 letters, digits, dots, hyphens and underscores",
  UNKNOWN_TOPIC_OR_PARTITION: 'there is no such topic or partition',
  OFFSET_OUT_OF_RANGE: 'that offset is not there, or not any more',
  MESSAGE_TOO_LARGE: 'the message is larger than max.message.bytes allows',
  LEADER_NOT_AVAILABLE: 'nobody leads the partition now: see ottla topics describe',
  NOT_ENOUGH_REPLICAS: 'too few copies are in sync (min.insync.replicas): see ottla topics describe',
  REQUEST_TIMED_OUT: 'no answer in time: see ottla nodes',
}

function kafkaError(error: Error & { readonly errorName?: string }): string | null {
  const { errorName = '', message } = error
  const words = CODES[errorName]
  return words === undefined || !message.endsWith(errorName) ? null : message.slice(0, -errorName.length) + words
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
