import type { Cluster } from '../../../client/cluster.ts'
import { known, progressJson } from '../../../client/group-json.ts'
import { groupProgress } from '../../../client/group-progress.ts'
import {
  type Move,
  planReset,
  type ResetTarget,
  resetBy,
  resetTargets,
  resetToOffset,
} from '../../../client/group-reset.ts'
import type { TopicPartition } from '../../../client/offsets.ts'
import { KafkaError } from '../../../protocol/errors.ts'
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
import { badRequest, Problem } from '../problem.ts'
import type { Parameter, Route } from '../route.ts'
import type { Schema } from '../schema.ts'

const tags = ['groups']

const groupParameter: Parameter = {
  name: 'group',
  in: 'path',
  description: 'Id of the group.',
  schema: { type: 'string', minLength: 1, maxLength: 1000 },
  example: 'billing',
}

const partition = record({ topic: text('Its topic.'), partition: whole('Its number.') })

const group = record({
  group: text('Its id.'),
  state: text('As Kafka calls it: Stable, Empty, PreparingRebalance, …'),
  protocol: text('How partitions are assigned.'),
  lag: whole('Records that it has still to read, as far as it has committed.'),
  members: listOf(
    record({
      member: text('Its id.'),
      instance: { type: ['string', 'null'], description: 'Its own name, if it has one (`group.instance.id`).' },
      client: text('What it calls itself (`client.id`).'),
      host: text('Where it is.'),
      partitions: listOf(partition, 'What it reads.'),
    }),
  ),
  offsets: listOf(
    record({
      topic: text('A topic.'),
      partition: whole('Of the topic.'),
      committed: maybe('The offset that it goes on from; null: none.'),
      end: maybe('The offset of the next record.'),
      lag: maybe('Records between the two.'),
      member: { type: ['string', 'null'], description: 'Who reads it.' },
    }),
  ),
})

const reset: Schema = {
  type: 'object',
  properties: {
    to: {
      anyOf: [
        { type: 'string', enum: Object.keys(resetTargets) },
        record({ offset: offsetNumber }),
        record({ timestamp: { ...offsetNumber, description: 'ms since 1970: the first record of then or later.' } }),
        record({ by: { type: 'integer', description: 'Records forward, or backward when it is negative.' } }),
      ],
      description: 'Where to. Never out of what can be read.',
    },
    partitions: listOf(
      {
        type: 'object',
        properties: { topic: topicName, partition: partitionNumber },
        required: ['topic'],
      },
      'Which; a topic without a partition means all of it. Left out: all that the group has committed.',
    ),
    execute: { type: 'boolean', default: false, description: 'Do it. Otherwise it is a preview, and nothing changes.' },
  },
  required: ['to'],
}

interface ResetBody {
  readonly to: keyof typeof resetTargets | { offset?: number; timestamp?: number; by?: number }
  readonly partitions?: readonly { readonly topic: string; readonly partition?: number }[]
  readonly execute?: boolean
}

/** Consumer groups: who reads what, how far they are, and where they go on. */
export const groups: readonly Route[] = [
  {
    method: 'GET',
    path: '/groups',
    operation: {
      operationId: 'listGroups',
      summary: 'All groups',
      tags,
      responses: {
        200: gives(
          'In the order of their ids.',
          record({
            groups: listOf(
              record({
                group: text('Its id.'),
                state: text('As Kafka calls it.'),
                type: text('classic, consumer or share.'),
                protocolType: text('consumer, connect, …'),
              }),
            ),
          }),
        ),
      },
    },
    async handle(_, gateway) {
      const found = await gateway.groups.list()
      return {
        json: {
          groups: found.map(({ groupId, state, type, protocolType }) => ({
            group: groupId,
            state,
            type,
            protocolType,
          })),
        },
      }
    },
  },
  {
    method: 'GET',
    path: '/groups/{group}',
    operation: {
      operationId: 'describeGroup',
      summary: 'A group, its members, and how far it is',
      tags,
      parameters: [groupParameter],
      responses: { 200: gives('This one.', group) },
    },
    handle: async ({ parameters }, gateway) => ({ json: await described(gateway, parameters.group!) }),
  },
  {
    method: 'DELETE',
    path: '/groups/{group}',
    operation: {
      operationId: 'deleteGroup',
      summary: 'Deletes a group without members, with all its offsets',
      tags,
      parameters: [groupParameter],
      responses: { 204: { description: 'It is gone.' } },
    },
    async handle({ parameters }, gateway) {
      await gateway.groups.delete(parameters.group!)
      return { status: 204 }
    },
  },
  {
    method: 'POST',
    path: '/groups/{group}/reset',
    operation: {
      operationId: 'resetGroup',
      summary: 'Moves a group without members to other offsets, or shows what that would do',
      tags,
      parameters: [groupParameter],
      requestBody: takes(reset, { to: 'earliest', partitions: [{ topic: 'orders' }], execute: true }),
      responses: {
        200: gives(
          'What was done, or would be.',
          record({
            group: text('Its id.'),
            executed: { type: 'boolean', description: 'False: a preview.' },
            moves: listOf(
              record({
                topic: text('A topic.'),
                partition: whole('Of the topic.'),
                from: maybe('Where it stood; null: nothing was committed.'),
                to: whole('Where it goes on.'),
              }),
            ),
          }),
        ),
      },
    },
    async handle(request, gateway) {
      const groupId = request.parameters.group!
      const { to, partitions, execute = false } = await request.json<ResetBody>()
      const parts = partitions === undefined ? null : await partitionsOf(gateway.cluster, partitions)
      const moves = await planReset(gateway.cluster, groupId, parts, targetOf(to))
      if (execute) await move(gateway, groupId, moves)
      const shown = moves.map(({ from, ...rest }) => ({ ...rest, from: known(from) }))
      return { json: { group: groupId, executed: execute, moves: shown } }
    },
  },
]

async function described(gateway: Gateway, groupId: string) {
  const found = await gateway.groups.describe(groupId)
  if (found.state === 'Dead') throw new KafkaError('GROUP_ID_NOT_FOUND', `There is no group ${groupId}`)
  const progress = await groupProgress(gateway.cluster, groupId, found.members)
  return {
    group: groupId,
    state: found.state,
    protocol: found.protocol,
    ...progressJson(found.members, progress),
  }
}

function targetOf(to: ResetBody['to']): ResetTarget {
  if (typeof to === 'string') return resetTargets[to]
  if (to.offset !== undefined) return resetToOffset(to.offset)
  return to.timestamp === undefined ? resetBy(to.by ?? 0) : { to: 'time', ms: to.timestamp }
}

/** Throws UNKNOWN_TOPIC_OR_PARTITION. */
async function partitionsOf(cluster: Cluster, wanted: NonNullable<ResetBody['partitions']>): Promise<TopicPartition[]> {
  const { topics } = await cluster.metadata([...new Set(wanted.map(({ topic }) => topic))])
  const found = new Map<string, TopicPartition>()
  for (const { topic, partition } of wanted) {
    const there = topics.find(({ name }) => name === topic)?.partitions.map(each => each.partition)
    if (there === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic ${topic}`)
    if (partition !== undefined && !there.includes(partition)) {
      throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${topic} has no partition ${partition}`)
    }
    for (const each of partition === undefined ? there : [partition]) {
      if (found.has(`${topic} ${each}`)) throw badRequest(`${topic}-${each} is named twice`)
      found.set(`${topic} ${each}`, { topic, partition: each })
    }
  }
  return [...found.values()]
}

async function move(gateway: Gateway, groupId: string, moves: readonly Move[]): Promise<void> {
  const { members } = await gateway.groups.describe(groupId)
  if (members.length > 0) {
    const detail = `Group ${groupId} has ${members.length} ${members.length === 1 ? 'member' : 'members'}: stop them first`
    throw new Problem(409, 'non-empty-group', 'The group is at work', detail, { error: 'NON_EMPTY_GROUP' })
  }
  await gateway.groups.alterOffsets(
    groupId,
    moves.map(({ topic, partition, to }) => ({ topic, partition, offset: to })),
  )
}
