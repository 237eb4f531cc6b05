import type { RecordHeader } from '../../protocol/batches/records.ts'
import { elementSpans, memberSpans, type Span } from './json-source.ts'
import { badRequest } from './problem.ts'

/**
 * How JSON becomes bytes. `auto`: a string is its text, anything else is JSON as it was written, `{"base64": "…"}` its bytes.
 * `json`: everything is JSON as it was written, strings with their quotes. `string`: strings only. `base64`: strings of base64.
 */
export type InputFormat = 'auto' | 'json' | 'string' | 'base64'

export const inputFormats: readonly InputFormat[] = ['auto', 'json', 'string', 'base64']

export interface InputFormats {
  readonly key: InputFormat
  readonly value: InputFormat
}

/** A record as a request has it: everything but the topic. */
export interface RecordInput {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
  /** −1: by the key. */
  readonly partition: number
  /** ms; −1: now. */
  readonly timestamp: number
}

const noHeaders: readonly RecordHeader[] = []
const fields = new Set(['key', 'value', 'headers', 'partition', 'timestamp', 'topic', 'offset'])
const lastPartition = 0x7fffffff

/** One record, or what stands in `records`. Throws Problem 400, which names the place and what belongs there. */
export function recordsIn(
  text: string,
  topic: string,
  formats: InputFormats,
): { readonly records: readonly RecordInput[]; readonly batch: boolean } {
  const json = parse(text)
  const list = batchIn(json)
  if (list === null) return { records: [recordIn(json, topic, '', formats, () => ({ text, from: 0 }))], batch: false }
  let spans: readonly Span[] | null = null
  const spanOf = (index: number): Span => {
    spans ??= elementSpans(text, memberSpans(text).get('records')?.from ?? 0)
    return spans[index] as Span
  }
  const records = list.map((each, index) =>
    recordIn(each, topic, `records[${index}]`, formats, () => ({ text, from: spanOf(index).from })),
  )
  return { records, batch: true }
}

/** One record alone, such as a line of NDJSON. */
export function recordInLine(text: string, topic: string, formats: InputFormats): RecordInput {
  return recordIn(parse(text), topic, '', formats, () => ({ text, from: 0 }))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw badRequest(`the body is not JSON: ${(error as Error).message}`)
  }
}

function batchIn(json: unknown): readonly unknown[] | null {
  if (typeof json !== 'object' || json === null || !('records' in json)) return null
  const { records, ...others } = json
  if (!Array.isArray(records)) throw badRequest('records must be an array')
  const [other] = Object.keys(others)
  if (other !== undefined) throw badRequest(`${other} is not known beside records`)
  return records
}

/** Where the object stands that a record was parsed from. */
interface Source {
  readonly text: string
  readonly from: number
}

function recordIn(
  json: unknown,
  topic: string,
  place: string,
  formats: InputFormats,
  source: () => Source,
): RecordInput {
  const inside = (name: string) => (place === '' ? name : `${place}.${name}`)
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw badRequest(`${place || 'a record'} must be an object with a value, such as {"key":"k","value":"v"}`)
  for (const name in json) if (!fields.has(name)) throw badRequest(`${inside(name)} is not known here`)
  const record = json as Partial<Record<'key' | 'value' | 'headers' | 'partition' | 'timestamp' | 'topic', unknown>>
  // Who leaves the value out by mistake would delete a key of a compacted topic.
  if (record.value === undefined) throw badRequest(`${inside('value')} is missing; null deletes the key`)
  if (record.topic !== undefined && record.topic !== topic)
    throw badRequest(`${inside('topic')} is not ${topic}, to which the records are sent`)
  let members: Map<string, Span> | null = null
  const written = (name: string) => {
    const { text, from } = source()
    members ??= memberSpans(text, from)
    const span = members.get(name) as Span
    return text.slice(span.from, span.to)
  }
  return {
    key: bytesOf(record.key ?? null, formats.key, inside('key'), () => written('key')),
    value: bytesOf(record.value, formats.value, inside('value'), () => written('value')),
    headers: headersOf(record.headers, inside('headers')),
    partition: wholeNumber(record.partition, lastPartition, inside('partition')),
    timestamp: wholeNumber(record.timestamp, Number.MAX_SAFE_INTEGER, inside('timestamp')),
  }
}

function bytesOf(json: unknown, format: InputFormat, place: string, written: () => string): Uint8Array | null {
  if (json === null) return null
  if (format === 'auto') {
    if (typeof json === 'string') return Buffer.from(json)
    return base64Object(json, place) ?? Buffer.from(written())
  }
  if (format === 'json') return Buffer.from(written())
  if (typeof json !== 'string') throw badRequest(`${place} must be a string or null, as its format is ${format}`)
  return format === 'base64' ? base64(json, place) : Buffer.from(json)
}

/** `{"base64": "…"}`, and nothing beside it. */
function base64Object(json: unknown, place: string): Uint8Array | null {
  if (typeof json !== 'object' || json === null || !('base64' in json) || Object.keys(json).length > 1) return null
  const text = json.base64
  return typeof text === 'string' ? base64(text, `${place}.base64`) : null
}

/** Also the alphabet for URLs (RFC 4648). Node skips what does not belong there, so the length tells. */
function base64(text: string, place: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  let length = text.length
  while (length > 0 && text.charCodeAt(length - 1) === 0x3d) length--
  if (bytes.length !== Math.floor((length * 3) / 4) || length % 4 === 1) throw badRequest(`${place} must be base64`)
  return bytes
}

/** Names to values; a list where a name comes more than once. */
function headersOf(json: unknown, place: string): readonly RecordHeader[] {
  if (json === undefined || json === null) return noHeaders
  if (typeof json !== 'object' || Array.isArray(json))
    throw badRequest(`${place} must be an object of names and values`)
  const headers: RecordHeader[] = []
  for (const [key, value] of Object.entries(json)) {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value]
    for (const each of values) headers.push({ key, value: headerValue(each, `${place}.${key}`) })
  }
  return headers
}

function headerValue(json: unknown, place: string): Uint8Array | null {
  if (json === null) return null
  if (typeof json === 'string') return Buffer.from(json)
  const bytes = base64Object(json, place)
  if (bytes === null) throw badRequest(`${place} must be a string, null or {"base64": "…"}`)
  return bytes
}

/** −1 where none is given. */
function wholeNumber(json: unknown, most: number, place: string): number {
  if (json === undefined || json === null) return -1
  if (typeof json !== 'number' || !Number.isSafeInteger(json) || json < 0 || json > most)
    throw badRequest(`${place} must be a whole number from 0 to ${most}`)
  return json
}
