import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Freshness } from './freshness.ts'

const never = Number.NEGATIVE_INFINITY

it('is as of the last question all of whose answer is applied', () => {
  const copy = new Freshness()
  assert.equal(copy.asOf(100, 0), never)
  copy.note(1000, 10)
  assert.equal(copy.asOf(9, 0), never)
  assert.equal(copy.asOf(10, 0), 1000)
})

it('goes on when there is always more: the oldest that is waited for is kept, and the newest', () => {
  const copy = new Freshness()
  copy.note(1000, 10)
  copy.note(1100, 20)
  copy.note(1200, 30)
  assert.equal(copy.asOf(12, 0), 1000)
  assert.equal(copy.asOf(25, 0), 1000)
  copy.note(1300, 40)
  assert.equal(copy.asOf(30, 0), 1200)
  assert.equal(copy.asOf(40, 0), 1300)
})

it('takes no word of a leader that has committed nothing of its own epoch', () => {
  const copy = new Freshness()
  copy.note(1000, 10)
  assert.equal(copy.asOf(10, 10), never)
  copy.note(1100, 11)
  assert.equal(copy.asOf(11, 10), 1100)
})
