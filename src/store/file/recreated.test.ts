import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '../../world/logger.ts'
import { MemoryDisk } from '../../world/memory-disk.ts'
import { nodeWorld } from '../../world/node.ts'
import type { Timers } from '../../world/world.ts'
import { defaults, fill, partition, topicId } from '../contract.ts'
import { FileVolume } from './file-volume.ts'

const laterId = 'EBAQEBAQEBAQEBAQEBAQEA'

/** Nobody waits a second for the next attempt. */
const timers: Timers = { ...nodeWorld.timers, after: (ms, run) => nodeWorld.timers.after(Math.min(ms, 5), run) }

const openOn = (disk: MemoryDisk): Promise<FileVolume> =>
  FileVolume.open('/data', { ...nodeWorld, timers, disk }, silent, { tailBytes: 1 << 20 })

/** A volume whose checkpoints speak of a partition with 100 records, the first 50 of which are deleted. */
async function withCheckpoints(disk: MemoryDisk): Promise<FileVolume> {
  const volume = await openOn(disk)
  const store = volume.open(partition, topicId, defaults)
  fill(store, 100)
  await store.sync()
  volume.setLogStartOffset(partition, 50)
  await volume.checkpoint()
  return volume
}

/** What the next process finds of the later topic's partition. */
async function found(disk: MemoryDisk) {
  const volume = await openOn(disk)
  const { damage, endOffset } = volume.open(partition, laterId, defaults)
  const logStartOffset = volume.logStartOffset(partition)
  await volume.close()
  return { damage, endOffset, logStartOffset }
}

test('a topic that is made again right after its deletion inherits no offsets, whenever the process is killed', async () => {
  const disk = new MemoryDisk()
  const volume = await withCheckpoints(disk)
  await volume.remove(partition)
  const store = volume.open(partition, laterId, defaults)
  fill(store, 10)
  await store.sync()
  assert.deepEqual(await found(disk.killed()), { damage: null, endOffset: 10, logStartOffset: 0 })
})

test('nor one that is made after a restart', async () => {
  let disk = new MemoryDisk()
  const volume = await withCheckpoints(disk)
  await volume.remove(partition)
  disk = disk.killed()
  const next = await openOn(disk)
  const store = next.open(partition, laterId, defaults)
  assert.equal(next.logStartOffset(partition), 0)
  fill(store, 10)
  await store.sync()
  assert.deepEqual(await found(disk.killed()), { damage: null, endOffset: 10, logStartOffset: 0 })
})

test('on a full disk its first records wait until the old offsets are gone', async t => {
  // A broker's sockets keep its process alive; timers do not.
  const alive = setInterval(() => {}, 1000)
  t.after(() => clearInterval(alive))
  const disk = new MemoryDisk()
  const volume = await withCheckpoints(disk)
  disk.room = 0
  await volume.remove(partition)
  const store = volume.open(partition, laterId, defaults)
  fill(store, 10)
  const synced = store.sync()
  await new Promise(resolve => setTimeout(resolve, 50))
  assert.equal(store.writtenOffset, 0)
  disk.room = 1e9
  assert.equal(await synced, 10)
  assert.deepEqual(await found(disk.killed()), { damage: null, endOffset: 10, logStartOffset: 0 })
})

test('those that wait for that keep nobody else from syncing', async () => {
  const disk = new MemoryDisk()
  const volume = await openOn(disk)
  const made = [0, 1, 2, 3].map(index => ({ topic: 'a', partition: index }))
  for (const place of made) {
    volume.open(place, topicId, defaults)
    volume.setLogStartOffset(place, 50)
  }
  await volume.checkpoint()
  disk.replaceFile = () => new Promise(() => {})
  const other = volume.open({ topic: 'b', partition: 0 }, topicId, defaults)
  for (const place of made) {
    await volume.remove(place)
    const store = volume.open(place, laterId, defaults)
    fill(store, 1)
    store.sync().catch(() => {})
  }
  fill(other, 1)
  assert.equal(await other.sync(), 1)
})
