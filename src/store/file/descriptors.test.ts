import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '../../world/logger.ts'
import { MemoryDisk } from '../../world/memory-disk.ts'
import { nodeWorld } from '../../world/node.ts'
import type { Timers } from '../../world/world.ts'
import { defaults, fill, topicId } from '../contract.ts'
import { FileVolume } from './file-volume.ts'

/** Nobody waits a tenth of a second for the next attempt. */
const timers: Timers = { ...nodeWorld.timers, after: (ms, run) => nodeWorld.timers.after(Math.min(ms, 2), run) }

test('a small file is read though connections have all descriptors: some of ours go', async () => {
  const disk = new MemoryDisk()
  const volume = await FileVolume.open('/data', { ...nodeWorld, disk }, silent)
  const store = volume.open({ topic: 'a', partition: 0 }, topicId, defaults)
  fill(store, 1)
  await store.sync()
  await store.put('name', Buffer.from('value'))
  const { readFile } = disk
  const before = volume.openFiles
  disk.readFile = path => {
    if (volume.openFiles === before) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
    return readFile.call(disk, path)
  }
  assert.equal(Buffer.from(store.get('name')!).toString(), 'value')
  await volume.close()
})

test('a sync waits for a descriptor while connections have them all; it is no failed one', async t => {
  const alive = setInterval(() => {}, 1000)
  t.after(() => clearInterval(alive))
  const disk = new MemoryDisk()
  const volume = await FileVolume.open('/data', { ...nodeWorld, timers, disk }, silent, { openFiles: 1 })
  const stores = ['a', 'b'].map(topic => volume.open({ topic, partition: 0 }, topicId, defaults))
  const failures: string[] = []
  for (const store of stores)
    store.observe({ written() {}, durable() {}, dropped() {}, failed: error => failures.push(error.message) })
  const { open, syncDirectory } = disk
  const lack = () => Object.assign(new Error('too many open files'), { code: 'EMFILE' })
  let attempts = 0
  // The files are written, and only then closed again to make room for each other.
  for (const store of stores) fill(store, 1)
  await new Promise<void>(resolve => {
    stores[1]!.observe({
      written() {
        disk.open = () => {
          attempts++
          throw lack()
        }
        disk.syncDirectory = async () => {
          attempts++
          throw lack()
        }
        resolve()
      },
      durable() {},
      dropped() {},
      failed() {},
    })
  })
  const synced = Promise.all(stores.map(store => store.sync()))
  for (let ms = 0; attempts <= 2 && ms < 5000; ms += 5) await new Promise(resolve => setTimeout(resolve, 5))
  assert.ok(attempts > 2)
  disk.open = open
  disk.syncDirectory = syncDirectory
  assert.deepEqual(await synced, [1, 1])
  assert.deepEqual(failures, [])
  await volume.close()
})
