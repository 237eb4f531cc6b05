import { Failure } from './failure.ts'
import { unescapeText } from './format.ts'
import type { Header } from './message.ts'

/** What is to be sent. */
export interface Draft {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly Header[]
  /** Only where the input says so. */
  readonly partition?: number
  readonly timestamp?: number
}

/** `line` counts from 1. Throws Failure with the number of the line; null: pass over it. */
export type InputParser = (bytes: Buffer, line: number) => Draft | null

export interface TextInput {
  /** Between headers and the rest; null: lines have none. */
  readonly headersDelimiter: string | null
  readonly headersSeparator: string
  readonly headersKeySeparator: string
  /** Between key and value; null: lines have no key. */
  readonly keySeparator: string | null
  /** A line without the separator: an error, or a value without a key (kcat). */
  readonly keyRequired: boolean
  /** Lines that cannot be read are sent whole. */
  readonly ignoreErrors: boolean
  /** Stands for null. */
  readonly nullMarker: string | null
  /** An empty value is null (kcat's `-Z`). */
  readonly emptyIsNull: boolean
}

export const plainText: TextInput = {
  headersDelimiter: null,
  headersSeparator: ',',
  headersKeySeparator: ':',
  keySeparator: null,
  keyRequired: false,
  ignoreErrors: false,
  nullMarker: null,
  emptyIsNull: false,
}

const KNOWN = [
  'parse.key',
  'key.separator',
  'parse.headers',
  'headers.delimiter',
  'headers.separator',
  'headers.key.separator',
  'ignore.error',
  'null.marker',
]

/** Kafka's `--reader-property` (formerly `--property`). Throws Failure for one that it does not know. */
export function textInputOf(properties: ReadonlyMap<string, string>, base: TextInput = plainText): TextInput {
  for (const name of properties.keys()) {
    if (!KNOWN.includes(name)) throw new Failure(`unknown reader property ${name}; known are ${KNOWN.join(', ')}`, 2)
  }
  const is = (name: string) => properties.get(name)?.toLowerCase() === 'true'
  const text = (name: string, otherwise: string) => unescapeText(properties.get(name) ?? otherwise)
  return {
    ...base,
    headersDelimiter: is('parse.headers') ? text('headers.delimiter', '\t') : base.headersDelimiter,
    headersSeparator: text('headers.separator', base.headersSeparator),
    headersKeySeparator: text('headers.key.separator', base.headersKeySeparator),
    keySeparator: is('parse.key') ? text('key.separator', '\t') : base.keySeparator,
    keyRequired: is('parse.key') || base.keyRequired,
    ignoreErrors: is('ignore.error') || base.ignoreErrors,
    nullMarker: properties.get('null.marker') ?? base.nullMarker,
  }
}

export function textParser(input: TextInput): InputParser {
  const nullable = (bytes: Buffer) =>
    input.nullMarker !== null && bytes.equals(Buffer.from(input.nullMarker)) ? null : bytes
  return (bytes, line) => {
    const whole: Draft = { key: null, value: bytes, headers: [] }
    try {
      const [head, rest] = split(bytes, input.headersDelimiter, true, 'headers delimiter', line)
      const [key, value] = split(rest, input.keySeparator, input.keyRequired, 'key separator', line)
      const shown = nullable(value)
      return {
        key: key === null ? null : nullable(key),
        value: shown !== null && shown.length === 0 && input.emptyIsNull ? null : shown,
        headers: head === null ? [] : headersOf(head.toString('utf8'), input, line),
      }
    } catch (error) {
      if (input.ignoreErrors && error instanceof Failure) return whole
      throw error
    }
  }
}

function split(
  bytes: Buffer,
  at: string | null,
  required: boolean,
  what: string,
  line: number,
): [Buffer | null, Buffer] {
  if (at === null) return [null, bytes]
  const cut = Buffer.from(at)
  const index = bytes.indexOf(cut)
  if (index >= 0) return [bytes.subarray(0, index), bytes.subarray(index + cut.length)]
  if (!required) return [null, bytes]
  throw new Failure(
    `line ${line}: no ${what} ${JSON.stringify(at)} in ${JSON.stringify(bytes.toString('utf8', 0, 60))}`,
  )
}

function headersOf(text: string, input: TextInput, line: number): Header[] {
  if (text === input.nullMarker || text === '') return []
  return text
    .split(input.headersSeparator)
    .map(pair => headerOf(pair, input.headersKeySeparator, input.nullMarker, line))
}

function headerOf(pair: string, separator: string, nullMarker: string | null, line: number): Header {
  const at = pair.indexOf(separator)
  if (at < 0) throw new Failure(`line ${line}: no ${JSON.stringify(separator)} in header ${JSON.stringify(pair)}`)
  const value = pair.slice(at + separator.length)
  return { key: pair.slice(0, at), value: value === nullMarker ? null : Buffer.from(value) }
}

/** `-H name=value`; `-H name`: null, as kcat does it. */
export function headerFlag(text: string): Header {
  const at = text.indexOf('=')
  return at < 0 ? { key: text, value: null } : { key: text.slice(0, at), value: Buffer.from(text.slice(at + 1)) }
}

/**
 * A line as `ottla consume --json` (or kcat `-J`) prints it: `{"key":…,"value":…,"headers":[…],"partition":…,"timestamp":…}`.
 * Everything but the value may be left out. Values that are no strings are sent as JSON.
 */
export const jsonParser: InputParser = (bytes, line) => {
  const text = bytes.toString('utf8')
  if (text.trim() === '') return null
  const message = parseObject(text, line)
  const has = (name: string) => Object.hasOwn(message, name)
  if (!has('value') && !has('payload') && !has('valueBase64')) {
    throw new Failure(`line ${line}: a JSON message needs a "value" (null is one, too)`)
  }
  return {
    key: fieldOf(message, 'key'),
    value: has('payload') ? bytesOf(message.payload) : fieldOf(message, 'value'),
    headers: jsonHeaders(message.headers, line),
    ...(typeof message.partition === 'number' ? { partition: message.partition } : {}),
    ...(typeof message.timestamp === 'number' && message.timestamp >= 0 ? { timestamp: message.timestamp } : {}),
  }
}

type JsonObject = { readonly [name: string]: unknown }

function parseObject(text: string, line: number): JsonObject {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new Failure(`line ${line} is not JSON: ${(error as Error).message}`)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new Failure(`line ${line}: a JSON message is an object with a "value"`)
  }
  return parsed as JsonObject
}

function fieldOf(message: JsonObject, name: string): Buffer | null {
  const coded = message[`${name}Base64`]
  return typeof coded === 'string' ? Buffer.from(coded, 'base64') : bytesOf(message[name])
}

function bytesOf(value: unknown): Buffer | null {
  if (value === null || value === undefined) return null
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
}

/** `[{"key":…,"value":…}]`, `{"name":"value"}`, or kcat's `["name","value",…]`. */
function jsonHeaders(headers: unknown, line: number): Header[] {
  if (headers === undefined || headers === null) return []
  if (!Array.isArray(headers)) {
    return Object.entries(headers as object).map(([key, value]) => ({ key, value: bytesOf(value) }))
  }
  if (headers.every(each => typeof each === 'object' && each !== null)) {
    return (headers as JsonObject[]).map(each => ({ key: String(each.key), value: fieldOf(each, 'value') }))
  }
  if (headers.length % 2 !== 0) throw new Failure(`line ${line}: a header without a value`)
  return headers.flatMap((key, i) => (i % 2 === 0 ? [{ key: String(key), value: bytesOf(headers[i + 1]) }] : []))
}
