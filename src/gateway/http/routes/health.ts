import type { Gateway } from '../../gateway.ts'
import type { HttpAnswer, Route } from '../route.ts'
import type { Schema } from '../schema.ts'

const schema: Schema = {
  type: 'object',
  properties: {
    status: { type: 'string', enum: ['healthy', 'starting', 'stopping'] },
    broker: { type: 'string', description: 'The node that answers: `broker-` and its number; or `gateway`.' },
    nodeId: { type: 'integer', description: '-1: a gateway.' },
    clusterId: { type: 'string' },
    leader: { type: ['string', 'null'], description: 'The node that decides about metadata now; null: nobody does.' },
    isLeader: { type: 'boolean' },
  },
  required: ['status', 'broker', 'nodeId', 'clusterId', 'leader', 'isLeader'],
}

const responses = {
  200: { description: 'It is.', content: { 'application/json': { schema } } },
  503: { description: 'It is not, or not yet.', content: { 'application/json': { schema } } },
}

/** Names of nodes as people gave them to brokers that elect a leader: `broker-2`. */
export const brokerName = (nodeId: number): string => (nodeId < 0 ? 'gateway' : `broker-${nodeId}`)

type Status = 'healthy' | 'starting' | 'stopping'

function statusOf(gateway: Gateway): Status {
  if (gateway.stopping.aborted) return 'stopping'
  return gateway.node.server.open ? 'healthy' : 'starting'
}

function report(gateway: Gateway, good: (status: Status) => boolean): HttpAnswer {
  const { nodeId, clusterId } = gateway.node
  const status = statusOf(gateway)
  const leader = gateway.node.leader()
  return {
    status: good(status) ? 200 : 503,
    json: {
      status,
      broker: brokerName(nodeId),
      nodeId,
      clusterId,
      leader: leader === null ? null : brokerName(leader),
      isLeader: leader === nodeId,
    },
  }
}

/** Whether the node is well: for people, load balancers, container platforms. */
export const health: readonly Route[] = [
  {
    method: 'GET',
    path: '/health',
    operation: {
      operationId: 'health',
      summary: 'Whether this node serves clients, and who leads the cluster',
      tags: ['health'],
      responses,
    },
    handle: (_, gateway) => report(gateway, status => status === 'healthy'),
  },
  {
    method: 'GET',
    path: '/health/live',
    operation: {
      operationId: 'live',
      summary: 'Whether the process runs; when it does not answer, start it anew',
      tags: ['health'],
      responses,
    },
    handle: (_, gateway) => report(gateway, () => true),
  },
  {
    method: 'GET',
    path: '/health/ready',
    operation: {
      operationId: 'ready',
      summary: 'Whether clients should be sent here: it is part of the cluster, up to date, and not about to stop',
      tags: ['health'],
      responses,
    },
    handle: (_, gateway) => report(gateway, status => status === 'healthy'),
  },
]
