import { findOffsets, type StartAt } from '../../../client/offsets.ts'
import { KafkaError } from '../../../protocol/errors.ts'
import type { DescribedGroup, DescribedPartition } from '../../../shares/commands.ts'
import type { Shares } from '../../../shares/shares.ts'
import type { Gateway } from '../../gateway.ts'
import {
  gives,
  listOf,
  maybe,
  offsetNumber,
  partitionNumber,
  record,
  takes,
  text,
  topicName,
  whole,
} from '../describing.ts'
import { badRequest } from '../problem.ts'
import type { Parameter, Route } from '../route.ts'
import type { Schema } from '../schema.ts'

const tags = ['Pull']

const groupParameter: Parameter = {
  name: 'group',
  in: 'path',
  description: 'Id of the group.',
  schema: { type: 'string', minLength: 1, maxLength: 249 },
  example: 'workers',
}

const counts = {
  lag: maybe('Records that are not done; null: the end of a log is not known now.'),
  acquired: whole('Records that workers have now.'),
  waiting: whole('Records that came back and wait for another worker.'),
  dying: whole('Records on their way to the dead-letter topic.'),
}

const partition = record({
  topic: text('Its topic.'),
  partition: whole('Its number.'),
  startOffset: whole('Everything before is done.'),
  endOffset: whole('Nothing from here on was handed out.'),
  ...counts,
  oldestLeaseEnds: maybe(
    'When the lease of the first record that somebody has ends, ms since 1970; null: there is none.',
  ),
})

const summary = record({ group: text('Its id.'), topics: listOf(text('A topic.')), ...counts })
const group = record({ group: text('Its id.'), ...counts, partitions: listOf(partition) })

const reset: Schema = {
  type: 'object',
  properties: {
    topic: topicName,
    partitions: listOf(partitionNumber, 'Left out: all.'),
    to: {
      anyOf: [
        { type: 'string', enum: ['earliest', 'latest'] },
        record({ offset: offsetNumber }),
        record({ timestamp: { ...offsetNumber, description: 'ms since 1970: the first record of then or later.' } }),
      ],
      description: 'Where it goes on.',
    },
  },
  required: ['topic', 'to'],
}

interface ResetBody {
  readonly topic: string
  readonly partitions?: readonly number[]
  readonly to: 'earliest' | 'latest' | { readonly offset?: number; readonly timestamp?: number }
}

/** Groups of workers that pull: how far they are, and where they go on. */
export const leaseGroups: readonly Route[] = [
  {
    method: 'GET',
    path: '/lease-groups',
    operation: {
      operationId: 'listLeaseGroups',
      summary: 'All groups of workers that pull',
      tags,
      responses: { 200: gives('In the order of their ids.', record({ groups: listOf(summary) })) },
    },
    async handle(_, gateway) {
      const groups = await (await sharesOf(gateway)).list()
      const ends = await endsOf(gateway, groups)
      const shown = groups.map(each => {
        const { group, partitions, ...sums } = shownGroup(each, ends)
        return { group, topics: [...new Set(partitions.map(({ topic }) => topic))], ...sums }
      })
      return { json: { groups: shown } }
    },
  },
  {
    method: 'GET',
    path: '/lease-groups/{group}',
    operation: {
      operationId: 'describeLeaseGroup',
      summary: 'How far a group of workers is',
      tags,
      parameters: [groupParameter],
      responses: { 200: gives('Partition by partition.', group) },
    },
    async handle({ parameters }, gateway) {
      const described = await (await sharesOf(gateway)).describe(parameters.group ?? '')
      mustBe(described.error, described.groupId)
      return { json: shownGroup(described, await endsOf(gateway, [described])) }
    },
  },
  {
    method: 'DELETE',
    path: '/lease-groups/{group}',
    operation: {
      operationId: 'deleteLeaseGroup',
      summary: 'Forgets a group of which nobody has a record',
      tags,
      parameters: [groupParameter],
      responses: { 204: { description: 'It is gone.' } },
    },
    async handle({ parameters }, gateway) {
      const groupId = parameters.group ?? ''
      mustBe(await (await sharesOf(gateway)).delete(groupId), groupId)
      return { status: 204 }
    },
  },
  {
    method: 'POST',
    path: '/lease-groups/{group}/reset',
    operation: {
      operationId: 'resetLeaseGroup',
      summary: 'Sends a group of which nobody has a record elsewhere in a topic',
      tags,
      parameters: [groupParameter],
      requestBody: takes(reset, { topic: 'orders', to: 'earliest' }),
      responses: {
        200: gives(
          'Where it goes on now.',
          record({
            group: text('Its id.'),
            topic: text('The topic.'),
            offsets: listOf(record({ partition: whole('Its number.'), offset: whole('Of the next record.') })),
          }),
        ),
      },
    },
    async handle(request, gateway) {
      const groupId = request.parameters.group ?? ''
      const { topic, to, ...rest } = await request.json<ResetBody>()
      const all = (await gateway.client.topic(topic)).partitions.map(each => each.partition)
      const partitions = rest.partitions ?? all
      if (partitions.some(each => !all.includes(each))) throw badRequest(`${topic} has ${all.length} partitions`)
      if (new Set(partitions).size < partitions.length) throw badRequest('A partition is named twice')
      const offsets = await offsetsOf(gateway, topic, partitions, to)
      mustBe(await (await sharesOf(gateway)).reset({ groupId, topic, offsets }), groupId)
      return { json: { group: groupId, topic, offsets } }
    },
  },
]

const sharesOf = ({ node }: Gateway): Promise<Shares> => node.leases()

function mustBe(error: DescribedGroup['error'], groupId: string): void {
  if (error === 'GROUP_ID_NOT_FOUND') throw new KafkaError(error, `There is no lease group ${groupId}`)
  if (error === 'NON_EMPTY_GROUP') throw new KafkaError(error, `Workers have records of ${groupId}: stop them first`)
  if (error !== 'NONE') throw new KafkaError(error)
}

type Ends = ReadonlyMap<string, number>

/** Where the logs end that these groups read; topics that do not answer are missing. */
async function endsOf(gateway: Gateway, groups: readonly DescribedGroup[]): Promise<Ends> {
  const wanted = new Map<string, Set<number>>()
  for (const { partitions } of groups)
    for (const { topic, partition } of partitions) wanted.set(topic, (wanted.get(topic) ?? new Set()).add(partition))
  const ends = new Map<string, number>()
  await Promise.allSettled(
    [...wanted].map(async ([topic, partitions]) => {
      await gateway.client.topic(topic)
      const asked = [...partitions].map(partition => ({ topic, partition, start: 'latest' as const }))
      for (const found of await findOffsets(gateway.cluster, asked, 'read_committed'))
        ends.set(`${found.topic}-${found.partition}`, found.offset)
    }),
  )
  return ends
}

function shownGroup({ groupId, partitions }: DescribedGroup, ends: Ends) {
  const shown = partitions.map(each => shownPartition(each, ends.get(`${each.topic}-${each.partition}`) ?? null))
  const sum = (of: (each: (typeof shown)[number]) => number) => shown.reduce((total, each) => total + of(each), 0)
  return {
    group: groupId,
    lag: shown.some(({ lag }) => lag === null) ? null : sum(({ lag }) => lag ?? 0),
    acquired: sum(({ acquired }) => acquired),
    waiting: sum(({ waiting }) => waiting),
    dying: sum(({ dying }) => dying),
    partitions: shown,
  }
}

function shownPartition(each: DescribedPartition, end: number | null) {
  const { topic, partition, startOffset, endOffset, acquired, ready, resting, dying, oldestLeaseEnds } = each
  const waiting = ready + resting
  return {
    topic,
    partition,
    startOffset,
    endOffset,
    lag: end === null ? null : Math.max(0, end - endOffset) + acquired + waiting + dying,
    acquired,
    waiting,
    dying,
    oldestLeaseEnds: oldestLeaseEnds < 0 ? null : oldestLeaseEnds,
  }
}

/** Never out of what can be read. */
async function offsetsOf(gateway: Gateway, topic: string, partitions: readonly number[], to: ResetBody['to']) {
  const start: Exclude<StartAt, number> = typeof to === 'string' ? to : { timestamp: to.timestamp ?? 0 }
  const find = (start: Exclude<StartAt, number>, of: readonly number[]) =>
    findOffsets(
      gateway.cluster,
      of.map(partition => ({ topic, partition, start })),
      'read_committed',
    )
  if (typeof to === 'object' && to.offset !== undefined) {
    const { offset } = to
    const [starts, ends] = await Promise.all([find('earliest', partitions), find('latest', partitions)])
    const within = (index: number) => Math.min(ends[index]!.offset, Math.max(starts[index]!.offset, offset))
    return partitions.map((partition, index) => ({ partition, offset: within(index) }))
  }
  const found = await find(start, partitions)
  // No record is that late: the next one will be.
  const late = found.filter(({ offset }) => offset < 0).map(({ partition }) => partition)
  const latest = late.length === 0 ? [] : await find('latest', late)
  return found.map(({ partition, offset }) => {
    return { partition, offset: offset < 0 ? latest.find(each => each.partition === partition)!.offset : offset }
  })
}
