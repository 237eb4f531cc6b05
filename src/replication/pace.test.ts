import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pace, slowReplica } from './pace.ts'

/** A replica that takes `ms` for each of `times` records. */
function paced(ms: number, times: number): { pace: Pace; now: number } {
  const pace = new Pace()
  let now = 1000
  for (let offset = 0; offset < times; offset++) {
    pace.look(offset, offset + 1, now)
    now += ms
    pace.look(offset + 1, offset + 1, now)
    now += 7
  }
  return { pace, now }
}

test('a pace is the median of the last few times, once there are some', () => {
  assert.equal(paced(200, 4).pace.median(5000), null)
  assert.equal(paced(200, 5).pace.median(5000), 200)
  assert.equal(paced(200, 5).pace.median(50_000), null, 'long ago')
  const { pace, now } = paced(200, 100)
  let at = now
  for (let offset = 100; offset < 104; offset++) {
    pace.look(offset, offset + 1, at)
    pace.look(offset + 1, offset + 1, ++at)
  }
  assert.equal(pace.median(at), 200, 'four of nine')
  pace.look(104, 105, at)
  pace.look(105, 105, ++at)
  assert.equal(pace.median(at), 1, 'five of nine')
})

test('what it has not reached counts as soon as it takes longer', () => {
  const { pace, now } = paced(20, 9)
  pace.look(9, 10, now)
  assert.equal(pace.median(now + 10), 20)
  assert.equal(pace.median(now + 300), 300)
})

test('under a load that never pauses each look begins the next', () => {
  const pace = new Pace()
  for (let i = 0; i <= 6; i++) pace.look(i * 10, (i + 1) * 10, 1000 + i * 30)
  assert.equal(pace.median(1180), 30)
})

test('slow is who takes far longer than everybody else', () => {
  const line = (...ms: (number | null)[]) => ms.map((each, i) => ({ id: i + 1, ms: each }))
  const cases: [string, ReturnType<typeof line>, boolean, number][] = [
    ['nobody', line(3, 4, 5), false, -1],
    ['a follower', line(3, 4, 204), false, 3],
    ['the leader', line(204, 4, 5), false, 1],
    ['all are slow', line(100, 200, 300), false, -1],
    ['fast enough for anybody', line(1, 1, 40), false, -1],
    ['two cannot tell which', line(3, 204), false, -1],
    ['not known', line(3, null, 204), false, -1],
    ['a chain whose tail waits for the middle', line(3, 204, 208), true, 2],
    ['a chain with a slow tail', line(3, 4, 208), true, 3],
    ['a chain with a slow head holds up nobody behind it', line(250, 4, 8), true, 1],
  ]
  for (const [what, of, chain, expected] of cases) assert.equal(slowReplica(1, of, chain), expected, what)
})
