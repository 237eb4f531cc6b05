/**
 * Where the parts of a JSON text stand in it. What is forwarded as it was written keeps its digits: parsed and written again
 * 12345678901234567890 would be another number. The text must have been parsed before, so nothing is checked here; of a
 * name that stands there twice the last one counts, as in `JSON.parse`.
 */
export interface Span {
  readonly from: number
  readonly to: number
}

const quote = 0x22
const backslash = 0x5c

/** The members of the object that begins at or behind `from`. */
export function memberSpans(text: string, from = 0): Map<string, Span> {
  const members = new Map<string, Span>()
  let at = skipSpace(text, skipSpace(text, from) + 1)
  while (text[at] !== '}') {
    const nameEnd = stringEnd(text, at)
    const name = JSON.parse(text.slice(at, nameEnd)) as string
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1)
    const to = valueEnd(text, start)
    members.set(name, { from: start, to })
    at = skipSpace(text, to)
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
  return members
}

/** The elements of the array that begins at or behind `from`. */
export function elementSpans(text: string, from = 0): Span[] {
  const elements: Span[] = []
  let at = skipSpace(text, skipSpace(text, from) + 1)
  while (text[at] !== ']') {
    const to = valueEnd(text, at)
    elements.push({ from: at, to })
    at = skipSpace(text, to)
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
  return elements
}

function skipSpace(text: string, from: number): number {
  let at = from
  for (let code = text.charCodeAt(at); code === 32 || (code >= 9 && code <= 13); code = text.charCodeAt(at)) at++
  return at
}

/** Behind the value that begins at `from`. */
function valueEnd(text: string, from: number): number {
  const first = text.charCodeAt(from)
  if (first === quote) return stringEnd(text, from)
  if (first === 0x7b || first === 0x5b) return nestEnd(text, from)
  let at = from
  while (at < text.length && !isDelimiter(text.charCodeAt(at))) at++
  return at
}

/** White space, comma, or the end of what is around. */
const isDelimiter = (code: number) => code <= 32 || code === 0x2c || code === 0x7d || code === 0x5d

function stringEnd(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); ; at = text.indexOf('"', at + 1)) {
    let escapes = 0
    while (text.charCodeAt(at - 1 - escapes) === backslash) escapes++
    if (escapes % 2 === 0) return at + 1
  }
}

/** Behind the object or array. */
function nestEnd(text: string, from: number): number {
  let depth = 0
  for (let at = from; ; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) at = stringEnd(text, at) - 1
    else if (code === 0x7b || code === 0x5b) depth++
    else if (code === 0x7d || code === 0x5d) {
      depth--
      if (depth === 0) return at + 1
    }
  }
}
