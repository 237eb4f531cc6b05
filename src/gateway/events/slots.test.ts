import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slots } from './slots.ts'

test('no more than so many at one time, in the order in which they came', async () => {
  const slots = new Slots(2)
  const begun: number[] = []
  const finish: (() => void)[] = []
  const works = Array.from({ length: 5 }, (_, i) =>
    slots.run(async () => {
      begun.push(i)
      await new Promise<void>(resolve => finish.push(resolve))
      return i
    }),
  )
  await null
  assert.deepEqual([begun, slots.waiting], [[0, 1], 3])
  for (let i = 0; i < 5; i++) {
    finish[i]!()
    assert.equal(await works[i], i)
    await null
  }
  assert.deepEqual([begun, slots.waiting], [[0, 1, 2, 3, 4], 0])
})

test('who fails makes room, too', async () => {
  const slots = new Slots(1)
  await assert.rejects(
    slots.run(() => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal(await slots.run(async () => 1), 1)
})
