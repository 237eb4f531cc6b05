import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeWorld } from '../world/node.ts'
import { batch, defaults, everything, fill, offsets, partition, storeContract, topicId } from './contract.ts'
import { MemoryVolume } from './memory.ts'

storeContract('memory', () => ({
  open: () => new MemoryVolume(nodeWorld.timers),
  reopen: null,
  cleanUp() {},
}))

test('a full memory refuses appends and takes them again when there is room', async () => {
  const size = batch(0).bytes.length
  const volume = new MemoryVolume(nodeWorld.timers, { maxBytes: 4 * size })
  const store = volume.open(partition, topicId, { ...defaults, segmentBytes: size })
  assert.throws(() => fill(store, 5), /full/)
  assert.equal(store.endOffset, 4)
  assert.equal(volume.space().free, 0)
  await store.trim(2)
  fill(store, 2)
  assert.deepEqual(offsets(await everything(store)), [2, 3, 4, 5])
  await store.truncate(3)
  assert.equal(volume.usedBytes, size)
  await volume.remove(partition)
  assert.equal(volume.usedBytes, 0)
})

test('a small batch does not hold the slab that it arrived in', () => {
  const volume = new MemoryVolume(nodeWorld.timers)
  const store = volume.open(partition, topicId, defaults)
  for (const valueBytes of [10, 20_000]) {
    const { bytes, batches } = batch(store.endOffset, 1, valueBytes)
    const slab = new Uint8Array(1 << 20)
    slab.set(bytes)
    store.append(slab.subarray(0, bytes.length), batches)
    const [kept] = store.read(store.endOffset - 1, 1e6, store.endOffset)
    assert.ok(kept!.buffer !== slab.buffer)
  }
})
