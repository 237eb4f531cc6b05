import { Failure } from './failure.ts'
import type { Formatter, Message } from './message.ts'

type Part = (message: Message) => string | Uint8Array

const nothing = new Uint8Array(0)

/** What each letter after `%` stands for; as in kcat. */
const TOKENS: { readonly [letter: string]: Part } = {
  s: ({ value }) => value ?? nothing,
  S: ({ value }) => String(value?.length ?? -1),
  R: ({ value }) => int32(value?.length ?? -1),
  k: ({ key }) => key ?? nothing,
  K: ({ key }) => String(key?.length ?? -1),
  T: ({ timestamp }) => String(timestamp),
  h: ({ headers }) => Buffer.concat(headers.flatMap((header, i) => headerBytes(i, header.key, header.value))),
  t: ({ topic }) => topic,
  p: ({ partition }) => String(partition),
  o: ({ offset }) => String(offset),
  '%': () => '%',
}

const ESCAPES: { readonly [letter: string]: string } = { n: '\n', r: '\r', t: '\t', '\\': '\\', 0: '\0' }

/**
 * kcat's `-f`: `%t` topic, `%p` partition, `%o` offset, `%k` key, `%s` value, `%h` headers, `%T` timestamp, `%K` and `%S`
 * their lengths (−1 for null), `%R` the value's length as four bytes; `\n`, `\t`, `\r`, `\xFF`. `nulls`: print NULL for
 * a missing key or value. Throws Failure for an unknown token.
 */
export function compileFormat(format: string, nulls = false): Formatter {
  const parts: (string | Uint8Array | Part)[] = []
  for (const [whole, token, hex, letter] of format.matchAll(PIECES)) {
    if (hex !== undefined) parts.push(Uint8Array.of(Number.parseInt(hex, 16)))
    else if (token === undefined) parts.push(letter === undefined ? whole : (ESCAPES[letter] ?? whole))
    else parts.push(partOf(token, nulls))
  }
  return message => parts.map(part => (typeof part === 'function' ? part(message) : part))
}

const PIECES = /%([\s\S]?)|\\x([0-9a-fA-F]{2})|\\([\s\S])|[^%\\]+|\\/g

function partOf(token: string, nulls: boolean): Part {
  const part = Object.hasOwn(TOKENS, token) ? TOKENS[token] : undefined
  if (part === undefined) {
    throw new Failure(`unknown %${token} in the format: ${Object.keys(TOKENS).join(' ')} are known`, 2)
  }
  return nulls ? withNull(token, part) : part
}

/** The escapes of a separator given on the command line. */
export function unescapeText(text: string): string {
  return text.replace(/\\x([0-9a-fA-F]{2})|\\([\s\S])/g, (whole, hex?: string, letter?: string) =>
    hex !== undefined ? String.fromCharCode(Number.parseInt(hex, 16)) : (ESCAPES[letter ?? ''] ?? whole),
  )
}

function withNull(token: string, part: Part): Part {
  if (token === 's') return message => message.value ?? 'NULL'
  return token === 'k' ? message => message.key ?? 'NULL' : part
}

function headerBytes(index: number, key: string, value: Uint8Array | null): Uint8Array[] {
  return [Buffer.from(`${index === 0 ? '' : ','}${key}=`), value ?? Buffer.from('NULL')]
}

function int32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
