import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Waiters } from './waiters.ts'

function waiters(...offsets: number[]) {
  const told: (number | string)[] = []
  const line = new Waiters()
  for (const offset of offsets)
    line.add(offset, error => told.push(error === null ? offset : `${offset}: ${error.message}`))
  return { line, told }
}

test('everybody up to the offset is called, in order', () => {
  const { line, told } = waiters(3, 5, 5, 9)
  line.reached(4)
  assert.deepEqual(told, [3])
  line.reached(5)
  assert.deepEqual(told, [3, 5, 5])
  assert.equal(line.size, 1)
})

test('those whose offset will not come are told, the others go on waiting', () => {
  const { line, told } = waiters(3, 5, 9)
  line.fail(4, new Error('full'))
  assert.deepEqual(told, ['5: full', '9: full'])
  line.reached(3)
  assert.deepEqual(told, ['5: full', '9: full', 3])
  assert.equal(line.size, 0)
})

test('a callback may add to the line', () => {
  const line = new Waiters()
  const told: number[] = []
  line.add(1, () => {
    told.push(1)
    line.add(2, () => told.push(2))
  })
  line.reached(1)
  assert.deepEqual(told, [1])
  line.reached(2)
  assert.deepEqual(told, [1, 2])
})

test('a long line is kept short', () => {
  const line = new Waiters()
  let called = 0
  for (let offset = 1; offset <= 5_000; offset++) line.add(offset, () => called++)
  for (let offset = 1; offset <= 5_000; offset += 7) line.reached(offset)
  line.reached(5_000)
  assert.equal(called, 5_000)
  assert.equal(line.size, 0)
})
