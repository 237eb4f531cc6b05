import { commitOffsets } from '../../../client/group-offsets.ts'
import { KafkaError } from '../../../protocol/errors.ts'
import type { Timers } from '../../../world/world.ts'
import { TooManyStreams } from '../../events/desk.ts'
import { eventsOf } from '../../events/encode.ts'
import { eventDesk } from '../../events/of-gateway.ts'
import { longestId, parseGroupPosition, parsePosition } from '../../events/position.ts'
import { type From, parseFrom, startAt, startOf } from '../../events/start.ts'
import type { EventStream } from '../../events/stream.ts'
import type { Gateway } from '../../gateway.ts'
import type { JsonFormat } from '../../record-json.ts'
import { topicParameter } from '../describing.ts'
import { badRequest, Problem } from '../problem.ts'
import type { HttpAnswer, HttpRequest, Operation, Parameter, Route } from '../route.ts'
import { formatParameter } from './record-schemas.ts'

/** As proxies and browsers want it: passed on at once, as it is. */
const headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
} as const

const groupParameter: Parameter = {
  name: 'group',
  in: 'query',
  description: 'Share the topic with all subscribers of this consumer group: each record goes to one of them',
  schema: { type: 'string', minLength: 1, maxLength: 249 },
}

const idText = { type: 'string', maxLength: longestId } as const

const subscribe: Operation = {
  operationId: 'subscribe',
  summary: 'Subscribe to a topic by server-sent events',
  description:
    'Each record is an event whose data is the record as JSON. The `id` of an event says where the reader then stands in all partitions (offsets of the next records, in the order of the partitions, with commas, and four letters of the id of the topic: `15,0,7@k3Fx`): sent back as `Last-Event-ID`, as `EventSource` does by itself, the stream goes on exactly there, at any node. An event `gap` says that records were gone before they could be sent. With `group` the partitions are shared out among the subscribers of a consumer group, from its committed offsets on; nothing is committed until an id is sent to `…/events/ack`, and what was not is sent again when partitions change hands, which an event `assigned` tells. Who does not read is sent nothing more, and is cut after a while; its last id is where it goes on.',
  tags: ['Events'],
  parameters: [
    topicParameter,
    {
      name: 'from',
      in: 'query',
      description:
        'Where to begin without an id: `latest`, `earliest`, or a time (ms since 1970, or ISO 8601 with a zone). Default: `latest`; with `group`, which begins there when it has committed nothing, `earliest`',
      schema: { type: 'string', minLength: 1, maxLength: 40 },
      example: 'earliest',
    },
    {
      name: 'key',
      in: 'query',
      description: 'Only records with this key; may be given more than once',
      schema: { type: 'string' },
    },
    groupParameter,
    formatParameter,
    {
      name: 'lastEventId',
      in: 'query',
      description: 'As the header `Last-Event-ID`, for who cannot set one; the header goes first',
      schema: idText,
    },
    { name: 'last-event-id', in: 'header', description: 'The id of the last event that was got', schema: idText },
  ],
  responses: {
    200: {
      description: 'A stream that does not end by itself',
      content: {
        'text/event-stream': {
          schema: { type: 'string' },
          example: 'id: 15,0,7@k3Fx\ndata: {"topic":"orders","partition":0,"offset":14,"value":"hello"}\n\n',
        },
      },
    },
  },
}

const acknowledge: Operation = {
  operationId: 'acknowledgeEvents',
  summary: 'Commit what a subscriber of a group has done',
  description:
    'Commits the offsets in an id that came with an event of this group: that event and everything before it in the partitions of the subscriber. Any node takes it. 409: the partitions were shared out anew since; what was not acknowledged is sent again.',
  tags: ['Events'],
  parameters: [topicParameter, { ...groupParameter, required: true, description: 'The consumer group' }],
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: { type: 'object', required: ['id'], properties: { id: { ...idText, minLength: 1 } } },
        example: { id: '0:15,2:7;3;ottla-gateway-5e0c' },
      },
    },
  },
  responses: {
    200: {
      description: 'It is committed',
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['group', 'topic', 'offsets'],
            properties: {
              group: { type: 'string' },
              topic: { type: 'string' },
              offsets: {
                type: 'array',
                description: 'Offsets of the next records',
                items: {
                  type: 'object',
                  required: ['partition', 'offset'],
                  properties: { partition: { type: 'integer' }, offset: { type: 'integer' } },
                },
              },
            },
          },
        },
      },
    },
  },
}

export const events: readonly Route[] = [
  { method: 'GET', path: '/topics/{topic}/events', operation: subscribe, handle: begin },
  { method: 'POST', path: '/topics/{topic}/events/ack', operation: acknowledge, handle: commit },
]

async function begin(request: HttpRequest, gateway: Gateway): Promise<HttpAnswer> {
  const {
    topic,
    from: fromText,
    group,
    valueFormat,
    lastEventId,
  } = request.inputs as {
    topic: string
    from?: string
    group?: string
    valueFormat: JsonFormat
    lastEventId?: string
  }
  const named = request.query.getAll('key').map(key => Buffer.from(key).toString('latin1'))
  const keys = named.length === 0 ? null : new Set(named)
  const from = fromOf(fromText, group === undefined ? 'latest' : 'earliest')
  const id = group === undefined ? request.header('last-event-id') || lastEventId || null : null
  const position = id === null ? null : parsePosition(id)
  if (id !== null && position === null)
    throw badRequest('The last event id is none of ours: offsets with commas, such as 15,0,7@k3Fx')
  const desk = eventDesk(gateway)
  // A HEAD asks what a GET would be, not for a stream.
  if (request.method === 'HEAD') {
    await gateway.client.topic(topic)
    return { headers }
  }
  const open = () => streamOf(request, gateway.world.timers)
  try {
    if (group === undefined) {
      await desk.subscribe(
        { topic, codec: eventsOf(valueFormat), keys },
        (hub, cluster) => (position === null ? startOf(from, hub, cluster) : startAt(position, hub, cluster)),
        open,
      )
    } else {
      if (typeof from === 'object') throw badRequest('A group begins at `earliest` or `latest`, not at a time')
      await desk.subscribeGroup({ topic, format: valueFormat, keys }, group, from, open)
    }
  } catch (error) {
    if (error instanceof RangeError) throw badRequest(error.message)
    if (!(error instanceof TooManyStreams)) throw error
    throw new Problem(503, 'too-many-streams', 'Too many streams', error.message, {}, { 'retry-after': '5' })
  }
  return { sent: true }
}

function fromOf(text: string | undefined, otherwise: From): From {
  const from = text === undefined ? otherwise : parseFrom(text)
  if (from === null)
    throw badRequest(
      `The query parameter from is earliest, latest, ms since 1970 or a time of ISO 8601 with its zone; not ${text}`,
    )
  return from
}

function streamOf(request: HttpRequest, timers: Pick<Timers, 'soon'>): EventStream {
  const outlet = request.respond(200, headers)
  const { signal } = request
  return {
    write: bytes => void outlet.write(bytes),
    get unsent() {
      return outlet.unsent
    },
    onDrain: run => outlet.onDrain(run),
    onClose: run => {
      // The client may have gone while its stream was prepared.
      if (signal.aborted) timers.soon(run)
      else signal.addEventListener('abort', run, { once: true })
    },
    end: () => void outlet.end(),
    destroy: () => outlet.destroy(),
  }
}

async function commit(request: HttpRequest, { client }: Gateway): Promise<HttpAnswer> {
  const { topic, group } = request.inputs as { topic: string; group: string }
  const { id } = await request.json<{ id: string }>()
  const position = parseGroupPosition(id)
  if (position === null)
    throw badRequest(
      'This is not the id of an event that came to a subscriber of a group, such as 0:15,2:7;3;ottla-gateway-5e0c',
    )
  const { memberId, generationId } = position
  const offsets = [...position.offsets].map(([partition, offset]) => ({ partition, offset }))
  const commits = offsets.map(each => ({ topic, ...each }))
  try {
    await commitOffsets(client.cluster, group, commits, { memberId, generationId, groupInstanceId: null })
  } catch (error) {
    throw error instanceof KafkaError && outdated.has(error.errorName) ? late(error) : error
  }
  return { json: { group, topic, offsets } }
}

const outdated = new Set(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS', 'FENCED_INSTANCE_ID'])

function late({ errorName, code }: KafkaError): Problem {
  const detail =
    'The partitions were shared out anew since this id was given out. What was not acknowledged is sent again, with new ids'
  return new Problem(409, 'late-acknowledgement', 'Too late', detail, { error: errorName, code, retriable: false })
}
