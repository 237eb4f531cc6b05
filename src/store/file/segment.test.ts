import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '../../world/logger.ts'
import { MemoryDisk } from '../../world/memory-disk.ts'
import { nodeWorld } from '../../world/node.ts'
import { defaults, fill, topicId } from '../contract.ts'
import { FileVolume } from './file-volume.ts'
import { Handles } from './handles.ts'
import { FileSegment } from './segment.ts'

test('a segment that cannot be read when it is cut, or looked through, ends where it is said to end', async () => {
  const disk = new MemoryDisk()
  const volume = await FileVolume.open('/data', { ...nodeWorld, disk }, silent)
  const store = volume.open({ topic: 'a', partition: 0 }, topicId, defaults)
  fill(store, 5)
  await store.sync()
  await volume.close()
  const handles = new Handles(disk, 10)
  const segment = new FileSegment(handles, '/data/a-0', 0, disk.size('/data/a-0/00000000000000000000.log'), false)
  assert.equal(segment.loadTail(4096), null)
  assert.equal(segment.endOffset, 5)
  const { position } = segment.locate(3)!
  const { sizeInBytes } = segment
  handles.closeAll()
  const { open } = disk
  disk.open = () => {
    throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
  }
  const lacks = { code: 'EMFILE' }
  assert.throws(() => segment.repairIndexes(), lacks)
  assert.deepEqual([segment.endOffset, segment.sizeInBytes], [5, sizeInBytes])
  assert.throws(() => segment.cut(position, 3, 4096), lacks)
  assert.deepEqual([segment.endOffset, segment.sizeInBytes], [3, position])
  disk.open = open
  assert.equal(segment.repairIndexes(), true, 'it is not too late')
  assert.equal(segment.locate(2)?.baseOffset, 2)
  handles.closeAll()
})
