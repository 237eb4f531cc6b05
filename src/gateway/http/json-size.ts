import { Problem } from './problem.ts'

/**
 * Values that one JSON text may hold. Each becomes an object or a slot of one, so that it is these, not the bytes, that
 * reading it takes its time for: a megabyte of brackets takes a hundred times as long as a megabyte of text.
 */
export const mostValues = 150_000

/**
 * Names that one object in it may have: each new one is looked up among all that there are, so that the last of a hundred
 * thousand takes many times as long as the first.
 */
export const mostNames = 30_000

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/** The text itself. Throws Problem 413 when there is too much in it; whether it is JSON does not matter here. */
export function mustBeModest(text: string, most = mostValues): string {
  if (!isModest(text, most)) {
    const detail = `A JSON text may hold ${most} values, and each object ${mostNames} names; records of any number come as lines (application/x-ndjson)`
    throw new Problem(413, 'too-many-values', 'There is too much in it', detail)
  }
  return text
}

/** Whether a text would, as JSON, hold `most` values or fewer, and no object of very many names. */
export function isModest(text: string, most = mostValues): boolean {
  // Each value takes a letter at least, each member five: `"":0,`.
  if (text.length <= most && text.length <= mostNames * 5) return true
  let values = 1
  /** Names of the innermost object, and of those around it; a list has none. */
  let names = -most
  const around: number[] = []
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) at = closing(text, at)
    else if (code === comma) {
      if (++values > most || ++names > mostNames) return false
    } else if (code === openBrace || code === openBracket) {
      if (++values > most) return false
      around.push(names)
      // A list may have as many as there are values.
      names = code === openBrace ? 1 : -most
    } else if (code === closeBrace || code === closeBracket) names = around.pop() ?? -most
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
