import { KafkaError } from '../protocol/errors.ts'
import { ListOffsets } from '../protocol/messages/list-offsets.ts'
import type { Cluster } from './cluster.ts'
import { throwIf } from './failures.ts'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export type IsolationLevel = 'read_uncommitted' | 'read_committed'

/** Where to begin: a number is an offset; `timestamp`: the first record of that time (ms) or later. */
export type StartAt = number | 'earliest' | 'latest' | 'max-timestamp' | { readonly timestamp: number }

export interface FoundOffset extends TopicPartition {
  /** −1: there is no record that late. */
  readonly offset: number
  /** ms; −1 unless a time was asked for. */
  readonly timestamp: number
}

/** The names that ListOffsets has for what is no time. */
const namedTimes = { earliest: -2, latest: -1, 'max-timestamp': -3 } as const

/** Asks the leaders for offsets by time or by name. `start` must not be a number: that needs no asking. */
export async function findOffsets(
  cluster: Cluster,
  wanted: readonly (TopicPartition & { readonly start: Exclude<StartAt, number> })[],
  isolation: IsolationLevel = 'read_uncommitted',
): Promise<FoundOffset[]> {
  const found = new Map<string, FoundOffset>()
  await cluster.retry(
    async () => {
      const left = wanted.filter(each => !found.has(`${each.topic}-${each.partition}`))
      const asking = [...(await byLeader(cluster, left))].map(async ([leaderId, parts]) => {
        const connection = await cluster.broker(leaderId)
        const answer = await connection.request(ListOffsets, {
          replicaId: -1,
          isolationLevel: isolation === 'read_committed' ? 1 : 0,
          timeoutMs: cluster.options.requestTimeoutMs,
          topics: byTopic(parts, ({ topic, partition, start }) => ({
            partitionIndex: partition,
            currentLeaderEpoch: cluster.leaderEpoch(topic, partition),
            timestamp: typeof start === 'object' ? start.timestamp : namedTimes[start],
          })),
        })
        for (const { name: topic, partitions } of answer.topics) {
          for (const { partitionIndex: partition, errorCode, offset, timestamp } of partitions) {
            throwIf(errorCode, `offset of ${topic}-${partition}`)
            found.set(`${topic}-${partition}`, { topic, partition, offset, timestamp })
          }
        }
      })
      for (const result of await Promise.allSettled(asking)) if (result.status === 'rejected') throw result.reason
    },
    wanted.map(each => each.topic),
  )
  return wanted.map(({ topic, partition }) => {
    const offset = found.get(`${topic}-${partition}`)
    if (offset === undefined) throw new KafkaError('UNKNOWN_SERVER_ERROR', `no offset came for ${topic}-${partition}`)
    return offset
  })
}

/** Partitions by the broker that leads them. */
export async function byLeader<T extends TopicPartition>(
  cluster: Cluster,
  parts: readonly T[],
): Promise<Map<number, T[]>> {
  const leaders = new Map<number, T[]>()
  for (const part of parts) {
    const leaderId = await cluster.leaderId(part.topic, part.partition)
    const led = leaders.get(leaderId)
    if (led === undefined) leaders.set(leaderId, [part])
    else led.push(part)
  }
  return leaders
}

/** Partitions in the shape in which requests want them: by topic. */
export function byTopic<T extends TopicPartition, P>(
  parts: readonly T[],
  each: (part: T) => P,
): { name: string; partitions: P[] }[] {
  const topics = new Map<string, P[]>()
  for (const part of parts) {
    const others = topics.get(part.topic)
    if (others === undefined) topics.set(part.topic, [each(part)])
    else others.push(each(part))
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions }))
}
