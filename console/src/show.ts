import type { Json } from './api.ts'

const numbers = new Intl.NumberFormat('en')
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

/** 1,234,567 */
export const count = (value: number | null | undefined): string => (value == null ? '–' : numbers.format(value))

/** 1.2M */
export const brief = (value: number | null | undefined): string =>
  value == null ? '–' : value < 10 && value % 1 !== 0 ? value.toFixed(1) : short.format(value)

export function bytes(value: number | null | undefined): string {
  if (value == null) return '–'
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  let size = value
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024
    unit++
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`
}

export const ms = (value: number | null | undefined): string =>
  value == null ? '–' : value < 10 ? `${value.toFixed(2)} ms` : `${Math.round(value)} ms`

/** Today without the day. */
export function time(at: number): string {
  if (at < 0) return '–'
  const date = new Date(at)
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`
  const today = date.toDateString() === new Date().toDateString()
  return today ? clock : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock}`
}

const two = (value: number): string => String(value).padStart(2, '0')

export const plural = (value: number, word: string): string => `${count(value)} ${word}${value === 1 ? '' : 's'}`

/** A part of a message: text as it is, everything else as JSON; nothing where it is null. */
export const textOf = (value: Json, indent = 0): string =>
  value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value, null, indent)
