import type { RecordToSend } from '../../client/producer-options.ts'
import type { RecordHeader } from '../../protocol/batches/records.ts'
import { mustBeModest } from './json-size.ts'
import { elementSpans, memberSpans, type Span } from './json-source.ts'
import { badRequest, Problem } from './problem.ts'

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

/** Where the records of a request go, and how they are meant. */
export interface InputTarget {
  readonly topic: string
  readonly formats: InputFormats
  /** What records have that say nothing else: ms; a number, or −1; text. */
  readonly now: number
  readonly partition: number
  readonly key: Uint8Array | null
}

/** A record as the rest of the request makes it: nothing is left out. */
export type RecordInput = Required<RecordToSend>

const noHeaders: readonly RecordHeader[] = []
const fields = new Set(['key', 'value', 'headers', 'partition', 'timestamp', 'topic', 'offset'])
const lastPartition = 0x7fffffff
/** Of one record. */
const mostHeaders = 10_000

/** One record, or what stands in `records`. Throws Problem 400, which names the place and what belongs there. */
export function recordsIn(
  text: string,
  target: InputTarget,
): { readonly records: readonly RecordInput[]; readonly batch: boolean } {
  const json = parse(text)
  const list = batchIn(json)
  if (list === null) return { records: [new RecordReader(text, target, false).read(json, 0)], batch: false }
  const reader = new RecordReader(text, target, true)
  const records: RecordInput[] = new Array(list.length)
  for (let index = 0; index < list.length; index++) records[index] = reader.read(list[index], index)
  return { records, batch: true }
}

/** One record alone, such as a line of NDJSON. */
export function recordInLine(text: string, target: InputTarget): RecordInput {
  return new RecordReader(text, target, false).read(parse(text), 0)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(mustBeModest(text))
  } catch (error) {
    if (error instanceof Problem) throw error
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

type Field = 'key' | 'value'

/** Turns what was parsed into records; looks into the text again only for what must stay as it was written. */
class RecordReader {
  readonly #text: string
  readonly #target: InputTarget
  readonly #batch: boolean
  #index = 0
  /** Of the records in the text; of the members of the present one. */
  #spans: readonly Span[] | null = null
  #members: Map<string, Span> | null = null

  constructor(text: string, target: InputTarget, batch: boolean) {
    this.#text = text
    this.#target = target
    this.#batch = batch
  }

  read(json: unknown, index: number): RecordInput {
    this.#index = index
    this.#members = null
    const { topic, formats, now } = this.#target
    if (typeof json !== 'object' || json === null || Array.isArray(json))
      throw this.#wrong('', 'must be an object with a value, such as {"key":"k","value":"v"}')
    for (const name in json) if (!fields.has(name)) throw this.#wrong(name, 'is not known here')
    const record = json as Partial<Record<Field | 'headers' | 'partition' | 'timestamp' | 'topic', unknown>>
    // Who leaves the value out by mistake would delete a key of a compacted topic.
    if (record.value === undefined) throw this.#wrong('value', 'is missing; null deletes the key')
    if (record.topic !== undefined && record.topic !== topic)
      throw this.#wrong('topic', `is not ${topic}, to which the records are sent`)
    const timestamp = this.#wholeNumber(record.timestamp, Number.MAX_SAFE_INTEGER, 'timestamp')
    const partition = this.#wholeNumber(record.partition, lastPartition, 'partition')
    return {
      topic,
      key: this.#bytes(record.key ?? null, formats.key, 'key') ?? this.#target.key,
      value: this.#bytes(record.value, formats.value, 'value'),
      headers: record.headers === undefined || record.headers === null ? noHeaders : this.#headers(record.headers),
      partition: partition < 0 ? this.#target.partition : partition,
      timestamp: timestamp < 0 ? now : timestamp,
    }
  }

  /** `name`: a field of the present record; '': the record itself. */
  #wrong(name: string, what: string): Problem {
    const record = this.#batch ? `records[${this.#index}]` : ''
    const place = [record, name].filter(part => part !== '').join('.')
    return badRequest(`${place === '' ? 'a record' : place} ${what}`)
  }

  #bytes(json: unknown, format: InputFormat, name: Field): Uint8Array | null {
    if (json === null) return null
    if (format === 'auto') {
      if (typeof json === 'string') return Buffer.from(json)
      return this.#base64Object(json, name) ?? Buffer.from(this.#written(name))
    }
    if (format === 'json') return Buffer.from(this.#written(name))
    if (typeof json !== 'string') throw this.#wrong(name, `must be a string or null, as its format is ${format}`)
    return format === 'base64' ? this.#base64(json, name) : Buffer.from(json)
  }

  #written(name: Field): string {
    this.#members ??= memberSpans(this.#text, this.#batch ? this.#start() : 0)
    const { from, to } = this.#members.get(name) as Span
    return this.#text.slice(from, to)
  }

  #start(): number {
    this.#spans ??= elementSpans(this.#text, memberSpans(this.#text).get('records')?.from ?? 0)
    return this.#spans[this.#index]?.from ?? 0
  }

  /** `{"base64": "…"}`, and nothing beside it. */
  #base64Object(json: unknown, name: string): Uint8Array | null {
    if (typeof json !== 'object' || json === null || !('base64' in json) || Object.keys(json).length > 1) return null
    return typeof json.base64 === 'string' ? this.#base64(json.base64, `${name}.base64`) : null
  }

  /** Also the alphabet for URLs (RFC 4648). Node skips what does not belong there, so the length tells. */
  #base64(text: string, name: string): Buffer {
    const bytes = Buffer.from(text, 'base64')
    let length = text.length
    while (length > 0 && text.charCodeAt(length - 1) === 0x3d) length--
    if (bytes.length !== Math.floor((length * 3) / 4) || length % 4 === 1) throw this.#wrong(name, 'must be base64')
    return bytes
  }

  /** Names to values; a list where a name comes more than once. */
  #headers(json: unknown): readonly RecordHeader[] {
    if (typeof json !== 'object' || json === null || Array.isArray(json))
      throw this.#wrong('headers', 'must be an object of names and values')
    const headers: RecordHeader[] = []
    for (const [key, value] of Object.entries(json)) {
      const values: readonly unknown[] = Array.isArray(value) ? value : [value]
      for (const each of values) headers.push({ key, value: this.#headerValue(each, `headers.${key}`) })
      if (headers.length > mostHeaders) throw this.#wrong('headers', `must not be more than ${mostHeaders}`)
    }
    return headers
  }

  #headerValue(json: unknown, name: string): Uint8Array | null {
    if (json === null) return null
    if (typeof json === 'string') return Buffer.from(json)
    const bytes = this.#base64Object(json, name)
    if (bytes === null) throw this.#wrong(name, 'must be a string, null or {"base64": "…"}')
    return bytes
  }

  /** −1 where none is given. */
  #wholeNumber(json: unknown, most: number, name: string): number {
    if (json === undefined || json === null) return -1
    if (typeof json !== 'number' || !Number.isSafeInteger(json) || json < 0 || json > most)
      throw this.#wrong(name, `must be a whole number from 0 to ${most}`)
    return json
  }
}
