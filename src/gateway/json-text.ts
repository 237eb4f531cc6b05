const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const backslash = 0x5c
const openBracket = 0x5b
const openBrace = 0x7b
const closeBrace = 0x7d

const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
const escaped = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

/**
 * Whether a text is JSON (RFC 8259), told without making anything of it: values that are only passed on may be large, and of
 * a kind that takes long to make. Where it is short, `JSON.parse` is quicker.
 */
export function isJsonText(text: string): boolean {
  /** What will close what is open around the innermost. */
  const open: number[] = []
  /** The innermost; 0: nothing is open. */
  let innermost = 0
  for (let at = skip(text, 0); ; ) {
    const first = text.charCodeAt(at)
    if (first === openBrace || first === openBracket) {
      const close = first + 2
      at = skip(text, at + 1)
      if (text.charCodeAt(at) !== close) {
        open.push(innermost)
        innermost = close
        if (close === closeBrace) at = behindName(text, at)
        if (at < 0) return false
        continue
      }
      at++
    } else at = first === quote ? behindString(text, at) : behind(scalar, text, at)
    if (at < 0) return false
    // A value is over, and perhaps what it is in.
    for (at = skip(text, at); innermost !== 0 && text.charCodeAt(at) === innermost; at = skip(text, at + 1))
      innermost = open.pop() as number
    if (innermost === 0) return at === text.length
    if (text.charCodeAt(at) !== comma) return false
    at = skip(text, at + 1)
    if (innermost === closeBrace) at = behindName(text, at)
    if (at < 0) return false
  }
}

function skip(text: string, from: number): number {
  let at = from
  for (let code = text.charCodeAt(at); isSpace(code); code = text.charCodeAt(at)) at++
  return at
}

const isSpace = (code: number) => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

/** Where the value of a member begins whose name is here; −1: it is none. */
function behindName(text: string, from: number): number {
  if (text.charCodeAt(from) !== quote) return -1
  const end = behindString(text, from)
  const at = end < 0 ? end : skip(text, end)
  return at >= 0 && text.charCodeAt(at) === colon ? skip(text, at + 1) : -1
}

/** −1: it never ends, or holds what no string may. */
function behindString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; ) {
    const code = text.charCodeAt(at)
    if (code === quote) return at + 1
    if (code < 0x20) return -1
    if (code !== backslash) at++
    else {
      at = behind(escaped, text, at)
      if (at < 0) return -1
    }
  }
  return -1
}

function behind(what: RegExp, text: string, from: number): number {
  what.lastIndex = from
  return what.test(text) ? what.lastIndex : -1
}
