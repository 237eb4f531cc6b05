import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualTime } from '../machine/testing.ts'
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import type { SettleAnswer } from './commands.ts'
import type { AcquireRequest, SettleRequest } from './coordinator.ts'
import { LeaseDesk, type PullRequest } from './lease-desk.ts'
import type { Acquired } from './shares.ts'

/** A coordinator whose answers are given by hand. */
class Coordinator {
  readonly acquires: {
    request: AcquireRequest
    answer: (counts: number[]) => Promise<void>
    fail: (e: Error) => void
  }[] = []
  readonly settles: { request: SettleRequest; answer: (results: ErrorName[]) => Promise<void> }[] = []
  #offset = 0

  acquire(request: AcquireRequest): Promise<Acquired> {
    return new Promise((resolve, reject) => {
      const answer = (counts: number[]) => {
        const grants = counts.map(count => ({
          lockMs: 500,
          records: Array.from({ length: count }, () => {
            const offset = this.#offset++
            return { partition: 0, offset, lease: 100 + offset, deliveryCount: 1 }
          }),
        }))
        resolve({ topicId: 'id', grants })
        return turn()
      }
      this.acquires.push({ request, answer, fail: reject })
    })
  }

  settle(request: SettleRequest): Promise<SettleAnswer> {
    return new Promise(resolve => {
      const answer = (results: ErrorName[]) => {
        resolve({ error: 'NONE', results })
        return turn()
      }
      this.settles.push({ request, answer })
    })
  }
}

/** Everything that hangs on promises has happened. */
const turn = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

const wish: PullRequest = {
  groupId: 'g',
  topic: 't',
  begin: 'earliest',
  max: 1,
  waitMs: 0,
  lockMs: -1,
  signal: null,
}

function bench(limits: { maxPulls?: number; maxSettlements?: number } = {}) {
  const time = new VirtualTime()
  const coordinator = new Coordinator()
  const desk = new LeaseDesk({ shares: coordinator, clock: time, timers: time, ...limits })
  const got: string[] = []
  const pull = (name: string, more: Partial<PullRequest> = {}) =>
    desk.pull({ ...wish, ...more }).then(
      ({ records }) => got.push(`${name}: ${records.map(({ offset }) => offset).join(' ')}`),
      error => got.push(`${name}: ${(error as KafkaError).errorName}`),
    )
  const step = async (ms = 0) => {
    time.advance(ms)
    await turn()
  }
  return { time, coordinator, desk, got, pull, step }
}

test('pulls that come together are one question, and those that come meanwhile the next one', async () => {
  const { coordinator, got, pull, step } = bench()
  void pull('a')
  void pull('b', { max: 3, lockMs: 700 })
  await step()
  assert.equal(coordinator.acquires.length, 1)
  assert.deepEqual(coordinator.acquires[0]!.request.wants, [
    { max: 1, lockMs: -1 },
    { max: 3, lockMs: 700 },
  ])
  void pull('c')
  void pull('d')
  await step()
  assert.equal(coordinator.acquires.length, 1)
  await coordinator.acquires[0]!.answer([1, 2])
  assert.equal(coordinator.acquires[1]!.request.wants.length, 2)
  await coordinator.acquires[1]!.answer([1, 0])
  assert.deepEqual(got, ['a: 0', 'b: 1 2', 'c: 3', 'd: '])
})

test('those for whom there is nothing wait with one question, in line', async () => {
  const { coordinator, got, pull, step } = bench()
  void pull('a', { waitMs: 1000 })
  void pull('b', { waitMs: 5000 })
  await step()
  await coordinator.acquires[0]!.answer([0, 0])
  const parked = coordinator.acquires[1]!.request
  assert.deepEqual([parked.waitMs, parked.wants.length], [5000, 2])
  // Who comes now is asked for at once.
  void pull('c')
  await step()
  assert.equal(coordinator.acquires[2]!.request.waitMs, 0)
  await coordinator.acquires[2]!.answer([0])
  assert.deepEqual(got, ['c: '])
  await step(1000)
  assert.deepEqual(got, ['c: ', 'a: '])
  // What comes for who has gone is given back.
  await coordinator.acquires[1]!.answer([1, 1])
  await step()
  assert.deepEqual(got, ['c: ', 'a: ', 'b: 1'])
  const [{ request } = assert.fail()] = coordinator.settles
  assert.deepEqual(request.items, [{ partition: 0, offset: 0, lease: 100, what: 'return', ms: -1, why: '' }])
})

test('when nobody waits any more, the question is called off', async () => {
  const { coordinator, got, pull, step } = bench()
  const gone = new AbortController()
  void pull('a', { waitMs: 1000, signal: gone.signal })
  await step()
  await coordinator.acquires[0]!.answer([0])
  const { signal } = coordinator.acquires[1]!.request
  assert.equal(signal?.aborted, false)
  gone.abort()
  await step()
  assert.deepEqual([signal?.aborted, got], [true, ['a: ']])
})

test('a failure is that of all who asked, and the next ones try again', async () => {
  const { coordinator, desk, got, pull, step } = bench()
  void pull('a', { waitMs: 1000 })
  void pull('b')
  await step()
  coordinator.acquires[0]!.fail(new KafkaError('COORDINATOR_NOT_AVAILABLE'))
  await turn()
  assert.deepEqual(got, ['a: COORDINATOR_NOT_AVAILABLE', 'b: COORDINATOR_NOT_AVAILABLE'])
  assert.equal(desk.load.pulls, 0)
  void pull('c')
  await step()
  await coordinator.acquires[1]!.answer([1])
  assert.equal(got[2], 'c: 0')
})

test('groups, topics and beginnings do not share a question', async () => {
  const { coordinator, pull, step } = bench()
  for (const more of [{}, { groupId: 'h' }, { topic: 'u' }, { begin: 'latest' as const }]) void pull('x', more)
  await step()
  assert.equal(coordinator.acquires.length, 4)
})

test('settlements that come together are one question', async () => {
  const { coordinator, desk, step } = bench()
  const results: string[] = []
  const settle = (offset: number) => {
    const item = { partition: 0, offset, lease: 1, what: 'accept', ms: -1, why: '' } as const
    void desk.settle('g', 't', item).then(result => results.push(`${offset} ${result}`))
  }
  settle(1)
  settle(2)
  await step()
  settle(3)
  await step()
  assert.equal(coordinator.settles.length, 1)
  await coordinator.settles[0]!.answer(['NONE', 'INVALID_RECORD_STATE'])
  assert.deepEqual(
    coordinator.settles[1]!.request.items.map(({ offset }) => offset),
    [3],
  )
  await coordinator.settles[1]!.answer(['NONE'])
  assert.deepEqual(results, ['1 NONE', '2 INVALID_RECORD_STATE', '3 NONE'])
  assert.equal(desk.load.settlements, 0)
})

test('so many pulls and settlements are under way, and no more', async () => {
  const { coordinator, desk, got, pull, step } = bench({ maxPulls: 2, maxSettlements: 1 })
  void pull('a')
  void pull('b')
  void pull('c')
  await turn()
  assert.deepEqual(got, ['c: THROTTLING_QUOTA_EXCEEDED'])
  await step()
  await coordinator.acquires[0]!.answer([1, 1])
  assert.equal(desk.load.pulls, 0)
  const item = { partition: 0, offset: 1, lease: 1, what: 'accept', ms: -1, why: '' } as const
  void desk.settle('g', 't', item)
  await assert.rejects(desk.settle('g', 't', item), /too many settlements/)
})
