import type { RecordHeader } from '../../protocol/batches/records.ts'
import { mustBeModest } from './json-size.ts'
import { elementSpans } from './json-source.ts'
import { badRequest, Problem } from './problem.ts'
import type { RecordInput } from './record-input.ts'

/** An event as a record; topic and time are those of the request. */
export type EventRecord = Pick<RecordInput, 'key' | 'value' | 'headers'>

/**
 * CloudEvents 1.0 from HTTP to Kafka, as the two protocol bindings have it: in binary mode attributes are headers and the data
 * is the value, in structured mode the whole event is the value. The extension `partitionkey` is the record's key in both.
 */

export const structuredType = 'application/cloudevents+json'
/** Kafka's binding knows no batches: each event becomes a record of its own, in structured mode. */
export const batchType = 'application/cloudevents-batch+json'

const required = ['id', 'source', 'specversion', 'type'] as const
const attributeName = /^[a-z0-9]{1,40}$/

/** `headers`: those of the request, names in small letters; those without `ce-` say nothing but the type of the data. */
export function binaryEvent(
  headers: Iterable<readonly [name: string, value: string]>,
  contentType: string | null,
  data: Uint8Array,
): EventRecord {
  const attributes = new Map<string, string>()
  for (const [name, value] of headers) {
    if (!name.startsWith('ce-')) continue
    const attribute = name.slice(3)
    if (!attributeName.test(attribute)) throw badRequest(`the header ${name} names no attribute of a CloudEvent`)
    attributes.set(attribute, decoded(name, value))
  }
  check(
    attribute => attributes.get(attribute),
    attribute => `the header ce-${attribute}`,
  )
  const own: RecordHeader[] = contentType === null ? [] : [{ key: 'content-type', value: Buffer.from(contentType) }]
  for (const [attribute, value] of attributes) own.push({ key: `ce_${attribute}`, value: Buffer.from(value) })
  return record(attributes.get('partitionkey'), data.length === 0 ? null : data, own)
}

export function structuredEvent(text: string): EventRecord {
  return structured(parsed(text), text, '')
}

export function eventBatch(text: string): EventRecord[] {
  const events = parsed(text)
  if (!Array.isArray(events)) throw badRequest('a batch of CloudEvents is an array')
  const spans = elementSpans(text)
  return events.map((event: unknown, index) => {
    const { from, to } = spans[index]!
    return structured(event, text.slice(from, to), `[${index}]`)
  })
}

const structuredHeaders: readonly RecordHeader[] = [
  { key: 'content-type', value: Buffer.from(`${structuredType}; charset=UTF-8`) },
]

function structured(event: unknown, text: string, place: string): EventRecord {
  if (typeof event !== 'object' || event === null || Array.isArray(event))
    throw badRequest(`${place || 'a CloudEvent'} must be an object`)
  const attributes = event as Readonly<Record<string, unknown>>
  const inside = (attribute: string) => (place === '' ? attribute : `${place}.${attribute}`)
  check(attribute => (Object.hasOwn(attributes, attribute) ? attributes[attribute] : undefined), inside)
  const { partitionkey } = attributes
  if (partitionkey !== undefined && typeof partitionkey !== 'string')
    throw badRequest(`${inside('partitionkey')} must be a string`)
  return record(partitionkey, Buffer.from(text), structuredHeaders)
}

function record(key: string | undefined, value: Uint8Array | null, headers: readonly RecordHeader[]): EventRecord {
  return { key: key === undefined ? null : Buffer.from(key), value, headers }
}

/** The attributes without which it is no event. */
function check(attributeOf: (name: string) => unknown, place: (attribute: string) => string): void {
  for (const attribute of required) {
    const value = attributeOf(attribute)
    if (typeof value !== 'string' || value === '')
      throw badRequest(`${place(attribute)} must be a string that is not empty: CloudEvents need it`)
  }
  if (attributeOf('specversion') !== '1.0') throw badRequest(`${place('specversion')} must be 1.0`)
}

/** Values of headers are percent-encoded, and may be quoted (HTTP binding, 3.1.3.2). */
function decoded(name: string, value: string): string {
  const plain = /^".*"$/.test(value) ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value
  if (!plain.includes('%')) return plain
  try {
    return decodeURIComponent(plain)
  } catch {
    throw badRequest(`the header ${name} is not percent-encoded UTF-8`)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(mustBeModest(text))
  } catch (error) {
    if (error instanceof Problem) throw error
    throw badRequest(`the body is not JSON: ${(error as Error).message}`)
  }
}
