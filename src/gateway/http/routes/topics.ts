import type { NewTopic } from '../../../client/admin.ts'
import type { Cluster, TopicMetadata } from '../../../client/cluster.ts'
import { findOffsets } from '../../../client/offsets.ts'
import { KafkaError } from '../../../protocol/errors.ts'
import { changeConfigs, changesConfigs, showConfigs, showsConfigs } from '../configs.ts'
import {
  flag,
  gives,
  listOf,
  maybe,
  record,
  takes,
  text,
  topicName,
  topicParameter,
  validateOnly,
  whole,
} from '../describing.ts'
import { badRequest } from '../problem.ts'
import type { Route } from '../route.ts'
import type { Schema } from '../schema.ts'

const tags = ['topics']

const partitionCount: Schema = { type: 'integer', minimum: 1, maximum: 100_000 }

const newTopic: Schema = {
  type: 'object',
  properties: {
    name: topicName,
    partitions: { ...partitionCount, description: "Left out: the brokers' default." },
    replicationFactor: { type: 'integer', minimum: 1, maximum: 32_767, description: "Left out: the brokers' default." },
    assignments: listOf(listOf(whole('Number of a node.')), 'Nodes by partition, instead of the two above.'),
    configs: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
  },
  required: ['name'],
}

const topic = record({
  name: text('Its name.'),
  topicId: text('Its id, 22 characters.'),
  internal: flag('It belongs to the cluster itself.'),
  partitions: listOf(
    record({
      partition: whole('Its number.'),
      leader: maybe('The node that leads it; null: there is none now.'),
      leaderEpoch: whole('How often it has changed its leader.'),
      replicas: listOf(whole('A node.'), 'Nodes that have copies, the preferred leader first.'),
      isr: listOf(whole('A node.'), 'Those whose copies are in sync.'),
      start: maybe('The first offset that can be read; null: there is no leader to ask.'),
      end: maybe('The offset of the next record; null: there is no leader to ask.'),
    }),
  ),
})

interface TopicBody {
  readonly name: string
  readonly partitions?: number
  readonly replicationFactor?: number
  readonly assignments?: readonly (readonly number[])[]
  readonly configs?: Readonly<Record<string, string | number | boolean>>
}

/** Topics: what there is, and what becomes of it. Records are elsewhere. */
export const topics: readonly Route[] = [
  {
    method: 'GET',
    path: '/topics',
    operation: {
      operationId: 'listTopics',
      summary: 'All topics',
      tags,
      parameters: [
        {
          name: 'internal',
          in: 'query',
          description: 'Also those of the cluster itself.',
          schema: { type: 'boolean', default: false },
        },
      ],
      responses: {
        200: gives(
          'In the order of their names.',
          record({
            topics: listOf(
              record({
                name: text('Its name.'),
                topicId: text('Its id.'),
                internal: flag('It belongs to the cluster itself.'),
                partitions: whole('How many.'),
                replicationFactor: whole('Copies of each.'),
              }),
            ),
          }),
        ),
      },
    },
    async handle(request, { admin, lists }) {
      const internal = request.inputs.internal === true
      const place = await lists.take(1, () => request.signal)
      try {
        const found = (await admin.describeTopics()).filter(({ isInternal }) => internal || !isInternal)
        return { json: { topics: found.sort((a, b) => (a.name < b.name ? -1 : 1)).map(summary) } }
      } finally {
        place.give()
      }
    },
  },
  {
    method: 'POST',
    path: '/topics',
    operation: {
      operationId: 'createTopic',
      summary: 'Makes a topic',
      tags,
      parameters: [validateOnly],
      requestBody: takes(newTopic, { name: 'orders', partitions: 6, configs: { 'retention.ms': 604_800_000 } }),
      responses: {
        200: { description: 'It could be made (`validateOnly`).' },
        201: {
          ...gives('It is there.', topic),
          headers: { location: { description: 'Where it is described.', schema: { type: 'string' } } },
        },
      },
    },
    async handle(request, { admin, cluster }) {
      const wanted = newTopicOf(await request.json<TopicBody>())
      if (request.inputs.validateOnly === true) {
        await admin.createTopics([wanted], true)
        return { status: 200 }
      }
      await admin.createTopics([wanted])
      const made = await cluster.topic(wanted.name)
      return { status: 201, headers: { location: `/topics/${wanted.name}` }, json: await described(cluster, made) }
    },
  },
  {
    method: 'GET',
    path: '/topics/{topic}',
    operation: {
      operationId: 'describeTopic',
      summary: 'A topic, its partitions, and what can be read of them',
      tags,
      parameters: [topicParameter],
      responses: { 200: gives('This one.', topic) },
    },
    async handle({ parameters }, { cluster }) {
      return { json: await described(cluster, await existing(cluster, parameters.topic!)) }
    },
  },
  {
    method: 'PATCH',
    path: '/topics/{topic}',
    operation: {
      operationId: 'growTopic',
      summary: 'Gives a topic more partitions; they never become fewer',
      tags,
      parameters: [topicParameter, validateOnly],
      requestBody: takes(record({ partitions: { ...partitionCount, description: 'How many then.' } }), {
        partitions: 12,
      }),
      responses: { 200: gives('As it is then.', topic) },
    },
    async handle(request, { admin, cluster }) {
      const name = request.parameters.topic!
      const { partitions } = await request.json<{ partitions: number }>()
      await admin.createPartitions(name, partitions, request.inputs.validateOnly === true)
      return { json: await described(cluster, await existing(cluster, name)) }
    },
  },
  {
    method: 'DELETE',
    path: '/topics/{topic}',
    operation: {
      operationId: 'deleteTopic',
      summary: 'Deletes a topic and all its records',
      tags,
      parameters: [topicParameter],
      responses: { 204: { description: 'It is gone.' } },
    },
    async handle({ parameters }, { admin }) {
      await admin.deleteTopics([parameters.topic!])
      return { status: 204 }
    },
  },
  {
    method: 'GET',
    path: '/topics/{topic}/configs',
    operation: showsConfigs({
      operationId: 'topicConfigs',
      summary: 'The settings of a topic',
      tags,
      parameters: [topicParameter],
    }),
    handle: ({ parameters }, gateway) => showConfigs(gateway, { type: 'topic', name: parameters.topic! }),
  },
  {
    method: 'PATCH',
    path: '/topics/{topic}/configs',
    operation: changesConfigs({
      operationId: 'changeTopicConfigs',
      summary: 'Changes settings of a topic: all that are named, or none',
      tags,
      parameters: [topicParameter, validateOnly],
      example: { 'retention.ms': 3_600_000 },
    }),
    handle: (request, gateway) => changeConfigs(gateway, { type: 'topic', name: request.parameters.topic! }, request),
  },
]

function newTopicOf({ name, partitions, replicationFactor, assignments, configs = {} }: TopicBody): NewTopic {
  if (assignments !== undefined && (partitions !== undefined || replicationFactor !== undefined)) {
    throw badRequest('assignments say how many partitions and copies there are: leave the numbers out')
  }
  return {
    name,
    ...(partitions === undefined ? {} : { partitions }),
    ...(replicationFactor === undefined ? {} : { replicationFactor }),
    ...(assignments === undefined ? {} : { assignments }),
    configs: Object.fromEntries(Object.entries(configs).map(([name, value]) => [name, String(value)])),
  }
}

/** Throws UNKNOWN_TOPIC_OR_PARTITION. */
async function existing(cluster: Cluster, name: string): Promise<TopicMetadata> {
  const found = (await cluster.metadata([name])).topics[0]
  if (found === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic ${name}`)
  return found
}

function summary({ name, topicId, isInternal, partitions }: TopicMetadata) {
  const replicationFactor = partitions[0]?.replicas.length ?? 0
  return { name, topicId, internal: isInternal, partitions: partitions.length, replicationFactor }
}

async function described(cluster: Cluster, { name, topicId, isInternal, partitions }: TopicMetadata) {
  const led = partitions.filter(({ leaderId }) => leaderId >= 0)
  const ask = (start: 'earliest' | 'latest') =>
    findOffsets(
      cluster,
      led.map(({ partition }) => ({ topic: name, partition, start })),
    )
  const [starts, ends] = await Promise.all([ask('earliest'), ask('latest')])
  const places = new Map(led.map(({ partition }, i) => [partition, { start: starts[i]!.offset, end: ends[i]!.offset }]))
  return {
    name,
    topicId,
    internal: isInternal,
    partitions: partitions.map(({ partition, leaderId, leaderEpoch, replicas, isr }) => ({
      partition,
      leader: leaderId < 0 ? null : leaderId,
      leaderEpoch,
      replicas,
      isr,
      ...(places.get(partition) ?? { start: null, end: null }),
    })),
  }
}
