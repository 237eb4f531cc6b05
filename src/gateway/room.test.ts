import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import { Room } from './room.ts'

function bench(most: number, waiting = 10) {
  const timers: { run: () => void; cancelled: boolean }[] = []
  const after = (_: number, run: () => void) => {
    const timer = { run, cancelled: false }
    timers.push(timer)
    return {
      cancel: () => {
        timer.cancelled = true
      },
    }
  }
  const room = new Room({ world: { timers: { after } as never }, most, waiting, waitMs: 1000, full: 'full' })
  const taken: string[] = []
  const take = async (name: string, amount: number, signal: AbortSignal | null = null) => {
    const got = await room.take(amount, () => signal)
    taken.push(name)
    return got
  }
  return { room, taken, take, timers }
}

const turn = () => new Promise(resolve => setImmediate(resolve))
const named = (name: ErrorName) => (error: unknown) => error instanceof KafkaError && error.errorName === name

test('what fits is taken, what does not waits its turn; what is larger than the room goes alone', async () => {
  const { room, taken, take } = bench(10)
  const [six, four, nine, one, large] = [
    take('six', 6),
    take('four', 4),
    take('nine', 9),
    take('one', 1),
    take('large', 50),
  ]
  await turn()
  assert.deepEqual(taken, ['six', 'four'])
  ;(await six).give()
  await turn()
  // Nobody goes before who waits.
  assert.deepEqual([taken.length, room.taken, room.waiting], [2, 4, 3])
  ;(await four).give()
  await turn()
  assert.deepEqual(taken.slice(2), ['nine', 'one'])
  ;(await nine).give()
  ;(await one).give()
  await turn()
  assert.deepEqual([taken.at(-1), room.taken], ['large', 50])
  ;(await large).give()
  assert.deepEqual([room.taken, room.waiting], [0, 0])
})

test('who waits too long, or has gone, leaves the line, and those behind go on', async () => {
  const { room, taken, take, timers } = bench(10)
  const six = await take('six', 6)
  const late = assert.rejects(take('late', 8), named('THROTTLING_QUOTA_EXCEEDED'))
  const leaving = new AbortController()
  const left = assert.rejects(take('left', 7, leaving.signal), named('NETWORK_EXCEPTION'))
  const small = take('small', 3)
  await turn()
  leaving.abort()
  await left
  assert.equal(room.waiting, 2)
  timers[0]!.run()
  await late
  ;(await small).give()
  assert.deepEqual([taken, room.waiting, room.taken], [['six', 'small'], 0, 6])
  assert.deepEqual(
    timers.map(({ cancelled }) => cancelled),
    [true, true, true],
  )
  await assert.rejects(take('gone', 8, leaving.signal), named('NETWORK_EXCEPTION'))
  six.give()
})

test('at the end of a line that is long enough nobody waits', async () => {
  const { room, take } = bench(10, 2)
  const all = [await take('all', 10)]
  const waiting = [take('a', 5), take('b', 5)]
  await assert.rejects(take('c', 5), named('THROTTLING_QUOTA_EXCEEDED'))
  all[0]!.give()
  for (const each of await Promise.all(waiting)) each.give()
  assert.equal(room.taken, 0)
})

test('what turns out to be less makes room, what turns out to be more must find it', async () => {
  const { room, take } = bench(10)
  const eight = await take('eight', 8)
  const five = take('five', 5)
  eight.is(3)
  const now = await five
  assert.equal(room.taken, 8)
  const more = room.begin()
  assert.throws(() => more.is(3), named('THROTTLING_QUOTA_EXCEEDED'))
  more.is(2)
  for (const each of [eight, now, more]) each.give()
  more.give()
  assert.equal(room.taken, 0)
  const large = room.begin()
  large.is(7)
  large.is(100)
  assert.equal(room.taken, 100)
})
