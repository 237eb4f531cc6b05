import { jsonFormats } from '../../record-json.ts'
import { partitionNumber } from '../describing.ts'
import type { Parameter } from '../route.ts'
import type { Schema } from '../schema.ts'

export const partitionParameter: Parameter = {
  name: 'partition',
  in: 'query',
  description: 'Number of the partition',
  schema: partitionNumber,
}

export const formatParameter: Parameter = {
  name: 'valueFormat',
  in: 'query',
  description:
    'How keys and values are shown. `json`: as JSON where they are, else as text, else as `{"base64": "…"}`; `string`: as text wherever possible',
  schema: { type: 'string', enum: jsonFormats, default: 'json' },
}

export const idempotencyKey: Parameter = {
  name: 'idempotency-key',
  in: 'header',
  description:
    'Any text that stands for this request. When it is sent again with the same body, to whatever node, what was written is not written again, and the answer names the same partitions and offsets. Partitions remember it as they remember producers: for `producer.id.expiration.ms` (a day), or until 10,000 younger producers and keys have written to them. What goes to one partition must fit into one batch',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
}

const bytes = { description: 'Text, any JSON, or `{"base64": "…"}`' } as const satisfies Schema

const headers: Schema = {
  type: ['object', 'null'],
  description: 'Names to texts, `{"base64": "…"}` or null; a list where a name comes more than once',
  additionalProperties: true,
}

export const newRecord: Schema = {
  title: 'NewRecord',
  type: 'object',
  required: ['value'],
  properties: {
    key: bytes,
    value: { description: `${bytes.description}; null deletes the key in a compacted topic` },
    headers,
    partition: {
      type: ['integer', 'null'],
      minimum: 0,
      maximum: 0x7fffffff,
      description: 'Left out: by the key, or any',
    },
    timestamp: { type: ['integer', 'null'], minimum: 0, description: 'ms since 1970; left out: now' },
    topic: { type: 'string', description: 'That of the path: a record that was read can be sent again' },
    offset: { type: 'integer', description: 'Ignored' },
  },
}

export const newRecords: Schema = {
  title: 'NewRecords',
  type: 'object',
  required: ['records'],
  properties: { records: { type: 'array', items: newRecord } },
}

const place = {
  partition: { type: 'integer' },
  offset: { type: ['integer', 'null'], description: 'null with acks 0: nobody knows' },
  timestamp: { type: 'integer', description: 'ms since 1970' },
} as const satisfies Record<string, Schema>

export const recordResult: Schema = {
  title: 'RecordPlace',
  type: 'object',
  required: ['topic', 'partition', 'offset', 'timestamp'],
  properties: { topic: { type: 'string' }, ...place },
}

const problem: Schema = { type: 'object', description: 'A problem document (RFC 9457)', additionalProperties: true }

export const batchResult: Schema = {
  title: 'RecordPlaces',
  type: 'object',
  required: ['topic', 'records'],
  properties: {
    topic: { type: 'string' },
    failed: { type: 'integer', description: 'How many were not written; missing when there is none' },
    records: {
      type: 'array',
      description: 'In the order of the request: a place or an `error`',
      items: { type: 'object', properties: { ...place, error: problem } },
    },
  },
}

export const linesResult: Schema = {
  title: 'WrittenLines',
  type: 'object',
  required: ['topic', 'written', 'failed', 'partitions'],
  properties: {
    topic: { type: 'string' },
    written: { type: 'integer' },
    failed: { type: 'integer' },
    partitions: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          partition: { type: 'integer' },
          records: { type: 'integer' },
          firstOffset: { type: ['integer', 'null'] },
          lastOffset: { type: ['integer', 'null'] },
        },
      },
    },
    errors: {
      type: 'array',
      description: 'The first hundred, by the number of the line',
      items: { type: 'object', properties: { line: { type: 'integer' }, error: problem } },
    },
  },
}

export const readRecord: Schema = {
  title: 'Record',
  type: 'object',
  required: ['topic', 'partition', 'offset', 'timestamp', 'key', 'value', 'headers'],
  properties: {
    topic: { type: 'string' },
    partition: place.partition,
    offset: { type: 'integer' },
    timestamp: place.timestamp,
    key: bytes,
    value: bytes,
    headers,
  },
}

export const eventSchema: Schema = {
  title: 'CloudEvent',
  type: 'object',
  required: ['id', 'source', 'specversion', 'type'],
  properties: {
    id: { type: 'string', minLength: 1 },
    source: { type: 'string', minLength: 1 },
    specversion: { type: 'string', enum: ['1.0'] },
    type: { type: 'string', minLength: 1 },
    partitionkey: { type: 'string' },
  },
  additionalProperties: true,
}
