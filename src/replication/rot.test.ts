import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildBatch } from '../protocol/batches/build.ts'
import { firstRotten, Soundness } from './rot.ts'

/** Batches of two records each, from `from` on; those at `rotten` have a wrong byte. */
function batches(from: number, count: number, rotten: readonly number[] = []): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const records = [1, 2].map(timestamp => ({ timestamp, value: Buffer.from('value') }))
    const bytes = buildBatch({ baseOffset: from + 2 * i, records })
    if (rotten.includes(from + 2 * i)) bytes[bytes.length - 3]! ^= 4
    return bytes
  })
}

test('the first batch with a wrong byte is found', () => {
  assert.equal(firstRotten(batches(10, 3)), -1)
  assert.equal(firstRotten([Buffer.concat(batches(10, 3, [12, 14]))]), 12)
  assert.equal(firstRotten(batches(10, 3, [10])), 0)
  assert.equal(new Soundness(100).firstRotten(batches(10, 3, [14])), 14)
  assert.equal(firstRotten([...batches(10, 2), ...batches(12, 1)]), 14, 'an offset that cannot be')
})

test('what was found whole, and what this process has written, is not looked at again', () => {
  const sound = new Soundness(20)
  assert.equal(sound.isOwn(20), true)
  assert.equal(sound.isOwn(19), false)
  assert.equal(sound.firstRotten(batches(20, 2, [20, 22])), -1, 'own')
  assert.equal(sound.firstRotten(batches(10, 3)), -1)
  assert.equal(sound.firstRotten(batches(10, 3, [10, 14])), -1, 'known')
  assert.equal(sound.firstRotten(batches(12, 4, [16])), 16, 'beyond what is known')
  assert.equal(sound.firstRotten(batches(16, 2)), -1)
  assert.equal(sound.firstRotten(batches(10, 5, [18])), -1, 'the stretch has grown')
  sound.firstRotten(batches(0, 2))
  assert.equal(sound.firstRotten(batches(10, 1, [10])), -1, 'a shorter one does not take its place')
  sound.cut(14)
  assert.equal(sound.firstRotten(batches(12, 2, [14])), -1, 'written anew')
  assert.equal(sound.firstRotten(batches(2, 1, [2])), 0)
})
