import type { Cluster } from '../../../client/cluster.ts'
import { findOffsets, type StartAt } from '../../../client/offsets.ts'
import { type ReadRecords, readPartition } from '../../../client/read-partition.ts'
import type { Timers } from '../../../world/world.ts'
import { Breath } from '../../breath.ts'
import type { Gateway } from '../../gateway.ts'
import { type JsonFormat, recordJson } from '../../record-json.ts'
import { topicParameter } from '../describing.ts'
import { badRequest, notFound } from '../problem.ts'
import type { HttpAnswer, HttpRequest, Operation, Route } from '../route.ts'
import { formatParameter, partitionParameter, readRecord } from './record-schemas.ts'

const operation: Operation = {
  operationId: 'readRecords',
  summary: 'Read records of a partition',
  description:
    'Reads without a group, and remembers nothing: go on at `nextOffset`. With `waitMs` the answer waits for a first record, and may bring fewer than there are by then.',
  tags: ['records'],
  parameters: [
    topicParameter,
    { ...partitionParameter, description: 'May be left out where the topic has only one' },
    {
      name: 'offset',
      in: 'query',
      description: 'Where to begin: a number, `earliest` or `latest`',
      schema: { type: 'string', pattern: '^(?:\\d{1,15}|earliest|latest)$' },
    },
    {
      name: 'timestamp',
      in: 'query',
      description: 'Instead of an offset: the first record of that time or later, ms since 1970',
      schema: { type: 'integer', minimum: 0 },
    },
    {
      name: 'maxRecords',
      in: 'query',
      description: 'Records at most',
      schema: { type: 'integer', minimum: 1, maximum: 10_000, default: 100 },
    },
    {
      name: 'maxBytes',
      in: 'query',
      description: 'Bytes of keys and values at most, but for a first record that is larger',
      schema: { type: 'integer', minimum: 1, maximum: 8 * 1024 * 1024, default: 1024 * 1024 },
    },
    {
      name: 'waitMs',
      in: 'query',
      description: 'How long to wait for a first record, ms',
      schema: { type: 'integer', minimum: 0, maximum: 60_000, default: 0 },
    },
    formatParameter,
  ],
  responses: {
    200: {
      description: 'Records, in their order; none when there are none (yet)',
      content: {
        'application/json': {
          schema: {
            title: 'ReadRecords',
            type: 'object',
            required: ['topic', 'partition', 'records', 'nextOffset', 'highWatermark', 'logStartOffset'],
            properties: {
              topic: { type: 'string' },
              partition: { type: 'integer' },
              records: { type: 'array', items: readRecord },
              nextOffset: { type: 'integer', description: 'Where to go on' },
              highWatermark: { type: 'integer', description: 'Behind the last record that is committed' },
              logStartOffset: { type: 'integer', description: 'Of the first record that is still there' },
            },
          },
        },
      },
    },
  },
}

/** Larger answers are sent in pieces, as the client takes them. */
const pieceBytes = 64 * 1024

interface Inputs {
  readonly partition?: number
  readonly offset?: string
  readonly timestamp?: number
  readonly maxRecords: number
  readonly maxBytes: number
  readonly waitMs: number
  readonly valueFormat: JsonFormat
}

async function handle(request: HttpRequest, gateway: Gateway): Promise<HttpAnswer> {
  const inputs = request.inputs as unknown as Inputs
  const topic = request.parameters.topic ?? ''
  const { client } = gateway
  const partition = choose(topic, (await client.topic(topic)).partitions.length, inputs.partition)
  const start = startOf(inputs)
  const { maxRecords, maxBytes, waitMs, valueFormat } = inputs
  const { clock } = gateway.world
  const until = clock.mono() + waitMs
  const run = (cluster: Cluster, offset: number, bytes: number, maxWaitMs: number) => {
    const asked = { offset, maxRecords, maxBytes: bytes, maxWaitMs, isolation: 'read_committed' } as const
    return readPartition(cluster, { topic, partition }, asked)
  }
  const offset = await offsetOf(client.cluster, topic, partition, start)
  const room = await client.room(maxBytes, () => request.signal)
  try {
    // Who takes room from others does not keep it until a leader is found.
    let read = await run(room.amount > 0 ? client.reading : client.cluster, offset, maxBytes, 0)
    const left = Math.ceil(until - clock.mono())
    if (read.records.length === 0 && left > 0) {
      room.give()
      // Whoever waits has a connection of its own, which ends with the client or the node. Of what comes a little is enough: many
      // may wait for the same.
      const { nextOffset } = read
      const bytes = Math.min(maxBytes, pieceBytes)
      read = await client.wait(cluster => run(cluster, nextOffset, bytes, left), request.signal)
    }
    const pieces = show(topic, partition, read, valueFormat)
    const bytes = read.records.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0)
    if (bytes <= pieceBytes) return { bytes: [...pieces].join(''), type: 'application/json' }
    room.is(bytes)
    return await give(request, pieces, gateway.world.timers)
  } finally {
    room.give()
  }
}

/** As fast as the client takes it. */
async function give(request: HttpRequest, pieces: Iterable<string>, timers: Pick<Timers, 'soon'>): Promise<HttpAnswer> {
  const breath = new Breath(timers)
  const outlet = request.respond(200, { 'content-type': 'application/json' })
  for (const piece of pieces) {
    if (!outlet.write(piece)) await outlet.drained()
    const pause = breath.after(piece.length)
    if (pause !== null) await pause
    if (outlet.gone) break
  }
  return outlet.end()
}

function choose(topic: string, partitions: number, asked: number | undefined): number {
  if (asked === undefined) {
    if (partitions === 1) return 0
    throw badRequest(`${topic} has ${partitions} partitions: say which one (partition=0 to ${partitions - 1})`)
  }
  if (asked < partitions) return asked
  throw notFound(`${topic} has no partition ${asked}; it has ${partitions}`)
}

function startOf({ offset, timestamp }: Inputs): StartAt {
  if (timestamp !== undefined) {
    if (offset !== undefined) throw badRequest('offset and timestamp are two ways to say where to begin: give one')
    return { timestamp }
  }
  if (offset === undefined || offset === 'earliest') return 'earliest'
  return offset === 'latest' ? 'latest' : Number(offset)
}

async function offsetOf(cluster: Cluster, topic: string, partition: number, start: StartAt): Promise<number> {
  if (typeof start === 'number') return start
  const [found] = await findOffsets(cluster, [{ topic, partition, start }], 'read_committed')
  const offset = found?.offset ?? -1
  // Nothing is that late yet: what comes next is.
  return offset >= 0 ? offset : offsetOf(cluster, topic, partition, 'latest')
}

/** The text of the answer, a part at a time. Values that are JSON stand there as they were written. */
function* show(topic: string, partition: number, read: ReadRecords, format: JsonFormat): Iterable<string> {
  let piece = `{"topic":${JSON.stringify(topic)},"partition":${partition},"records":[`
  for (const [i, record] of read.records.entries()) {
    piece += `${i === 0 ? '' : ','}${recordJson(topic, partition, record, format)}`
    if (piece.length < pieceBytes) continue
    yield piece
    piece = ''
  }
  const { nextOffset, highWatermark, logStartOffset } = read
  yield `${piece}],"nextOffset":${nextOffset},"highWatermark":${highWatermark},"logStartOffset":${logStartOffset}}`
}

export const read: Route = { method: 'GET', path: '/topics/{topic}/records', operation, handle }
