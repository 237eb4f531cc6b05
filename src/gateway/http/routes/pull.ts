import type { Begin, Settlement } from '../../../shares/commands.ts'
import { Breath } from '../../breath.ts'
import type { Gateway } from '../../gateway.ts'
import { type LeaseId, leaseIdPattern, readLeaseId, showLeaseId } from '../../leases/lease-id.ts'
import { type Leased, type Pull, type Pulled, type Puller, pullerOf } from '../../leases/puller.ts'
import { type JsonFormat, recordJson } from '../../record-json.ts'
import { topicParameter } from '../describing.ts'
import { badRequest, Problem } from '../problem.ts'
import type { HttpAnswer, HttpRequest, Operation, Parameter, Route } from '../route.ts'
import type { Schema } from '../schema.ts'
import { formatParameter, readRecord } from './record-schemas.ts'

const tags = ['Pull']

const longestWaitMs = 60_000
const longestLeaseMs = 3_600_000
const mostRecords = 1000
const mostSettlements = 1000

const leaseParameter: Parameter = {
  name: 'leaseId',
  in: 'path',
  required: true,
  description: 'As it came with the record',
  schema: { type: 'string', maxLength: 1500, pattern: leaseIdPattern },
}

const leaseMs = (description: string): Parameter => ({
  name: 'leaseMs',
  in: 'query',
  description,
  schema: { type: 'integer', minimum: 100, maximum: longestLeaseMs },
})

const pullOperation: Operation = {
  operationId: 'pull',
  summary: 'Take single messages from a topic',
  description:
    'Hands out records to the workers of a group, each to one of them, with a lease: until it ends nobody else gets the record. Say with the lease what became of it: `ack` (done), `release` (somebody else shall try), `reject` (nobody can), `renew` (more time). A record whose lease ends, or that is released, is handed out again, up to `group.share.delivery.count.limit` times; then it goes to the dead-letter topic, as a rejected one does. Workers may come to any node, and to another one each time. Records are delivered at least once.',
  tags,
  parameters: [
    topicParameter,
    {
      name: 'group',
      in: 'query',
      description: 'Workers of one group share the records; each group gets all of them',
      schema: { type: 'string', minLength: 1, maxLength: 249, default: 'default' },
    },
    {
      name: 'max',
      in: 'query',
      description: 'Records at most; it is fewer where they are larger than some MiB together',
      schema: { type: 'integer', minimum: 1, maximum: mostRecords, default: 1 },
    },
    {
      name: 'waitMs',
      in: 'query',
      description: 'How long to wait for a first record, ms',
      schema: { type: 'integer', minimum: 0, maximum: longestWaitMs, default: 0 },
    },
    leaseMs(
      'How long the leases are; not longer than `group.share.max.record.lock.duration.ms`. Left out: as is usual',
    ),
    {
      name: 'from',
      in: 'query',
      description: 'Where a group begins that is new to the topic',
      schema: { type: 'string', enum: ['earliest', 'latest'], default: 'earliest' },
    },
    {
      name: 'autoAck',
      in: 'query',
      description: 'Count records as done when they are handed out: whoever loses the answer loses them',
      schema: { type: 'boolean', default: false },
    },
    formatParameter,
  ],
  responses: {
    200: {
      description: 'Records; none when there was none in time',
      content: {
        'application/json': {
          schema: {
            title: 'PulledRecords',
            type: 'object',
            required: ['topic', 'group', 'leaseMs', 'records'],
            properties: {
              topic: { type: 'string' },
              group: { type: 'string' },
              leaseMs: { type: ['integer', 'null'], description: 'How long the leases are; null: there are none' },
              records: {
                type: 'array',
                items: {
                  ...readRecord,
                  title: 'LeasedRecord',
                  required: [...(readRecord.required ?? []), 'leaseId', 'deliveryCount'],
                  properties: {
                    ...readRecord.properties,
                    leaseId: { type: ['string', 'null'], description: 'null with `autoAck`' },
                    deliveryCount: { type: 'integer', description: '1 for the first time' },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
}

interface PullInputs {
  readonly topic: string
  readonly group: string
  readonly max: number
  readonly waitMs: number
  readonly leaseMs?: number
  readonly from: Begin
  readonly autoAck: boolean
  readonly valueFormat: JsonFormat
}

async function handlePull(request: HttpRequest, gateway: Gateway): Promise<HttpAnswer> {
  const inputs = request.inputs as unknown as PullInputs
  const { topic, group, max, waitMs, from } = inputs
  const puller = await pullerOf(gateway)
  // A worker may be there before its topic.
  if (gateway.cluster.knownTopic(topic) === null) await gateway.client.topic(topic, true)
  const wish = { groupId: group, topic, begin: from, max, leaseMs: inputs.leaseMs ?? -1 }
  const found = await pulled(puller, wish, waitMs, request, gateway)
  try {
    return await answer(found, inputs, puller, gateway)
  } finally {
    puller.given(found)
  }
}

async function answer(
  { leaseMs, records }: Pulled,
  { topic, group, autoAck, valueFormat }: PullInputs,
  puller: Puller,
  gateway: Gateway,
): Promise<HttpAnswer> {
  const name = (leased: Leased): LeaseId => ({
    groupId: group,
    partition: leased.partition,
    offset: leased.record.offset,
    lease: leased.lease,
  })
  if (autoAck) await Promise.all(records.map(leased => puller.settle(topic, name(leased), 'accept')))
  const shown: string[] = []
  const breath = new Breath(gateway.world.timers)
  for (const leased of records) {
    const { partition, record, deliveryCount } = leased
    const lease = autoAck ? 'null' : `"${showLeaseId(name(leased))}"`
    const text = recordJson(topic, partition, record, valueFormat)
    shown.push(`${text.slice(0, -1)},"leaseId":${lease},"deliveryCount":${deliveryCount}}`)
    const pause = breath.after(text.length)
    if (pause !== null) await pause
  }
  const head = `{"topic":${JSON.stringify(topic)},"group":${JSON.stringify(group)},"leaseMs":${records.length === 0 ? null : leaseMs}`
  return { bytes: `${head},"records":[${shown.join(',')}]}`, type: 'application/json' }
}

/** Most find something at once, and cost no signal. */
async function pulled(
  puller: Puller,
  wish: Omit<Pull, 'waitMs' | 'signal'>,
  waitMs: number,
  request: HttpRequest,
  gateway: Gateway,
): Promise<Pulled> {
  const { clock } = gateway.world
  const until = clock.mono() + waitMs
  const found = await puller.pull({ ...wish, waitMs: 0, signal: null })
  const left = until - clock.mono()
  if (found.records.length > 0 || left <= 0) return found
  return puller.pull({ ...wish, waitMs: left, signal: AbortSignal.any([request.signal, gateway.stopping]) })
}

/** What workers say of a record, and what it is to the group. */
const actions = {
  ack: 'accept',
  release: 'release',
  reject: 'reject',
  renew: 'renew',
} as const satisfies Record<string, Settlement>

type Action = keyof typeof actions

const settled: Schema = {
  title: 'SettledLease',
  type: 'object',
  required: ['leaseId', 'action'],
  properties: { leaseId: { type: 'string' }, action: { type: 'string', enum: Object.keys(actions) } },
}

const doc: { readonly [action in Action]: { readonly summary: string; readonly description: string } } = {
  ack: { summary: 'A record is done', description: 'It is not handed out again. To say so twice is no error.' },
  release: {
    summary: 'Give a record back',
    description: 'Another worker gets it, at once or after `delayMs`, unless it was handed out too often already.',
  },
  reject: {
    summary: 'Nobody can do anything with a record',
    description: 'It goes to the dead-letter topic, with `reason` in the header `__dlq.errors.message`.',
  },
  renew: { summary: 'More time for a record', description: 'The lease begins again, now.' },
}

const delayParameter: Parameter = {
  name: 'delayMs',
  in: 'query',
  description: 'How long nobody gets it, ms. Left out: as is usual',
  schema: { type: 'integer', minimum: 0, maximum: longestLeaseMs },
}

const reasonParameter: Parameter = {
  name: 'reason',
  in: 'query',
  description: 'Why, for whoever reads the dead letters',
  schema: { type: 'string', maxLength: 500 },
}

function parametersOf(action: Action): readonly Parameter[] {
  const always = [topicParameter, leaseParameter]
  if (action === 'release') return [...always, delayParameter]
  if (action === 'reject') return [...always, reasonParameter]
  return action === 'renew' ? [...always, leaseMs('How long the lease is from now on. Left out: as is usual')] : always
}

function settleRoute(action: Action): Route {
  const path = `/topics/{topic}/leases/{leaseId}/${action}`
  const operation: Operation = {
    operationId: `${action}Lease`,
    ...doc[action],
    description: `${doc[action].description} 409: the lease is over, or never was.`,
    tags,
    parameters: parametersOf(action),
    responses: { 200: { description: 'So it is', content: { 'application/json': { schema: settled } } } },
  }
  const handle = async (request: HttpRequest, gateway: Gateway): Promise<HttpAnswer> => {
    const inputs = request.inputs as unknown as SettleInputs
    const leaseId = request.parameters.leaseId ?? ''
    const ms = (action === 'renew' ? inputs.leaseMs : inputs.delayMs) ?? -1
    const puller = await pullerOf(gateway)
    const done = await puller.settle(inputs.topic, leaseOf(leaseId), actions[action], ms, inputs.reason ?? '')
    if (!done) throw new Problem(409, 'lease-over', 'The lease is over', over(leaseId), { leaseId })
    return { json: { leaseId, action } }
  }
  return { method: 'POST', path, operation, handle }
}

interface SettleInputs {
  readonly topic: string
  readonly leaseMs?: number
  readonly delayMs?: number
  readonly reason?: string
}

const over = (leaseId: string) => `Nobody has the lease ${leaseId}: it has ended, or its record was settled`

function leaseOf(text: string): LeaseId {
  const id = readLeaseId(text)
  if (id === null) throw badRequest(`${text.slice(0, 100)} is not the id of a lease`)
  return id
}

const settlement: Schema = {
  title: 'Settlement',
  type: 'object',
  required: ['leaseId', 'action'],
  properties: {
    leaseId: leaseParameter.schema,
    action: { type: 'string', enum: Object.keys(actions) },
    leaseMs: { type: 'integer', minimum: 100, maximum: longestLeaseMs, description: 'With `renew`' },
    delayMs: { ...delayParameter.schema, description: 'With `release`' },
    reason: { ...reasonParameter.schema, description: 'With `reject`' },
  },
}

const batchOperation: Operation = {
  operationId: 'settleLeases',
  summary: 'Say what became of many records',
  description: 'Each lease is settled for itself: `done` is false where it is over, or never was.',
  tags,
  parameters: [topicParameter],
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: {
          title: 'Settlements',
          type: 'object',
          required: ['leases'],
          properties: { leases: { type: 'array', items: settlement, maxItems: mostSettlements } },
        },
        example: { leases: [{ leaseId: '0-17-kq9w2m-d29ya2Vycw', action: 'ack' }] },
      },
    },
  },
  responses: {
    200: {
      description: 'In the order of the request',
      content: {
        'application/json': {
          schema: {
            title: 'SettledLeases',
            type: 'object',
            required: ['leases', 'over'],
            properties: {
              over: { type: 'integer', description: 'How many were over' },
              leases: {
                type: 'array',
                items: {
                  ...settled,
                  title: 'SettledOrOver',
                  required: ['leaseId', 'action', 'done'],
                  properties: { ...settled.properties, done: { type: 'boolean' } },
                },
              },
            },
          },
        },
      },
    },
  },
}

interface Settling extends Omit<SettleInputs, 'topic'> {
  readonly leaseId: string
  readonly action: Action
}

async function handleBatch(request: HttpRequest, gateway: Gateway): Promise<HttpAnswer> {
  const topic = request.parameters.topic ?? ''
  const { leases } = await request.json<{ readonly leases: readonly Settling[] }>()
  const ids = leases.map(({ leaseId }) => leaseOf(leaseId))
  const puller = await pullerOf(gateway)
  const results = await Promise.all(
    leases.map(({ action, leaseMs, delayMs, reason = '' }, index) =>
      puller.settle(topic, ids[index]!, actions[action], (action === 'renew' ? leaseMs : delayMs) ?? -1, reason),
    ),
  )
  const answers = leases.map(({ leaseId, action }, index) => ({ leaseId, action, done: results[index]! }))
  return { json: { over: results.filter(done => !done).length, leases: answers } }
}

/** Lease groups: single messages for workers. */
export const pull: readonly Route[] = [
  { method: 'POST', path: '/topics/{topic}/pull', operation: pullOperation, handle: handlePull },
  { method: 'POST', path: '/topics/{topic}/leases', operation: batchOperation, handle: handleBatch },
  ...(Object.keys(actions) as Action[]).map(settleRoute),
]
