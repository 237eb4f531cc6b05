import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Deadlines } from './deadlines.ts'
import { dice, VirtualTime } from './testing.ts'

function setUp() {
  const time = new VirtualTime()
  const expired: { key: string; at: number }[] = []
  const deadlines = new Deadlines<string>(time, time, (_, key) => expired.push({ key, at: time.mono() }))
  return { time, expired, deadlines, keys: () => expired.map(({ key }) => key) }
}

describe('deadlines', () => {
  it('expire in order, never early and at most a slot late', () => {
    const { time, expired, deadlines } = setUp()
    deadlines.set('b', 205, 'b')
    deadlines.set('a', 13, 'a')
    deadlines.set('c', 2500, 'c')
    time.advance(5000)
    assert.deepEqual(
      expired.map(({ key }) => key),
      ['a', 'b', 'c'],
    )
    for (const [at, due] of [
      [expired[0]!.at, 13],
      [expired[1]!.at, 205],
      [expired[2]!.at, 2500],
    ] as const) {
      assert.ok(at >= due && at <= due + 10, `${at} for ${due}`)
    }
    assert.equal(deadlines.size, 0)
    assert.equal(time.pending, 0, 'no timer is left')
  })

  it('can be pushed away, pulled near and cancelled', () => {
    const { time, keys, deadlines } = setUp()
    deadlines.set('heartbeat', 100, 'x')
    for (let i = 0; i < 50; i++) {
      time.advance(60)
      deadlines.set('heartbeat', 100, 'x')
    }
    deadlines.set('near', 60_000, 'x')
    deadlines.set('near', 20, 'x')
    deadlines.set('never', 50, 'x')
    deadlines.cancel('never')
    time.advance(30)
    assert.deepEqual(keys(), ['near'])
    time.advance(90)
    assert.deepEqual(keys(), ['near', 'heartbeat'])
  })

  it('may be changed by an expiry, and set anew for at once', () => {
    const time = new VirtualTime()
    const seen: string[] = []
    const deadlines: Deadlines<string> = new Deadlines(time, time, (_, key) => {
      seen.push(key)
      if (key !== 'first') return
      deadlines.cancel('cancelled')
      deadlines.set('pushed', 1000, '')
      deadlines.set('again', 0, '')
    })
    for (const key of ['first', 'cancelled', 'pushed', 'last']) deadlines.set(key, 10, '')
    time.advance(500)
    assert.deepEqual(seen, ['first', 'last', 'again'])
    time.advance(600)
    assert.deepEqual(seen, ['first', 'last', 'again', 'pushed'])
  })

  it('do not count the time in which the process stood still', () => {
    const { time, keys, deadlines } = setUp()
    deadlines.set('member', 3000, 'x')
    time.advance(1000)
    time.stall(20_000)
    deadlines.set('heard', 100, 'x')
    time.advance(1000)
    assert.deepEqual(keys(), ['heard'])
    time.advance(1000)
    assert.deepEqual(keys(), ['heard', 'member'])
  })

  it('handle what has arrived before anything expires', () => {
    const { time, keys, deadlines } = setUp()
    deadlines.set('member', 1000, 'x')
    time.after(1000, () => deadlines.set('member', 1000, 'x'))
    time.advance(1500)
    assert.deepEqual(keys(), [])
  })

  it('agree with a plain list of deadlines', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = dice(seed)
      const { time, keys, deadlines, expired } = setUp()
      const model = new Map<string, number>()
      for (let step = 0; step < 500; step++) {
        const key = `k${random.int(30)}`
        const roll = random.int(10)
        if (roll < 6) {
          const afterMs = random.int(400)
          deadlines.set(key, afterMs, '')
          model.set(key, time.mono() + afterMs)
        } else if (roll < 7) {
          deadlines.cancel(key)
          model.delete(key)
        } else {
          expired.length = 0
          time.advance(random.int(50))
          for (const { key: gone, at } of expired) {
            const due = model.get(gone)
            assert.ok(due !== undefined && at >= due && at <= due + 11, `seed ${seed}: ${gone} at ${at}, due ${due}`)
            model.delete(gone)
          }
          for (const [left, due] of model) assert.ok(due + 11 > time.mono(), `seed ${seed}: ${left} is overdue`)
        }
      }
      assert.equal(deadlines.size, model.size)
      deadlines.clear()
      expired.length = 0
      time.advance(10_000)
      assert.deepEqual(keys(), [])
    }
  })
})
