import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Blocks } from '../blocks.ts'
import { batch, offsets } from '../contract.ts'
import { Tail, TailCache } from './tail-cache.ts'

function fill(tail: Tail, from: number, count: number, valueBytes: number): void {
  for (let offset = from; offset < from + count; offset++) {
    tail.push(batch(offset, 1, valueBytes).bytes, offset, offset + 1)
  }
}

test('keeps its limit, letting the oldest of all partitions go first', () => {
  const blocks = new Blocks()
  const cache = new TailCache(blocks, 8 << 20, 64 << 20)
  const tails = Array.from({ length: 4 }, () => new Tail(cache))
  let offset = 0
  for (let round = 0; round < 400; round++) {
    for (const tail of tails) {
      fill(tail, offset, 1, 20_000)
      tail.writtenOffset = offset + 1
      tail.shrink()
      assert.ok(cache.stats.usedBytes <= cache.limitBytes, `${cache.stats.usedBytes}`)
    }
    offset++
  }
  assert.ok(cache.stats.usedBytes > cache.limitBytes / 2, 'and makes use of it')
  const firsts = tails.map(tail => tail.first!.baseOffset)
  assert.ok(Math.max(...firsts) - Math.min(...firsts) < 20, `${firsts}`)
  for (const tail of tails) {
    assert.equal(tail.read(0, 1e6, offset), null)
    assert.deepEqual(offsets(Buffer.concat(tail.read(offset - 3, 1e6, offset)!)), [offset - 3, offset - 2, offset - 1])
    tail.clear()
  }
  assert.equal(cache.stats.usedBytes, 0)
  assert.ok(cache.stats.hits === 4 && cache.stats.misses === 4 && cache.stats.evictions > 0)
})

test('one partition has a share of its own', () => {
  const blocks = new Blocks()
  const cache = new TailCache(blocks, 100 << 20, 50_000)
  const tail = new Tail(cache)
  fill(tail, 0, 100, 1000)
  tail.writtenOffset = 100
  tail.shrink()
  const [first] = [tail.first!.baseOffset]
  assert.ok(first > 40 && first < 60, `${first}`)
})

test('what is not written yet stays, whatever the limit', () => {
  const blocks = new Blocks()
  const cache = new TailCache(blocks, 1)
  const tail = new Tail(cache)
  fill(tail, 0, 10, 1000)
  tail.writtenOffset = 4
  tail.shrink()
  assert.deepEqual(offsets(Buffer.concat(tail.read(4, 1e6, 10)!)), [4, 5, 6, 7, 8, 9])
  assert.ok(tail.first!.baseOffset > 0 && tail.first!.baseOffset <= 4)
  tail.cut(6)
  assert.deepEqual(offsets(Buffer.concat(tail.read(4, 1e6, 10)!)), [4, 5])
  tail.writtenOffset = 6
  tail.shrink()
  assert.equal(tail.first, undefined)
  assert.equal(cache.stats.usedBytes, 0)
})

test('small batches share chunks, large ones and quiet partitions do not', () => {
  const cache = new TailCache(new Blocks(), 100 << 20)
  const busy = new Tail(cache)
  fill(busy, 0, 10_000, 20)
  assert.ok(busy.chunks < 100, `${busy.chunks}`)
  assert.deepEqual(offsets(Buffer.concat(busy.read(9_000, 1e6, 9_003)!)), [9_000, 9_001, 9_002])
  const large = new Tail(cache)
  fill(large, 0, 10, 20_000)
  assert.equal(large.chunks, 10)
  const { usedBytes } = cache.stats
  const quiet = Array.from({ length: 1000 }, () => new Tail(cache))
  for (const tail of quiet) fill(tail, 0, 1, 20)
  assert.ok(cache.stats.usedBytes - usedBytes < 2 << 20, `${cache.stats.usedBytes - usedBytes}`)
})

test('what a reader holds is not written over after a cut', () => {
  const tail = new Tail(new TailCache(new Blocks(), 100 << 20))
  fill(tail, 0, 20, 20)
  const held = tail.read(0, 1e6, 20)!
  const before = Buffer.concat(held)
  tail.cut(15)
  fill(tail, 15, 5, 21)
  assert.deepEqual(Buffer.concat(held), before)
  assert.deepEqual(offsets(Buffer.concat(tail.read(13, 1e6, 17)!)), [13, 14, 15, 16])
})
