import type { RecordHeader } from '../../../protocol/batches/records.ts'
import type { Gateway } from '../../gateway.ts'
import { textOf } from '../body-text.ts'
import {
  batchType,
  binaryEvent,
  type EventRecord,
  eventBatch,
  structuredEvent,
  structuredType,
} from '../cloud-events.ts'
import { topicParameter } from '../describing.ts'
import { badRequest, Problem } from '../problem.ts'
import { acksOf, pushAll, pushOnce, pushOne, type Target } from '../push.ts'
import { LineReport, pushLines, Summary } from '../push-lines.ts'
import {
  type InputFormat,
  type InputTarget,
  inputFormats,
  type RecordInput,
  recordInLine,
  recordsIn,
} from '../record-input.ts'
import type { HttpAnswer, HttpRequest, Operation, Route } from '../route.ts'
import { read } from './read-records.ts'
import {
  batchResult,
  eventSchema,
  idempotencyKey,
  linesResult,
  newRecord,
  newRecords,
  partitionParameter,
  recordResult,
} from './record-schemas.ts'

const lineTypes: ReadonlySet<string> = new Set(['application/x-ndjson', 'application/ndjson', 'application/jsonl'])
const binaryType = 'application/octet-stream'
/** Headers of a request with this prefix are headers of the record. */
const headerPrefix = 'ottla-header-'

const operation: Operation = {
  operationId: 'pushRecords',
  summary: 'Write records',
  description: [
    'One record, many at once, a stream of them, or CloudEvents; what comes is said by `Content-Type`.',
    'The answer comes when the records are written as `acks` asks, with the place of each.',
    'A topic that does not exist is made where the broker does that (`auto.create.topics.enable`).',
    '',
    '- `application/json`: a record, or `{"records": […]}`. Values are text or any JSON, which is kept as it was written, digit',
    '  for digit; `{"base64": "…"}` stands for bytes. All records of a batch are checked before the first is written.',
    '- `application/x-ndjson`: a record each line, in a body of any length. The answer counts what was written; with',
    '  `Accept: application/x-ndjson` it has a line for each line instead, while they come: then read it while you send.',
    '- `application/octet-stream`: the body is the value of one record; key and partition come from the query, headers from',
    `  request headers whose names begin with \`${headerPrefix}\`.`,
    '- CloudEvents 1.0 by their Kafka binding: binary (`ce-…` headers), structured, and batches, whose events become a',
    '  record each. The extension `partitionkey` is the key.',
    '',
    'When only some records of a batch could be written the status is 207, and each has its place or its problem.',
  ].join('\n'),
  tags: ['records'],
  parameters: [
    topicParameter,
    {
      name: 'acks',
      in: 'query',
      description:
        'Who must have the records before the answer: `all` in-sync replicas, the leader (`1`), or nobody (`0`: status 202)',
      schema: { type: 'string', enum: ['all', '1', '0'], default: 'all' },
    },
    { ...partitionParameter, description: 'For records that name none. Left out: by the key, or any' },
    {
      name: 'key',
      in: 'query',
      description: 'For records that have none, as text',
      schema: { type: 'string' },
    },
    {
      name: 'valueFormat',
      in: 'query',
      description:
        'How values are meant. `auto`: strings are text, all else is JSON; `json`: strings are JSON, too; `string`, `base64`: only strings',
      schema: { type: 'string', enum: inputFormats, default: 'auto' },
    },
    {
      name: 'keyFormat',
      in: 'query',
      description: 'The same for keys',
      schema: { type: 'string', enum: inputFormats, default: 'auto' },
    },
    idempotencyKey,
  ],
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: { anyOf: [newRecord, newRecords] },
        example: { key: 'k', value: { hello: 'world' } },
      },
      'application/x-ndjson': { schema: { type: 'string', description: 'A record each line' } },
      [binaryType]: { schema: { type: 'string', format: 'binary' } },
      [structuredType]: { schema: eventSchema },
      [batchType]: { schema: { type: 'array', items: eventSchema } },
    },
  },
  responses: {
    200: {
      description: 'All records are written',
      content: {
        'application/json': { schema: { anyOf: [recordResult, batchResult, linesResult] } },
        'application/x-ndjson': { schema: { type: 'string' } },
      },
    },
    202: {
      description: 'With acks 0: they are on their way',
      content: { 'application/json': { schema: { type: 'object' } } },
    },
    207: {
      description: 'Some records are written',
      content: { 'application/json': { schema: { anyOf: [batchResult, linesResult] } } },
    },
  },
}

async function push(request: HttpRequest, gateway: Gateway): Promise<HttpAnswer> {
  const {
    acks,
    partition = -1,
    key = null,
    valueFormat,
    keyFormat,
  } = request.inputs as {
    acks: keyof typeof acksOf
    partition?: number
    key?: string
    valueFormat: InputFormat
    keyFormat: InputFormat
  }
  const topic = request.parameters.topic ?? ''
  const target: Target = { topic, acks: acksOf[acks], pusher: gateway.client.pusher(acksOf[acks]) }
  const input: InputTarget = {
    topic,
    formats: { key: keyFormat, value: valueFormat },
    now: gateway.world.clock.now(),
    partition,
    key: key === null ? null : Buffer.from(key),
  }
  const once = request.inputs['idempotency-key'] as string | undefined
  if (once !== undefined && target.acks !== -1) throw badRequest('an idempotency key needs acks=all')
  if (lineTypes.has(request.contentType) && once === undefined) return pushStream(request, gateway, target, input)

  const body = await request.body()
  const { records, batch } = recordsOf(request, body, input)
  if (once !== undefined) return pushOnce(target, once, body, records, batch)
  const [first] = records
  return batch || first === undefined ? pushAll(target, records, body.length) : pushOne(target, first)
}

interface Taken {
  readonly records: readonly RecordInput[]
  readonly batch: boolean
}

function recordsOf(request: HttpRequest, body: Buffer, input: InputTarget): Taken {
  const type = request.contentType
  const one = (event: EventRecord): Taken => ({ records: [withDefaults(event, input)], batch: false })
  if (type === structuredType) return one(structuredEvent(textOf(body)))
  if (type === batchType) {
    return { records: eventBatch(textOf(body)).map(event => withDefaults(event, input)), batch: true }
  }
  // Their names make a browser ask before it sends them for a page of another origin, whatever type the data has.
  if (request.header('ce-specversion') !== null) {
    return one(binaryEvent(request.headers('ce-'), request.header('content-type'), body))
  }
  if (lineTypes.has(type)) {
    const lines = textOf(body)
      .split('\n')
      .filter(line => line.trim() !== '')
    return { records: lines.map(line => recordInLine(line, input)), batch: true }
  }
  if (type === 'application/json' || type.endsWith('+json')) return recordsIn(textOf(body), input)
  if (type === binaryType) return one({ key: null, value: body, headers: recordHeaders(request) })
  const detail = `records come as application/json, application/x-ndjson, ${binaryType} or CloudEvents, not as ${type || 'nothing'}`
  throw new Problem(415, 'unsupported-media-type', 'The body is of another kind', detail)
}

function withDefaults(event: EventRecord, { topic, partition, key, now }: InputTarget): RecordInput {
  return { ...event, topic, key: event.key ?? key, partition, timestamp: now }
}

function recordHeaders(request: HttpRequest): RecordHeader[] {
  const headers = request.headers(headerPrefix)
  return headers.map(([name, text]) => ({ key: name.slice(headerPrefix.length), value: Buffer.from(text) }))
}

/** A body that is never held as a whole. */
async function pushStream(
  request: HttpRequest,
  gateway: Gateway,
  target: Target,
  input: InputTarget,
): Promise<HttpAnswer> {
  // What is wrong with all lines is said before the first is read.
  await target.pusher.topic(target.topic)
  const lineBytes = gateway.config.get('http.request.max.bytes')
  const wanted = request.header('accept') ?? ''
  if (![...lineTypes].some(type => wanted.includes(type))) {
    const summary = new Summary()
    await pushLines(request, target, input, lineBytes, summary)
    return summary.answer(target)
  }
  const outlet = request.respond(200, { 'content-type': 'application/x-ndjson' })
  await pushLines(request, target, input, lineBytes, new LineReport(outlet))
  return outlet.end()
}

export const records: readonly Route[] = [
  { method: 'POST', path: '/topics/{topic}/records', operation, handle: push },
  read,
]
