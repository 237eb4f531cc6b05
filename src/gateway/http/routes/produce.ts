import type { Gateway } from '../../gateway.ts'
import { httpUrl } from '../addresses.ts'
import { topicName } from '../describing.ts'
import { memberSpans, type Span } from '../json-source.ts'
import { Problem } from '../problem.ts'
import type { HttpAnswer, HttpRequest, Operation, Route } from '../route.ts'
import { brokerName } from './health.ts'
import { recordResult } from './record-schemas.ts'

/** `forward=true`: who is not the leader writes the message itself. */
const forward = 'forward'

const operation: Operation = {
  operationId: 'produce',
  summary: 'Write a message to a topic, at the leader',
  description: [
    'The simplest way in: a topic and a message. As in clusters with a single leader, a node that does not lead sends the',
    'client there (307 with `Location`); with `forward=true` it writes the message itself. `POST /topics/{topic}/records` does',
    'the same at any node.',
  ].join('\n'),
  tags: ['records'],
  parameters: [
    {
      name: forward,
      in: 'query',
      description: 'Write the message at this node, whoever leads',
      schema: { type: 'boolean', default: false },
    },
  ],
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: {
          title: 'Message',
          type: 'object',
          required: ['topic', 'message'],
          properties: {
            topic: topicName,
            message: { description: 'Text, or any JSON' },
            key: { type: ['string', 'null'], description: 'Messages with the same key stay in order' },
          },
        },
        example: { message: 'Your message here', topic: 'your-topic' },
      },
    },
  },
  responses: {
    200: {
      description: 'The message is written and safe',
      content: {
        'application/json': {
          schema: {
            ...recordResult,
            title: 'Produced',
            required: ['status', ...(recordResult.required ?? []), 'broker'],
            properties: {
              status: { type: 'string', enum: ['success'] },
              ...recordResult.properties,
              broker: { type: 'string', description: 'The node that answers' },
            },
          },
        },
      },
    },
    307: {
      description: 'Another node leads',
      headers: { location: { description: 'Where to send the same request', schema: { type: 'string' } } },
      content: {
        'application/json': {
          schema: { type: 'object', properties: { leader: { type: 'string' }, location: { type: 'string' } } },
        },
      },
    },
  },
}

async function handle(request: HttpRequest, gateway: Gateway): Promise<HttpAnswer> {
  const { topic, message, key = null } = await request.json<{ topic: string; message: unknown; key?: string | null }>()
  if (request.inputs[forward] !== true) {
    const elsewhere = leaderElsewhere(request, gateway)
    if (elsewhere !== null) return elsewhere
  }
  const value = Buffer.from(typeof message === 'string' ? message : await written(request))
  const record = { topic, key: key === null ? null : Buffer.from(key), value }
  const { partition, offset, timestamp } = await gateway.client.pusher(-1).send(record)
  const broker = brokerName(gateway.node.nodeId)
  return { json: { status: 'success', topic, partition, offset, timestamp, broker } }
}

/** A message that is no text, as it was written. */
async function written(request: HttpRequest): Promise<string> {
  const text = (await request.body()).toString()
  const { from, to } = memberSpans(text).get('message') as Span
  return text.slice(from, to)
}

/** Null: this node leads, or is a gateway. */
function leaderElsewhere(request: HttpRequest, gateway: Gateway): HttpAnswer | null {
  const leader = gateway.node.leader()
  // A gateway never leads, and is where its clients are to go.
  if (leader === gateway.node.nodeId || gateway.node.broker === null) return null
  const url = leader === null ? null : httpUrl(gateway, leader, request)
  if (leader === null || url === null) {
    const detail = 'Nobody leads the cluster now, or it cannot be reached over HTTP; ?forward=true does without'
    throw new Problem(503, 'no-leader', 'There is no leader', detail, { retriable: true }, { 'retry-after': '1' })
  }
  const location = `${url}${request.path}`
  return { status: 307, headers: { location }, json: { leader: brokerName(leader), location } }
}

export const produce: readonly Route[] = [{ method: 'POST', path: '/produce', operation, handle }]
