import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Breath } from './breath.ts'

test('small work goes on, and with 64 KiB others have their turn', async () => {
  const turns: (() => void)[] = []
  const breath = new Breath({ soon: run => void turns.push(run) })
  assert.equal(breath.after(64 * 1024 - 1), null)
  const rest = breath.after(1)
  assert.notEqual(rest, null)
  assert.equal(turns.length, 1)
  turns[0]!()
  await rest
  assert.equal(breath.after(1000), null)
})

test('other work is counted in its own way', async () => {
  const turns: (() => void)[] = []
  const breath = new Breath({ soon: run => void turns.push(run) }, 3)
  const pauses = Array.from({ length: 7 }, () => breath.after(1))
  assert.deepEqual(pauses.map(pause => pause === null), [true, true, false, true, true, false, true]) // biome-ignore format: one line
  for (const turn of turns) turn()
  await Promise.all(pauses)
})
