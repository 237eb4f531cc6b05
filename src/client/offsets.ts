import { KafkaError } from '../protocol/errors.ts'
import { ListOffsets } from '../protocol/messages/list-offsets.ts'
import type { Cluster } from './cluster.ts'
import { failure, mayRetry } from './failures.ts'

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

/** A partition, and by what its offset is looked for. A number needs no asking. */
export interface Sought extends TopicPartition {
  readonly start: Exclude<StartAt, number>
}

/**
 * Asks the leaders for offsets by time or by name, until all are known. `heard` gets each as soon as it is told: also those
 * that others, of which somebody hears nothing, make wait or fail.
 */
export async function findOffsets(
  cluster: Cluster,
  wanted: readonly Sought[],
  isolation: IsolationLevel = 'read_uncommitted',
  heard: (found: FoundOffset) => void = () => {},
): Promise<FoundOffset[]> {
  const found = new Map<string, FoundOffset>()
  await cluster.retry(
    async () => {
      const left = wanted.filter(each => !found.has(`${each.topic}-${each.partition}`))
      const { leaders, failures } = await byLeader(cluster, left)
      const asking = [...leaders].map(async ([leaderId, parts]) => {
        for (const each of await askOffsets(cluster, leaderId, parts, isolation)) {
          if (each instanceof KafkaError) failures.push(each)
          else {
            found.set(`${each.topic}-${each.partition}`, each)
            heard(each)
          }
        }
      })
      for (const result of await Promise.allSettled(asking)) if (result.status === 'rejected') throw result.reason
      if (failures.length > 0) throw failures.find(error => !mayRetry(error)) ?? failures[0]
    },
    wanted.map(each => each.topic),
  )
  return wanted.map(({ topic, partition }) => {
    const offset = found.get(`${topic}-${partition}`)
    if (offset === undefined) throw new KafkaError('UNKNOWN_SERVER_ERROR', `no offset came for ${topic}-${partition}`)
    return offset
  })
}

/** Asks one broker once, as the leader of these partitions. For each of them, in their order: the offset, or why there is none. */
export async function askOffsets(
  cluster: Cluster,
  leaderId: number,
  parts: readonly Sought[],
  isolation: IsolationLevel,
): Promise<(FoundOffset | KafkaError)[]> {
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
  const told = new Map<string, FoundOffset | KafkaError>()
  for (const { name: topic, partitions } of answer.topics) {
    for (const { partitionIndex: partition, errorCode, offset, timestamp } of partitions) {
      const found = { topic, partition, offset, timestamp }
      const what = `${topic}-${partition}`
      told.set(what, errorCode === 0 ? found : failure(errorCode, `offset of ${what}`))
    }
  }
  return parts.map(({ topic, partition }) => {
    const what = `${topic}-${partition}`
    return told.get(what) ?? new KafkaError('UNKNOWN_SERVER_ERROR', `no offset came for ${what}`)
  })
}

/** Partitions by the broker that leads them, and why those that are in none of the lists have no leader. */
export async function byLeader<T extends TopicPartition>(
  cluster: Cluster,
  parts: readonly T[],
): Promise<{ readonly leaders: Map<number, T[]>; readonly failures: unknown[] }> {
  const topics = new Map<string, T[]>()
  for (const part of parts) {
    const others = topics.get(part.topic)
    if (others === undefined) topics.set(part.topic, [part])
    else others.push(part)
  }
  const leaders = new Map<number, T[]>()
  const failures: unknown[] = []
  const finding = [...topics].map(async ([name, wanted]) => {
    // Looked up once: of each that has no leader now the cluster thinks anew.
    const topic = await cluster.topic(name)
    for (const part of wanted) {
      try {
        const leaderId = cluster.leaderIn(topic, part.partition)
        const led = leaders.get(leaderId)
        if (led === undefined) leaders.set(leaderId, [part])
        else led.push(part)
      } catch (error) {
        failures.push(error)
      }
    }
  })
  for (const found of await Promise.allSettled(finding)) if (found.status === 'rejected') failures.push(found.reason)
  return { leaders, failures }
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
