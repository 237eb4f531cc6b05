import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pace } from './pace.ts'

const settle = () => new Promise(resolve => setImmediate(resolve))

test('while too much waits nobody is given anything; then those go on who waited', async () => {
  const state = { unsent: 0, looks: 0 }
  const unsent = () => {
    state.looks++
    return state.unsent
  }
  const pace = new Pace({ timers: { soon: run => void setImmediate(run) }, unsent, mostUnsent: () => 1000 })
  pace.gave(1000)
  assert.equal(pace.full, false)
  assert.equal(state.looks, 0, 'nobody looks while it cannot be too much')
  state.unsent = 1000
  pace.gave(1)
  assert.equal(pace.full, false, 'just as much as may wait')
  state.unsent = 1001
  pace.gave(1)
  assert.equal(pace.full, true)
  const done: number[] = []
  const all = [1, 2].map(i => pace.run(async () => void done.push(i)))
  await settle()
  assert.deepEqual(done, [])
  assert.equal(pace.patient, 2)
  const { looks } = state
  pace.again()
  await settle()
  assert.equal(pace.patient, 2, 'it is still too much')
  assert.equal(state.looks, looks + 1, 'one look is enough for all')
  state.unsent = 0
  pace.again()
  await Promise.all(all)
  assert.deepEqual(done, [1, 2])
})

test('events of half a megabyte are made one or two in a turn, however many want them', async () => {
  const turns: (() => void)[] = []
  const pace = new Pace({ timers: { soon: run => void turns.push(run) }, unsent: () => 0, mostUnsent: () => 1 << 30 })
  let made = 0
  let inHand = 0
  let mostInHand = 0
  const all = Array.from({ length: 100 }, () =>
    pace.run(async () => {
      mostInHand = Math.max(mostInHand, ++inHand)
      await pace.give(() => {
        made++
        pace.gave(500_000)
      })
      inHand--
    }),
  )
  await settle()
  const perTurn: number[] = []
  while (made < 100) {
    const before = made
    for (const run of turns.splice(0)) run()
    await settle()
    perTurn.push(made - before)
  }
  await Promise.all(all)
  assert.ok(mostInHand <= 32, `${mostInHand} in hand`)
  assert.ok(Math.max(...perTurn) <= 2, String(perTurn))
})
