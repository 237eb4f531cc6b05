import { Problem } from './problem.ts'

/**
 * Values that one JSON text may hold. Each becomes an object or a slot of one, so that it is these, not the bytes, that
 * reading it takes its time for: a megabyte of brackets takes a hundred times as long as a megabyte of text.
 */
export const mostValues = 150_000

const quote = 0x22
const backslash = 0x5c

/** The text itself. Throws Problem 413 when it holds more than `most` values; whether it is JSON does not matter here. */
export function mustBeModest(text: string, most = mostValues): string {
  if (!isModest(text, most)) {
    const detail = `A JSON text may hold ${most} values; records of any number come as lines (application/x-ndjson)`
    throw new Problem(413, 'too-many-values', 'There is too much in it', detail)
  }
  return text
}

/** Whether a text would, as JSON, hold `most` values or fewer. */
export function isModest(text: string, most = mostValues): boolean {
  // Each takes a letter at least.
  if (text.length <= most) return true
  let values = 1
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) at = closing(text, at)
    else if ((code === 0x5b || code === 0x7b || code === 0x2c) && ++values > most) return false
  }
  return true
}

/** Where a string's last quote is; behind the text: nowhere. */
function closing(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let escapes = 0
    while (text.charCodeAt(at - 1 - escapes) === backslash) escapes++
    if (escapes % 2 === 0) return at
  }
  return text.length
}
