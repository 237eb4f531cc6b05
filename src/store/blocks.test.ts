import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Blocks } from './blocks.ts'

const half = 600 * 1024

test('what is kept is a copy, and small pieces stand side by side', () => {
  const blocks = new Blocks()
  const bytes = Buffer.from('first')
  const first = blocks.keep(bytes)
  bytes.fill(0)
  const second = blocks.keep(Buffer.from('second'))
  assert.equal(Buffer.from(first).toString(), 'first')
  assert.ok(second.buffer === first.buffer)
  assert.equal(second.byteOffset, first.byteOffset + first.length)
})

test('a block is used again when nothing in it is kept or lent', () => {
  const blocks = new Blocks()
  const first = blocks.keep(Buffer.alloc(half))
  const second = blocks.keep(Buffer.alloc(half))
  blocks.forget(first.buffer)
  const third = blocks.keep(Buffer.alloc(half))
  assert.ok(second.buffer !== first.buffer)
  assert.ok(third.buffer === first.buffer)
})

test('a block that was lent is not used before it is given back', () => {
  const blocks = new Blocks()
  const first = blocks.keep(Buffer.alloc(half, 1))
  const views = [first.subarray(0, 10), first.subarray(10, 20)]
  blocks.lend(views)
  blocks.keep(Buffer.alloc(half, 2))
  blocks.forget(first.buffer)
  blocks.release([views[0]!])
  assert.ok(blocks.keep(Buffer.alloc(half, 3)).buffer !== first.buffer)
  assert.ok(first.every(byte => byte === 1))
  blocks.release([views[1]!])
  assert.ok(blocks.keep(Buffer.alloc(half, 4)).buffer === first.buffer)
})

test('the block that is being filled is never used twice', () => {
  const blocks = new Blocks()
  const first = blocks.keep(Buffer.alloc(10, 1))
  blocks.forget(first.buffer)
  const second = blocks.keep(Buffer.alloc(10, 2))
  assert.ok(first.every(byte => byte === 1))
  assert.ok(second.every(byte => byte === 2))
})

test('memory to read into comes back, too', () => {
  const blocks = new Blocks()
  const memory = blocks.borrow(1024 * 1024)
  assert.equal(memory.length, 1024 * 1024)
  const other = blocks.borrow(10)
  assert.ok(other.buffer !== memory.buffer)
  blocks.release([memory.subarray(5, 50)])
  assert.ok(blocks.borrow(100).buffer === memory.buffer)
})

test('what is too large for a block is memory of its own', () => {
  const blocks = new Blocks()
  const large = Buffer.alloc(3 * 1024 * 1024, 7)
  const kept = blocks.keep(large)
  assert.ok(kept.buffer !== large.buffer)
  assert.deepEqual(Buffer.from(kept), large)
  blocks.forget(kept.buffer)
  blocks.release([kept, blocks.borrow(3 * 1024 * 1024)])
})

test('giving back what was never lent changes nothing', () => {
  const blocks = new Blocks()
  const kept = blocks.keep(Buffer.alloc(half, 1))
  blocks.release([kept, Buffer.alloc(5)])
  blocks.keep(Buffer.alloc(half, 2))
  blocks.keep(Buffer.alloc(half, 3))
  assert.ok(kept.every(byte => byte === 1))
})
