import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualTime } from '../machine/testing.ts'
import { DelayedOperations } from './delayed.ts'

function delayed() {
  const time = new VirtualTime()
  const said: string[] = []
  return { time, said, operations: new DelayedOperations(time, time) }
}

test('what is not cancelled expires, in its time', () => {
  const { time, said, operations } = delayed()
  operations.after(500, () => said.push('late'))
  operations.after(50, () => said.push('early'))
  operations.cancel(operations.after(60, () => said.push('never')))
  time.advance(49)
  assert.deepEqual(said, [])
  time.advance(20)
  assert.deepEqual(said, ['early'])
  time.advance(450)
  assert.deepEqual(said, ['early', 'late'])
  assert.equal(operations.waiting, 0)
})

test('a hurry calls only what may be answered early', () => {
  const { said, operations } = delayed()
  operations.after(500, () => said.push('fetch'), true)
  operations.after(500, () => said.push('produce'))
  operations.hurry()
  assert.deepEqual(said, ['fetch'])
  assert.equal(operations.waiting, 1)
})

test('what was cancelled is not called, and keeps nothing', () => {
  const { time, said, operations } = delayed()
  operations.after(20, () => said.push('first'))
  const second = operations.after(20, () => said.push('second'))
  operations.cancel(second)
  operations.cancel(second)
  time.advance(40)
  assert.deepEqual(said, ['first'])
  assert.deepEqual(second, { value: null, previous: null, next: null })
})

test('an expiry may add another one', () => {
  const { time, said, operations } = delayed()
  operations.after(20, () => operations.after(20, () => said.push('second')))
  time.advance(100)
  assert.deepEqual(said, ['second'])
})

test('nothing is called after clear', () => {
  const { time, said, operations } = delayed()
  operations.after(20, () => said.push('no'))
  operations.clear()
  time.advance(100)
  assert.deepEqual(said, [])
})
