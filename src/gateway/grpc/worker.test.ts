import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Leased, Pull, Pulled } from '../leases/puller.ts'
import { broadcastHeader } from './broadcasts.ts'
import type { In } from './protobuf/schema.ts'
import type { WorkResponse } from './services/leases.ts'
import { Worker, type WorkerOptions } from './worker.ts'

const turn = () => new Promise(resolve => setImmediate(resolve))

function record(offset: number, broadcast: string | null = null) {
  const headers = broadcast === null ? [] : [{ key: broadcastHeader, value: Buffer.from(broadcast) }]
  return { offset, timestamp: 0, key: null, value: Buffer.from(String(offset)), headers }
}

const leased = (offset: number, broadcast: string | null = null): Leased => ({
  partition: 0,
  record: record(offset, broadcast),
  lease: offset,
  deliveryCount: 1,
})

/** A worker of a group whose records, and whose clock, are in the test's hands. */
function start(options: Partial<WorkerOptions> = {}) {
  const timers: { at: number; run: () => void }[] = []
  const group = {
    ms: 0,
    /** Questions that are not answered. */
    asked: [] as { wish: Pull; answer: (pulled: Pulled) => void }[],
    settled: [] as string[],
    written: [] as In<typeof WorkResponse>[],
    failed: [] as unknown[],
    give(...records: Leased[]) {
      group.asked.shift()!.answer({ leaseMs: 1000, bytes: 0, records })
    },
    pass(ms: number) {
      group.ms += ms
      for (const timer of timers.splice(0)) timer.at <= group.ms ? timer.run() : timers.push(timer)
    },
    get offsets() {
      return group.written.flatMap(({ records = [] }) => records.map(each => each.record?.offset))
    },
  }
  const worker = new Worker({
    puller: {
      given: () => {},
      pull: wish => new Promise(answer => group.asked.push({ wish, answer })),
      settle: async (_, { offset }, what) => group.settled.push(`${what} ${offset}`) > 0,
    },
    world: {
      clock: { now: () => group.ms, mono: () => group.ms },
      timers: {
        after: (ms, run) => {
          const timer = { at: group.ms + ms, run }
          timers.push(timer)
          return { cancel: () => void timers.splice(timers.indexOf(timer), 1) }
        },
        soon: run => setImmediate(run),
      },
    },
    topic: 't',
    groupId: 'g',
    begin: 'earliest',
    credits: 2,
    leaseMs: -1,
    write: async message => void group.written.push(message),
    fail: error => void group.failed.push(error),
    ...options,
  })
  void worker.run()
  return { worker, group }
}

const names = ({ written }: { written: In<typeof WorkResponse>[] }) =>
  written.flatMap(({ records = [] }) => records.map(each => each.lease!))

const copy = { topic: 't', partition: 0, leaderEpoch: 0 }

test('asks for as many records as there is credit, and for none without', async () => {
  const { worker, group } = start()
  assert.equal(group.asked[0]?.wish.max, 2)
  group.give(leased(1))
  await turn()
  assert.equal(group.asked[0]?.wish.max, 1)
  group.give(leased(2))
  await turn()
  assert.equal(group.asked.length, 0)
  worker.settled(names(group)[0]!)
  await turn()
  assert.equal(group.asked[0]?.wish.max, 1)
})

test('a lease that is over frees its credit, unless it was renewed', async () => {
  const { worker, group } = start()
  group.give(leased(1), leased(2))
  await turn()
  worker.renewed(names(group)[0]!, -1)
  group.pass(900)
  worker.renewed(names(group)[0]!, 5000)
  group.pass(100)
  await turn()
  assert.equal(group.asked[0]?.wish.max, 1)
})

test('what was not settled goes back when the worker leaves; what it never saw, as if never given', async () => {
  const { worker, group } = start()
  group.give(leased(1))
  await turn()
  await worker.close()
  await worker.close()
  group.give(leased(2))
  await turn()
  assert.deepEqual(group.settled, ['release 1', 'return 2'])
  assert.deepEqual(group.offsets, [1])
})

test('a broadcast is shown once, whichever way it comes first', async () => {
  const { worker, group } = start()
  worker.broadcast({ ...copy, ...record(5, 'first') }, 'first')
  group.give(leased(5, 'first'), leased(6, 'second'))
  await turn()
  worker.broadcast({ ...copy, ...record(6, 'second') }, 'second')
  await turn()
  assert.deepEqual(group.offsets, [5, 6])
  // The copy that came as a job, and was known, is done with.
  assert.deepEqual(group.settled, ['accept 5'])
  assert.deepEqual(
    group.written.flatMap(({ records = [] }) => records.map(each => [each.broadcast, (each.lease ?? '') !== ''])),
    [
      [true, false],
      [true, true],
    ],
  )
})

test('broadcasts that nobody takes end the call; they do not pile up', async () => {
  const { worker, group } = start({ write: () => new Promise(() => {}) })
  for (let i = 0; i <= 100; i++) worker.broadcast({ ...copy, ...record(i, `${i}`) }, `${i}`)
  assert.equal(group.failed.length, 1)
})

test('the ids of a thousand broadcasts are remembered, and no more', async () => {
  const { worker, group } = start()
  for (let i = 0; i < 1001; i++) {
    worker.broadcast({ ...copy, ...record(i, `${i}`) }, `${i}`)
    await turn()
  }
  worker.broadcast({ ...copy, ...record(1, '1') }, '1')
  worker.broadcast({ ...copy, ...record(0, '0') }, '0')
  await turn()
  assert.equal(group.offsets.length, 1002)
})
