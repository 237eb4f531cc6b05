import { DescribeLogDirs } from '../protocol/messages/describe-log-dirs.ts'
import { ListPartitionReassignments } from '../protocol/messages/list-partition-reassignments.ts'
import type { Cluster } from './cluster.ts'
import { throwIf } from './failures.ts'

/** One copy on its way to a node. */
export interface Move {
  readonly topic: string
  readonly partition: number
  readonly to: number
  /** Nodes that give theirs up when it is there. */
  readonly from: readonly number[]
  /** Bytes there, and in all; −1: not known. */
  readonly done: number
  readonly total: number
}

export interface Moving {
  readonly moves: readonly Move[]
  readonly done: number
  readonly total: number
  /** Bytes a second between two looks; null after one look only. */
  readonly rate: number | null
}

/** Partitions on the move, and how far they are. */
export async function movesOf(cluster: Cluster): Promise<Move[]> {
  const connection = await cluster.controller()
  if (connection.versionOf(ListPartitionReassignments as never) < 0) return []
  const answer = await connection.request(ListPartitionReassignments, { timeoutMs: 10_000, topics: null })
  throwIf(answer.errorCode, 'moves', answer.errorMessage)
  const moving = answer.topics.flatMap(({ name, partitions }) => partitions.map(each => ({ topic: name, ...each })))
  const nodes = new Set(moving.flatMap(({ replicas }) => replicas))
  const sizes = new Map<number, Sizes>()
  for (const node of nodes) sizes.set(node, await sizesOn(cluster, node))
  const at = (node: number, topic: string, partition: number) => sizes.get(node)?.get(`${topic}-${partition}`) ?? -1
  return moving.flatMap(({ topic, partitionIndex: partition, replicas, addingReplicas, removingReplicas }) => {
    const whole = replicas.filter(node => !addingReplicas.includes(node))
    const total = Math.max(-1, ...whole.map(node => at(node, topic, partition)))
    const more = addingReplicas.map(to => {
      return { topic, partition, to, from: removingReplicas, done: at(to, topic, partition), total }
    })
    // What is only given up moves no bytes.
    return more.length > 0 ? more : [{ topic, partition, to: -1, from: removingReplicas, done: 0, total: 0 }]
  })
}

type Sizes = ReadonlyMap<string, number>

/** Bytes of each partition on a node, by `topic-partition`; nothing when it cannot be asked. */
export async function sizesOn(cluster: Cluster, node: number): Promise<Sizes> {
  const sizes = new Map<string, number>()
  try {
    const connection = await cluster.broker(node)
    const answer = await connection.request(DescribeLogDirs, { topics: null })
    for (const { topics } of answer.results)
      for (const { name, partitions } of topics)
        for (const { partitionIndex, partitionSize } of partitions)
          sizes.set(`${name}-${partitionIndex}`, partitionSize)
  } catch {}
  return sizes
}

/** How far moves are in all. `before`: what an earlier look found, `elapsedMs` ago. */
export function sum(moves: readonly Move[], before: readonly Move[] | null, elapsedMs: number): Moving {
  const total = moves.reduce((bytes, move) => bytes + Math.max(0, move.total), 0)
  const done = moves.reduce((bytes, move) => bytes + Math.max(0, Math.min(move.done, move.total)), 0)
  if (before === null || elapsedMs <= 0) return { moves, done, total, rate: null }
  const key = (move: Move) => `${move.topic}-${move.partition}>${move.to}`
  const earlier = new Map(before.map(move => [key(move), move]))
  const gained = moves.reduce((bytes, move) => {
    const first = earlier.get(key(move))
    return first === undefined ? bytes : bytes + Math.max(0, Math.max(0, move.done) - Math.max(0, first.done))
  }, 0)
  return { moves, done, total, rate: (gained * 1000) / elapsedMs }
}
