import type { Logger } from '../world/logger.ts'
import type { Clock } from '../world/world.ts'
import type { Paint } from './paint.ts'

export type Level = 'debug' | 'info' | 'warn' | 'error'
const LEVELS: readonly Level[] = ['debug', 'info', 'warn', 'error']

export interface LoggerOptions {
  /** `json`: one object a line, for machines. `text`: for people. */
  readonly format: 'json' | 'text'
  /** The least important level that is written. */
  readonly level: Level
  readonly clock: Clock
  readonly paint: Paint
  write(line: string): void
}

/** Lines of `{"time":"2026-01-01T00:00:00.000Z","level":"info","message":"…","field":…}`, or the same for people. */
export function createLogger(options: LoggerOptions): Logger {
  const format = options.format === 'json' ? jsonLine : (line: Line) => textLine(line, options.paint)
  const least = LEVELS.indexOf(options.level)
  const at = (level: Level) => {
    if (LEVELS.indexOf(level) < least) return () => {}
    return (message: string, fields?: Record<string, unknown>) => {
      options.write(`${format({ time: new Date(options.clock.now()), level, message, fields: fields ?? {} })}\n`)
    }
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

interface Line {
  readonly time: Date
  readonly level: Level
  readonly message: string
  readonly fields: Record<string, unknown>
}

function jsonLine({ time, level, message, fields }: Line): string {
  const head = { time: time.toISOString(), level, message }
  try {
    // Twice: the first gives the order, the second the last word.
    return JSON.stringify({ ...head, ...plain(fields), ...head })
  } catch {
    // A circular field must not cost us the message.
    return JSON.stringify(head)
  }
}

function textLine({ time, level, message, fields }: Line, paint: Paint): string {
  const clock = paint.dim(time.toTimeString().slice(0, 8))
  const mark = { debug: paint.dim('debug'), info: '', warn: paint.yellow('warning:'), error: paint.red('error:') }[
    level
  ]
  const more = Object.entries(plain(fields)).map(([key, value]) => paint.dim(`${key}=${shown(value)}`))
  return [clock, mark, message, ...more].filter(part => part !== '').join(' ')
}

/** JSON knows no bigint, and an Error would become `{}`. */
function plain(fields: Record<string, unknown>): Record<string, unknown> {
  const made: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue
    if (value instanceof Error) made[key] = value.stack ?? value.message
    else made[key] = typeof value === 'bigint' ? String(value) : value
  }
  return made
}

function shown(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
