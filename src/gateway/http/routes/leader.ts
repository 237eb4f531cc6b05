import { httpUrl } from '../addresses.ts'
import { Problem } from '../problem.ts'
import type { Route } from '../route.ts'
import { brokerName } from './health.ts'

/** Who decides about the cluster's metadata: the leader of brokers that elect one. */
export const leader: readonly Route[] = [
  {
    method: 'GET',
    path: '/metadata/leader',
    operation: {
      operationId: 'leader',
      summary: 'Which node leads the cluster',
      description: 'The leader decides about metadata. Records go to any node: each partition has a leader of its own.',
      tags: ['cluster'],
      responses: {
        200: {
          description: 'This one.',
          content: {
            'application/json': {
              schema: {
                type: 'object',
                properties: {
                  leader: { type: 'string', description: '`broker-` and its number.' },
                  nodeId: { type: 'integer' },
                  host: { type: ['string', 'null'] },
                  port: { type: ['integer', 'null'] },
                  url: { type: ['string', 'null'], description: 'Where it serves HTTP.' },
                },
                required: ['leader', 'nodeId', 'host', 'port', 'url'],
              },
            },
          },
        },
      },
    },
    handle(request, gateway) {
      const nodeId = gateway.node.leader()
      if (nodeId === null) {
        const detail = 'No node leads the cluster now; ask again'
        throw new Problem(503, 'no-leader', 'There is no leader', detail, { retriable: true }, { 'retry-after': '1' })
      }
      const { host, port } = gateway.node.httpAddress(nodeId) ?? { host: null, port: null }
      const url = httpUrl(gateway, nodeId, request)
      return { json: { leader: brokerName(nodeId), nodeId, host, port, url } }
    },
  },
]
