import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pieces } from './pieces.ts'

test('what came in pieces is one, whatever their sizes', () => {
  const all = Buffer.from(Array.from({ length: 50_000 }, (_, i) => i % 251))
  for (const sizes of [[1], [50_000], [1, 5000], [5000, 1, 1], [1023, 1024, 1025], [20_000, 3]]) {
    const pieces = new Pieces()
    for (let at = 0, turn = 0; at < all.length; turn++) {
      const size = sizes[turn % sizes.length]!
      pieces.add(turn % 2 === 0 ? all.subarray(at, at + size) : Buffer.from(all.subarray(at, at + size)))
      at += size
      assert.equal(pieces.bytes, Math.min(at, all.length))
    }
    assert.deepEqual(pieces.take(), all)
    assert.equal(pieces.bytes, 0)
    assert.equal(pieces.take().length, 0)
    pieces.add(all)
    assert.deepEqual(pieces.take(), all)
  }
})

test('what came in one piece is not copied', () => {
  const pieces = new Pieces()
  const piece = Buffer.from('all of it')
  pieces.add(Buffer.alloc(0))
  pieces.add(piece)
  assert.equal(pieces.take(), piece)
})

test('a megabyte that came byte by byte takes little more than a megabyte', () => {
  const { heapUsed, external } = process.memoryUsage()
  const pieces = new Pieces()
  for (let i = 0; i < 1_000_000; i++) pieces.add(Buffer.from([i & 255]))
  ;(globalThis as { gc?: () => void }).gc?.()
  const now = process.memoryUsage()
  const grown = now.heapUsed + now.external - heapUsed - external
  assert.equal(pieces.bytes, 1_000_000)
  // Young garbage may be a part of it; an object each would be 100 MB.
  assert.ok(grown < 60_000_000, `${grown} bytes`)
})
