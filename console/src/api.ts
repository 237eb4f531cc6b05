/** What went wrong, in the words of the node (RFC 9457). */
export class Problem extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Asks the node that this page came from. Throws Problem. */
export async function ask<T>(
  path: string,
  options: { method?: string; body?: unknown; signal?: AbortSignal } = {},
): Promise<T> {
  const answer = await send(path, options)
  return (answer.status === 204 ? undefined : await answer.json()) as T
}

export async function send(
  path: string,
  { method = 'GET', body, signal }: { method?: string; body?: unknown; signal?: AbortSignal } = {},
): Promise<Response> {
  let answer: Response
  try {
    answer = await fetch(path, {
      method,
      ...(signal === undefined ? {} : { signal }),
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error
    throw new Problem(0, 'The node does not answer')
  }
  if (answer.ok) return answer
  const problem = (await answer.json().catch(() => null)) as { title?: string; detail?: string } | null
  throw new Problem(answer.status, problem?.detail ?? problem?.title ?? `The node answered ${answer.status}`)
}

export interface Cluster {
  clusterId: string
  controller: number | null
  nodes: number[]
  serving: number[]
  topics: number
  partitions: number
  leaderless: number
  underReplicated: number
}

export interface Node {
  node: number
  address: string
  rack: string | null
  state: string
  quorum: string
  leads: number
  holds: number
  bytes: number | null
}

export interface Move {
  topic: string
  partition: number
  to: number | null
  from: number[]
  done: number | null
  total: number | null
}

export interface TopicSummary {
  name: string
  internal: boolean
  partitions: number
  replicationFactor: number
}

export interface Partition {
  partition: number
  leader: number | null
  leaderEpoch: number
  replicas: number[]
  isr: number[]
  start: number | null
  end: number | null
}

export interface Topic {
  name: string
  topicId: string
  internal: boolean
  partitions: Partition[]
}

export interface Config {
  name: string
  value: string | null
  source?: string
  readOnly?: boolean
  sensitive?: boolean
  default?: boolean
  documentation?: string | null
}

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

export interface StoredRecord {
  topic: string
  partition: number
  offset: number
  timestamp: number
  key: Json
  value: Json
  headers: { [name: string]: Json }
}

export interface GroupSummary {
  group: string
  state: string
  type: string
  protocolType: string
}

export interface Member {
  member: string
  instance: string | null
  client: string
  host: string
  partitions: { topic: string; partition: number }[]
}

export interface GroupOffset {
  topic: string
  partition: number
  committed: number | null
  end: number | null
  lag: number | null
  member: string | null
}

export interface Group {
  group: string
  state: string
  protocol: string
  lag: number
  members: Member[]
  offsets: GroupOffset[]
}

/** A group of workers that pull. */
export interface LeaseGroup extends LeaseCounts {
  group: string
  topics: string[]
}

export interface LeaseCounts {
  lag: number | null
  acquired: number
  waiting: number
  dying: number
}

export interface LeasePartition extends LeaseCounts {
  topic: string
  partition: number
  startOffset: number
  endOffset: number
  oldestLeaseEnds: number | null
}

export interface DescribedLeaseGroup extends LeaseCounts {
  group: string
  partitions: LeasePartition[]
}

export interface ResetMove {
  topic: string
  partition: number
  from: number | null
  to: number
}

export const topicPath = (topic: string): string => `/topics/${encodeURIComponent(topic)}`
export const groupPath = (group: string): string => `/groups/${encodeURIComponent(group)}`
export const leaseGroupPath = (group: string): string => `/lease-groups/${encodeURIComponent(group)}`
