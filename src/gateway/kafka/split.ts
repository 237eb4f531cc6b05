import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { TopicKey } from './directory.ts'

/** A message, or a part of one, of an API of which only the names below are known. */
export type Fields = Readonly<Record<string, unknown>>

/**
 * Where an API names partitions, and answers for them. APIs differ in these names and in nothing else that matters here, so one
 * splitting serves them all.
 */
export interface PartitionFields {
  /** In the request: topics, in each its partitions, in each its number. `index` null: partitions are nothing but numbers. */
  readonly topics: string
  readonly partitions: string
  readonly index: string | null
  /** In the response. */
  readonly answers: string
  readonly answerPartitions: string
}

/** What goes to one node. */
export interface Portion {
  readonly node: number
  readonly request: Fields
}

export function topicKey(topic: Fields): TopicKey {
  const { name, topic: other, topicId } = topic as { name?: string; topic?: string; topicId?: string }
  return { name: name ?? other ?? '', topicId: topicId ?? ZERO_UUID }
}

const listOf = (from: Fields, name: string): readonly Fields[] => from[name] as readonly Fields[]

const indexOf = (partition: unknown, name: string | null): number =>
  name === null ? (partition as number) : ((partition as Fields)[name] as number)

export function topicsOf(request: Fields, fields: PartitionFields): TopicKey[] {
  return listOf(request, fields.topics).map(topicKey)
}

/** A request for each node that is concerned. `nodeOf` is asked for each partition. Without partitions it goes to `otherwise`. */
export function split(
  request: Fields,
  fields: PartitionFields,
  nodeOf: (topic: TopicKey, partition: number) => number,
  otherwise: number,
): Portion[] {
  const portions = new Map<number, Fields[]>()
  for (const topic of listOf(request, fields.topics)) {
    const key = topicKey(topic)
    const parts = new Map<number, unknown[]>()
    for (const partition of listOf(topic, fields.partitions)) {
      const node = nodeOf(key, indexOf(partition, fields.index))
      const part = parts.get(node)
      if (part === undefined) parts.set(node, [partition])
      else part.push(partition)
    }
    // Also a topic of which nothing is asked gets its answer.
    if (parts.size === 0) parts.set(portions.keys().next().value ?? otherwise, [])
    for (const [node, partitions] of parts) {
      const whole = parts.size === 1 ? topic : { ...topic, [fields.partitions]: partitions }
      const portion = portions.get(node)
      if (portion === undefined) portions.set(node, [whole])
      else portion.push(whole)
    }
  }
  const [only] = portions.keys()
  if (portions.size <= 1) return [{ node: only ?? otherwise, request }]
  return Array.from(portions, ([node, topics]) => ({ node, request: { ...request, [fields.topics]: topics } }))
}

/** One answer out of those of several nodes: each topic once, as in the first answer that names it. */
export function merge(answers: readonly Fields[], fields: PartitionFields): Fields {
  const [first, ...others] = answers
  if (first === undefined) throw new Error('nothing to merge')
  if (others.length === 0) return first
  const topics = new Map<string, Fields>()
  for (const answer of answers) {
    for (const topic of listOf(answer, fields.answers)) {
      const { name, topicId } = topicKey(topic)
      const known = topics.get(`${topicId} ${name}`)
      const partitions = [...(known === undefined ? [] : listOf(known, fields.answerPartitions))]
      partitions.push(...listOf(topic, fields.answerPartitions))
      topics.set(`${topicId} ${name}`, { ...topic, [fields.answerPartitions]: partitions })
    }
  }
  const merged: Record<string, unknown> = { ...first, [fields.answers]: [...topics.values()] }
  for (const other of others) {
    if (merged.errorCode === 0 && other.errorCode !== 0) merged.errorCode = other.errorCode
    merged.throttleTimeMs = Math.max(merged.throttleTimeMs as number, other.throttleTimeMs as number)
    if ('nodeEndpoints' in other) {
      const before = (merged.nodeEndpoints ?? []) as readonly Fields[]
      merged.nodeEndpoints = [...before, ...listOf(other, 'nodeEndpoints')]
    }
  }
  return merged
}

/** The answer to a portion that found nobody. `each` makes that of one partition. */
export function refused(request: Fields, fields: PartitionFields, each: (partition: number) => Fields): Fields {
  const topics = listOf(request, fields.topics).map(topic => {
    const partitions = listOf(topic, fields.partitions)
    return {
      ...topicKey(topic),
      topic: topicKey(topic).name,
      [fields.answerPartitions]: partitions.map(partition => each(indexOf(partition, fields.index))),
    }
  })
  return { throttleTimeMs: 0, errorCode: 0, [fields.answers]: topics }
}

/** Calls `run` for each partition that an answer speaks of. */
export function eachAnswer(
  answer: Fields,
  fields: PartitionFields,
  run: (topic: TopicKey, partition: Fields) => void,
): void {
  for (const topic of listOf(answer, fields.answers)) {
    let key: TopicKey | null = null
    for (const partition of listOf(topic, fields.answerPartitions)) {
      key ??= topicKey(topic)
      run(key, partition)
    }
  }
}
