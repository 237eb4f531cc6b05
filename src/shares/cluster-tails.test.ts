import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualTime } from '../machine/testing.ts'
import { ListOffsets } from '../protocol/messages/list-offsets.ts'
import type { RequestInput } from '../protocol/schema.ts'
import { ClusterTails } from './cluster-tails.ts'

const former = 'AAECAwQFBgcICQoLDA0ODw'
const present = 'DwECAwQFBgcICQoLDA0ODw'

const turn = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

/** A replica that this node leads. */
function replica(topicId: string, lastStableOffset = 0) {
  const wakes = new Set<() => void>()
  const watch = (wake: () => void) => {
    wakes.add(wake)
    return () => wakes.delete(wake)
  }
  return { topicId, index: 0, isLeader: true, lastStableOffset, log: { logStartOffset: 0 }, watch, wakes }
}

/** Node 1 of two; the other leads all partitions but those of `own`. */
function bench() {
  const time = new VirtualTime()
  const topics = new Map<string, { id: string; partitions: { leader: number }[] }>()
  /** What the other node would say. */
  const ends = new Map<number, { start: number; end: number }>()
  const own = new Map<number, ReturnType<typeof replica>>()
  let asked = 0
  const send = async (_: unknown, api: unknown, request: RequestInput<typeof ListOffsets>) => {
    // Who waits for news hears none.
    if (api !== ListOffsets) return new Promise(() => {})
    asked++
    const partitions = (request.topics ?? []).flatMap(({ partitions }) =>
      partitions.map(({ partitionIndex, timestamp }) => {
        const known = ends.get(partitionIndex)
        const offset = timestamp === -1 ? known?.end : known?.start
        return { partitionIndex, errorCode: known === undefined ? 3 : 0, offset: offset ?? -1, timestamp: -1 }
      }),
    )
    return { topics: [{ name: 't', partitions }] }
  }
  const tails = new ClusterTails({
    nodeId: 1,
    cluster: { topics } as never,
    replicas: { find: (_: string, partition: number) => own.get(partition) } as never,
    peers: { send: send as never },
    clock: time,
    timers: time,
  })
  const topic = (id: string, ...leaders: number[]) =>
    topics.set('t', { id, partitions: leaders.map(leader => ({ leader })) })
  const known = () => tails.known('t').map(({ partition, start, end }) => `${partition}: ${start}–${end}`)
  const step = async (ms: number) => {
    time.advance(ms)
    await turn()
  }
  return { tails, topic, topics, ends, own, known, step, asked: () => asked }
}

test('own logs are known, others when they were asked for', async () => {
  const { tails, topic, ends, own, known } = bench()
  topic(present, 1, 2)
  own.set(0, replica(present, 7))
  ends.set(1, { start: 3, end: 5 })
  assert.deepEqual(known(), ['0: 0–7'])
  await tails.refresh('t')
  assert.deepEqual(known(), ['0: 0–7', '1: 3–5'])
})

test('what was known of a topic does not hold for another of its name', async () => {
  const { tails, topic, topics, ends, own, known } = bench()
  topic(former, 2, 1)
  own.set(1, replica(former, 7))
  ends.set(0, { start: 0, end: 1000 })
  await tails.refresh('t')
  assert.deepEqual(known(), ['0: 0–1000', '1: 0–7'])
  topics.delete('t')
  assert.deepEqual(known(), [])
  topic(present, 2, 1)
  assert.deepEqual(known(), [])
  ends.set(0, { start: 0, end: 2 })
  await tails.refresh('t')
  assert.deepEqual(known(), ['0: 0–2'])
})

test('who waits for a topic that is made anew is rung when its end is known', async () => {
  const { tails, topic, ends, known, step } = bench()
  topic(former, 2)
  ends.set(0, { start: 0, end: 1000 })
  await tails.refresh('t')
  let rung = 0
  const leave = tails.watch('t', () => rung++)
  await step(0)
  topic(present, 2)
  ends.set(0, { start: 0, end: 2 })
  await step(500)
  assert.deepEqual([known(), rung], [['0: 0–2'], 1])
  leave()
})

test('own partitions are watched as long as somebody waits, and those that take their places', async () => {
  const { tails, topic, own, step } = bench()
  topic(former, 1)
  const [first, second] = [replica(former), replica(present)]
  own.set(0, first)
  let rung = 0
  const leave = tails.watch('t', () => rung++)
  await step(0)
  assert.equal(first.wakes.size, 1)
  for (const wake of first.wakes) wake()
  assert.equal(rung, 1)
  topic(present, 1)
  own.set(0, second)
  await step(500)
  assert.deepEqual([first.wakes.size, second.wakes.size], [0, 1])
  leave()
  await step(1000)
  assert.equal(second.wakes.size, 0)
})
