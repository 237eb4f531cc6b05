import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EventBatch, Ring } from './ring.ts'

const batch = (offset: number, size = 100): EventBatch => ({
  bytes: new Uint8Array(size),
  ends: [size],
  keys: [null],
  partitions: [0],
  after: [offset],
})

test('batches are found by their number', () => {
  const ring = new Ring()
  assert.equal(ring.next, 0)
  for (let i = 0; i < 5; i++) ring.push(batch(i + 1), 1_000_000)
  assert.deepEqual([ring.oldest, ring.next], [0, 5])
  assert.deepEqual(ring.at(3)?.after, [4])
  assert.equal(ring.at(5), undefined)
})

test('only the newest are kept, within the limit; the newest always', () => {
  const ring = new Ring()
  for (let i = 0; i < 10_000; i++) {
    ring.push(batch(i + 1), 2680)
    assert.ok(ring.bytes <= 2680, `${ring.bytes}`)
  }
  assert.deepEqual([ring.oldest, ring.next], [9990, 10_000])
  assert.equal(ring.at(9989), undefined)
  assert.deepEqual(ring.at(9990)?.after, [9991])
  ring.push(batch(10_001, 1_000_000), 2680)
  assert.deepEqual([ring.oldest, ring.next], [10_000, 10_001])
})

test('after a break nobody goes on', () => {
  const ring = new Ring()
  ring.push(batch(1), 1000)
  ring.break()
  assert.deepEqual([ring.oldest, ring.next, ring.bytes], [2, 2, 0])
  assert.equal(ring.at(1), undefined)
  ring.push(batch(2), 1000)
  assert.deepEqual(ring.at(2)?.after, [2])
})
