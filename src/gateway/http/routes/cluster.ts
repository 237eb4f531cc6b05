import type { ConfigResource } from '../../../client/admin.ts'
import { clusterView } from '../../../client/cluster-view.ts'
import { known } from '../../../client/group-json.ts'
import { movesOf } from '../../../client/moves.ts'
import { describeNodes } from '../../../client/nodes.ts'
import type { Gateway } from '../../gateway.ts'
import { changeConfigs, changesConfigs, showConfigs, showsConfigs } from '../configs.ts'
import { gives, listOf, maybe, record, text, validateOnly, whole } from '../describing.ts'
import { notFound } from '../problem.ts'
import type { HttpRequest, Parameter, Route } from '../route.ts'

const tags = ['cluster']

const nodeParameter: Parameter = {
  name: 'node',
  in: 'path',
  description: 'Number of the node.',
  schema: { type: 'integer', minimum: 0, maximum: 2 ** 31 - 1 },
  example: 1,
}

/** The resource of a node that is up. Throws Problem 404: nobody else knows its settings. */
async function nodeResource(request: HttpRequest, { cluster }: Gateway): Promise<ConfigResource> {
  const name = request.parameters.node!
  const { brokers } = await cluster.metadata([])
  if (!brokers.some(({ nodeId }) => nodeId === Number(name))) throw notFound(`No node ${name} is up`)
  return { type: 'broker', name: String(Number(name)) }
}

/** The cluster and its nodes. Who leads it is in `leader.ts`. */
export const cluster: readonly Route[] = [
  {
    method: 'GET',
    path: '/cluster',
    operation: {
      operationId: 'describeCluster',
      summary: 'The cluster in short',
      tags,
      responses: {
        200: gives(
          'This one.',
          record({
            clusterId: text('Its id.'),
            controller: maybe('The node that decides about metadata; null: none does now.'),
            nodes: listOf(whole('Number of a node.')),
            serving: listOf(whole('Number of a node.'), 'Those that are up.'),
            topics: whole('How many, those of the cluster itself left out.'),
            partitions: whole('Of these topics.'),
            leaderless: whole('Partitions that nobody leads now.'),
            underReplicated: whole('Partitions of which some copy is not in sync.'),
          }),
        ),
      },
    },
    async handle(_, gateway) {
      const { clusterId, controller, nodes } = await clusterView(gateway.cluster)
      const topics = (await gateway.cluster.metadata(null)).topics.filter(({ isInternal }) => !isInternal)
      const partitions = topics.flatMap(topic => topic.partitions)
      return {
        json: {
          clusterId,
          controller: known(controller),
          nodes: nodes.map(({ id }) => id),
          serving: nodes.filter(({ fenced }) => !fenced).map(({ id }) => id),
          topics: topics.length,
          partitions: partitions.length,
          leaderless: partitions.filter(({ leaderId }) => leaderId < 0).length,
          underReplicated: partitions.filter(({ isr, replicas }) => isr.length < replicas.length).length,
        },
      }
    },
  },
  {
    method: 'GET',
    path: '/cluster/configs',
    operation: showsConfigs({
      operationId: 'clusterConfigs',
      summary: 'The settings that were given at run time to all nodes',
      tags,
    }),
    handle: (_, gateway) => showConfigs(gateway, { type: 'broker', name: '' }),
  },
  {
    method: 'PATCH',
    path: '/cluster/configs',
    operation: changesConfigs({
      operationId: 'changeClusterConfigs',
      summary: 'Changes settings of all nodes: all that are named, or none',
      tags,
      parameters: [validateOnly],
      example: { 'log.retention.ms': 3_600_000 },
    }),
    handle: (request, gateway) => changeConfigs(gateway, { type: 'broker', name: '' }, request),
  },
  {
    method: 'GET',
    path: '/nodes',
    operation: {
      operationId: 'listNodes',
      summary: 'All nodes, what they hold, and what moves between them',
      tags,
      responses: {
        200: gives(
          'Those that are down, too.',
          record({
            nodes: listOf(
              record({
                node: whole('Its number.'),
                address: text('Where Kafka clients find it.'),
                rack: { type: ['string', 'null'] },
                state: text('serving, joining, draining, gone, or down.'),
                quorum: text('Its part in the metadata: controller, voter, or observer.'),
                leads: whole('Partitions that it leads.'),
                holds: whole('Partitions that it has copies of.'),
                bytes: maybe('On its disk; null: it does not answer.'),
              }),
            ),
            moves: listOf(
              record({
                topic: text('A topic.'),
                partition: whole('Of the topic.'),
                to: maybe('The node that gets a copy; null: some are only given up.'),
                from: listOf(whole('A node.'), 'Those that give theirs up then.'),
                done: maybe('Bytes that are there.'),
                total: maybe('Bytes in all.'),
              }),
            ),
          }),
        ),
      },
    },
    async handle(_, gateway) {
      const view = await clusterView(gateway.cluster)
      const [nodes, moves] = [await describeNodes(gateway.cluster, view), await movesOf(gateway.cluster)]
      return {
        json: {
          nodes: nodes.map(node => ({ ...node, bytes: known(node.bytes) })),
          moves: moves.map(({ to, done, total, ...rest }) => {
            return { ...rest, to: known(to), done: known(done), total: known(total) }
          }),
        },
      }
    },
  },
  {
    method: 'GET',
    path: '/nodes/{node}/configs',
    operation: showsConfigs({
      operationId: 'nodeConfigs',
      summary: 'The settings of a node',
      tags,
      parameters: [nodeParameter],
    }),
    handle: async (request, gateway) => showConfigs(gateway, await nodeResource(request, gateway)),
  },
  {
    method: 'PATCH',
    path: '/nodes/{node}/configs',
    operation: changesConfigs({
      operationId: 'changeNodeConfigs',
      summary: 'Changes settings of a node: all that are named, or none',
      tags,
      parameters: [nodeParameter, validateOnly],
      example: { 'replication.move.rate': 10_000_000 },
    }),
    handle: async (request, gateway) => changeConfigs(gateway, await nodeResource(request, gateway), request),
  },
]
