import type { Terminal } from './terminal.ts'

export interface Progress {
  count(messages: number, bytes: number): void
  /** Wipes the line and leaves a last word, by default how much it was in what time. */
  done(lastWord?: string): void
}

const EVERY_MS = 200

/** A line on standard error that counts, while a person looks. `loud` false: nothing at all. */
export function progress(verb: string, terminal: Terminal, loud: boolean): Progress {
  const isTerminal = terminal.stderr.isTTY === true
  const { clock } = terminal.world
  const begin = clock.mono()
  let messages = 0
  let bytes = 0
  let shownAt = begin
  const summary = () => {
    const seconds = Math.max(0.001, (clock.mono() - begin) / 1000)
    const rate = seconds > 0.5 ? `, ${grouped(messages / seconds)} a second` : ''
    return `${verb} ${grouped(messages)} ${messages === 1 ? 'message' : 'messages'}, ${size(bytes)}${rate}`
  }
  return {
    count(more, moreBytes) {
      messages += more
      bytes += moreBytes
      if (!loud || !isTerminal) return
      const now = clock.mono()
      if (now - shownAt < EVERY_MS) return
      shownAt = now
      terminal.stderr.write(`\r\x1b[K${terminal.errorPaint.dim(summary())}`)
    },
    done(lastWord) {
      if (!loud || !isTerminal) return
      terminal.stderr.write(`\r\x1b[K${terminal.errorPaint.dim(lastWord ?? summary())}\n`)
    },
  }
}

/** 12345 → 12,345 */
export function grouped(number: number): string {
  return String(Math.round(number)).replace(/\B(?=(\d{3})+$)/g, ',')
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB']

export function size(bytes: number): string {
  let unit = 0
  let left = bytes
  while (left >= 1000 && unit < UNITS.length - 1) {
    left /= 1000
    unit++
  }
  return `${unit === 0 ? left : left.toFixed(1)} ${UNITS[unit]}`
}
