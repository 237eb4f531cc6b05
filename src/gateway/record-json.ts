import { isUtf8 } from 'node:buffer'
import type { KafkaRecord, RecordHeader } from '../protocol/batches/records.ts'
import { isJsonText } from './json-text.ts'

/**
 * How keys and values stand in JSON. `json`: as they are where they are JSON, as a string where they are UTF-8, else as
 * `{"base64": "…"}`. `string`: as a string wherever they are UTF-8. `base64`: always as `{"base64": "…"}`.
 */
export type JsonFormat = 'json' | 'string' | 'base64'

export const jsonFormats: readonly JsonFormat[] = ['json', 'string', 'base64']

/**
 * A record as every door shows it, as the text of a JSON object in one line. Values that are JSON stand there as they were
 * written, digit for digit: only their line breaks are spaces.
 */
export function recordJson(topic: string, partition: number, record: KafkaRecord, format: JsonFormat): string {
  const { offset, timestamp, key, value, headers } = record
  return (
    `{"topic":${JSON.stringify(topic)},"partition":${partition},"offset":${offset},"timestamp":${timestamp},` +
    `"key":${bytesJson(key, format)},"value":${bytesJson(value, format)},"headers":${headersJson(headers)}}`
  )
}

/** Bytes as the text of a JSON value. */
export function bytesJson(bytes: Uint8Array | null, format: JsonFormat): string {
  if (bytes === null) return 'null'
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (format === 'base64' || !isUtf8(buffer)) return `{"base64":"${buffer.toString('base64')}"}`
  const text = buffer.toString()
  return format === 'json' && isJson(text) ? text.replaceAll(/[\r\n]+/g, ' ') : JSON.stringify(text)
}

const plainJson = /^[ \t\r\n]*(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)[ \t\r\n]*$/

/** What may stand in a string but for the quote and the backslash is all from the blank on. */
const stringJson = /^[ \t\r\n]*"[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[ !#-[\]-\uffff]*)*"[ \t\r\n]*$/

/** Letters from which on a value is not made to see whether it can be. */
const longText = 16 * 1024

/** Looks at the first character first: most of what is not JSON is found out without the price of an exception. */
function isJson(text: string): boolean {
  if (text.length > longText) return isJsonText(text)
  const first = /[^ \t\r\n]/.exec(text)?.[0] ?? ''
  if (first === '"') return stringJson.test(text)
  if (first !== '{' && first !== '[') return plainJson.test(text)
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Names to values; a name that stands there more than once has a list of them. */
function headersJson(headers: readonly RecordHeader[]): string {
  if (headers.length === 0) return '{}'
  const values = new Map<string, string[]>()
  for (const { key, value } of headers) {
    const text = bytesJson(value, 'string')
    const known = values.get(key)
    if (known === undefined) values.set(key, [text])
    else known.push(text)
  }
  const fields = [...values].map(
    ([name, all]) => `${JSON.stringify(name)}:${all.length === 1 ? all[0] : `[${all.join(',')}]`}`,
  )
  return `{${fields.join(',')}}`
}
