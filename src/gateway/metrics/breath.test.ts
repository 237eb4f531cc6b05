import assert from 'node:assert/strict'
import { test } from 'node:test'
import { breather } from './breath.ts'

test('now and then others have their turn', async () => {
  const turns: (() => void)[] = []
  const breathe = breather({ soon: run => turns.push(run) }, 3)
  const pauses = Array.from({ length: 7 }, breathe)
  assert.deepEqual(pauses.map(pause => pause === null), [true, true, false, true, true, false, true]) // biome-ignore format: one line
  for (const turn of turns) turn()
  await Promise.all(pauses)
})
