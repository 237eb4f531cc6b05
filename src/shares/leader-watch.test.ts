import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualTime } from '../machine/testing.ts'
import { ErrorCode, KafkaError } from '../protocol/errors.ts'
import type { Fetch } from '../protocol/messages/fetch.ts'
import type { RequestInput } from '../protocol/schema.ts'
import { LeaderWatch } from './leader-watch.ts'

const topicId = 'AAECAwQFBgcICQoLDA0ODw'

interface Asked {
  readonly ends: string
  answer(parts: Record<number, number | keyof typeof ErrorCode>): Promise<void>
  fail(): Promise<void>
}

const turn = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

function bench() {
  const time = new VirtualTime()
  const asked: Asked[] = []
  const heard: string[] = []
  const send = (_node: unknown, _api: unknown, request: RequestInput<typeof Fetch>) =>
    new Promise((resolve, reject) => {
      const parts = request.topics.flatMap(({ partitions }) => partitions)
      asked.push({
        ends: parts.map(({ partition, fetchOffset }) => `${partition}:${fetchOffset}`).join(' '),
        answer: found => {
          const partitions = Object.entries(found).map(([index, end]) => ({
            partitionIndex: Number(index),
            errorCode: typeof end === 'string' ? ErrorCode[end] : 0,
            highWatermark: end,
            lastStableOffset: typeof end === 'number' ? end : -1,
            logStartOffset: 2,
          }))
          resolve({ errorCode: 0, responses: [{ topicId, partitions }] })
          return turn()
        },
        fail: () => {
          reject(new KafkaError('NETWORK_EXCEPTION'))
          return turn()
        },
      })
    })
  const watch = new LeaderWatch({
    leader: 2,
    peers: { send: send as never },
    timers: time,
    seen: ({ partition }, start, end) => heard.push(`${partition} from ${start} to ${end}`),
    lost: ({ partition }) => heard.push(`${partition} lost`),
  })
  const set = (...ends: number[]) =>
    watch.watch(ends.map((end, partition) => ({ topic: 't', topicId, partition, end })))
  const step = async (ms: number) => {
    time.advance(ms)
    await turn()
  }
  return { watch, set, asked, heard, step }
}

test('one question for all partitions, again as soon as it is answered', async () => {
  const { set, asked, heard, step } = bench()
  set(5, 7)
  assert.deepEqual(
    asked.map(({ ends }) => ends),
    ['0:5 1:7'],
  )
  await asked[0]!.answer({ 0: 5, 1: 9 })
  assert.deepEqual(heard, ['1 from 2 to 9'])
  await step(5)
  assert.equal(asked[1]!.ends, '0:5 1:9')
  await asked[1]!.answer({ 0: 5, 1: 9 })
  assert.equal(asked[2]!.ends, '0:5 1:9')
})

test('a partition more is a new question, whose elder says nothing any more', async () => {
  const { set, asked, heard } = bench()
  set(5)
  set(5)
  assert.equal(asked.length, 1)
  set(5, 1)
  assert.equal(asked[1]!.ends, '0:5 1:1')
  await asked[0]!.answer({ 0: 6 })
  assert.deepEqual([heard, asked.length], [[], 2])
  await asked[1]!.answer({ 0: 6, 1: 1 })
  assert.deepEqual(heard, ['0 from 2 to 6'])
})

test('who leads no more is not asked again; who does not answer is, after a while', async () => {
  const { set, asked, heard, step } = bench()
  set(5, 7)
  await asked[0]!.answer({ 0: 'NOT_LEADER_OR_FOLLOWER', 1: 7 })
  assert.deepEqual(heard, ['0 lost'])
  await step(199)
  assert.equal(asked.length, 1)
  await step(1)
  assert.equal(asked[1]!.ends, '1:7')
  await asked[1]!.fail()
  await step(200)
  assert.equal(asked[2]!.ends, '1:7')
})

test('when nobody waits, nobody asks', async () => {
  const { watch, set, asked, heard, step } = bench()
  set(5)
  set()
  await asked[0]!.answer({ 0: 5 })
  await step(1000)
  assert.equal(asked.length, 1)
  set(5)
  assert.equal(asked.length, 2)
  watch.stop()
  await asked[1]!.answer({ 0: 6 })
  await step(1000)
  assert.deepEqual([asked.length, heard], [2, []])
})
