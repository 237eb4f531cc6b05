import { Failure } from './failure.ts'

/** Where to start (or stop) reading a partition. `end` with a count: that many messages before the end. */
export type Position =
  | { readonly at: 'beginning' | 'end' | 'stored' }
  | { readonly at: 'offset'; readonly offset: number }
  | { readonly at: 'tail'; readonly count: number }
  | { readonly at: 'time'; readonly ms: number }

/**
 * `beginning`/`earliest`, `end`/`latest`, `stored`, an offset, `-10` (the last ten). kcat's `s@ms` and `e@ms` are start
 * and stop by time; several are separated by commas in other flags, not here.
 */
export function parsePosition(text: string): Position {
  const word = text.toLowerCase()
  if (word === 'beginning' || word === 'earliest' || word === 'smallest') return { at: 'beginning' }
  if (word === 'end' || word === 'latest' || word === 'largest') return { at: 'end' }
  if (word === 'stored') return { at: 'stored' }
  if (/^\d{1,16}$/.test(text)) return { at: 'offset', offset: Number(text) }
  if (/^-\d{1,16}$/.test(text)) return { at: 'tail', count: -Number(text) }
  const time = /^s@(.+)$/.exec(text)
  if (time !== null) return { at: 'time', ms: parseTime(time[1]!, 0) }
  throw new Failure(`offset ${text}: say beginning, end, stored, a number, -N for the last N, or s@time`, 2)
}

/**
 * A moment, ms since 1970: `1700000000000`, `2026-01-31`, `2026-01-31T12:00:00.000` (UTC unless it names a zone), or how long
 * before `now`: `90s`, `15m`, `2h`, `1d`.
 */
export function parseTime(text: string, now: number): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  const ago = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(text)
  if (ago !== null) return Math.round(now - Number(ago[1]) * UNITS[ago[2]!]!)
  const iso = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d([.,]\d{1,9})?)?)?(Z|[+-]\d\d:?\d\d)?$/.exec(text)
  if (iso !== null) {
    const zoned = iso[1] === undefined || iso[4] !== undefined ? text : `${text}Z`
    const ms = Date.parse(zoned.replace(',', '.').replace(/([+-]\d\d)(\d\d)$/, '$1:$2'))
    if (!Number.isNaN(ms)) return ms
  }
  throw new Failure(`time ${text}: say 2026-01-31T12:00:00.000, ms since 1970, or how long ago (15m, 2h, 1d)`, 2)
}

const UNITS: { readonly [unit: string]: number } = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** ISO 8601 (`P1DT2H30M`), as Kafka's `--by-duration`; ms. */
export function parseDuration(text: string): number {
  const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text.toUpperCase())
  if (parts === null || /^PT?$/.test(text)) throw new Failure(`duration ${text}: say it like P1DT2H30M5S`, 2)
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] = parts.map(part => Number(part ?? 0))
  return Math.round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)
}

/** A whole number from a flag, within bounds. */
export function parseCount(flag: string, text: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
  const number = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  throw new Failure(`${flag} ${text}: say a whole number${least > 0 ? ` of at least ${least}` : ''}`, 2)
}
