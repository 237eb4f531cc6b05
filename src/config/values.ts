import type { Parsed, Setting } from './definition.ts'

/** What a text means for a setting, or what is wrong with it. */
export type Reading = { readonly value: Parsed } | { readonly error: string }

const LIMITS = {
  short: [-(2n ** 15n), 2n ** 15n - 1n],
  int: [-(2n ** 31n), 2n ** 31n - 1n],
  long: [-(2n ** 63n), 2n ** 63n - 1n],
} as const

/**
 * Reads a value as Kafka reads it: surrounding blanks do not count, booleans in any case, lists split at commas.
 * A long that a JavaScript number cannot hold exactly is given as the nearest safe integer.
 */
export function readValue(name: string, setting: Setting<unknown>, text: string): Reading {
  const parsed = parse(setting, text.trim())
  if (parsed === undefined) return { error: invalid(name, setting, text, expectation(setting)) }
  const problem = setting.valid?.check(parsed) ?? null
  if (problem !== null) return { error: invalid(name, setting, text, problem) }
  return { value: typeof parsed === 'bigint' ? safe(parsed) : parsed }
}

/** The value in Kafka's own spelling (`True` → `true`, `a , b` → `a,b`), for showing. Invalid text is left alone. */
export function canonical(setting: Setting<unknown>, text: string): string {
  const parsed = parse(setting, text.trim())
  if (parsed === undefined || parsed === null) return text
  if (typeof parsed === 'object') return parsed.join(',')
  return setting.type === 'double' ? text.trim() : String(parsed)
}

/** The elements of a list setting; an empty text is an empty list. */
export function splitList(text: string): string[] {
  const trimmed = text.trim()
  return trimmed === '' ? [] : trimmed.split(/\s*,\s*/)
}

function parse(setting: Setting<unknown>, text: string): Parsed | bigint | undefined {
  switch (setting.type) {
    case 'boolean': {
      const word = text.toLowerCase()
      return word === 'true' ? true : word === 'false' ? false : undefined
    }
    case 'short':
    case 'int':
    case 'long': {
      // A bound on the length before BigInt sees it: hostile digits would cost quadratic time.
      if (!/^[+-]?\d{1,40}$/.test(text)) return undefined
      const number = BigInt(text.replace('+', ''))
      const [least, most] = LIMITS[setting.type]
      return number < least || number > most ? undefined : number
    }
    case 'double':
      return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined
    case 'list':
      return splitList(text)
    default:
      return text
  }
}

function safe(value: bigint): number {
  if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER
  return value < Number.MIN_SAFE_INTEGER ? Number.MIN_SAFE_INTEGER : Number(value)
}

function expectation(setting: Setting<unknown>): string {
  return setting.type === 'boolean'
    ? 'Expected value to be either true or false'
    : `Not a number of type ${setting.type.toUpperCase()}`
}

function invalid(name: string, setting: Setting<unknown>, text: string, problem: string): string {
  const shown = setting.type === 'password' ? '[hidden]' : text
  return `Invalid value ${shown} for configuration ${name}: ${problem}`
}
