import { ZERO_UUID } from '../protocol/uuid.ts'
import { brokerEndpoint } from './endpoint.ts'
import type { RequestContext } from './handler.ts'

type Asked = Pick<RequestContext, 'node' | 'peer'>

export interface CurrentLeader {
  readonly leaderId: number
  readonly leaderEpoch: number
}

interface NodeEndpoint {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** Errors that mean: ask another node. */
export function isMoved(errorName: string | undefined): boolean {
  return errorName === 'NOT_LEADER_OR_FOLLOWER' || errorName === 'FENCED_LEADER_EPOCH'
}

/** Who leads a partition now, as far as we know; null: we do not. For clients that came to the wrong node (KIP-951). */
export function currentLeader(
  topic: { readonly name: string; readonly topicId: string },
  partition: number,
  { node }: Pick<RequestContext, 'node'>,
): CurrentLeader | null {
  const { topics, topicsById } = node.cluster
  const known = topic.topicId === ZERO_UUID ? topics.get(topic.name) : topicsById.get(topic.topicId)
  const state = known?.partitions[partition]
  return state === undefined ? null : { leaderId: state.leader, leaderEpoch: state.leaderEpoch }
}

/** Where the leaders are that an answer names, so that nobody must ask for metadata first. */
export function leaderEndpoints(leaders: Iterable<CurrentLeader>, asked: Asked): NodeEndpoint[] {
  const endpoints = new Map<number, NodeEndpoint>()
  for (const { leaderId } of leaders) {
    const endpoint = leaderId < 0 || endpoints.has(leaderId) ? null : brokerEndpoint(leaderId, asked)
    if (endpoint !== null) endpoints.set(leaderId, endpoint)
  }
  return [...endpoints.values()]
}
