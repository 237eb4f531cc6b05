import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '../../world/logger.ts'
import { MemoryDisk } from '../../world/memory-disk.ts'
import { nodeWorld } from '../../world/node.ts'
import { FileVolume } from './file-volume.ts'

test('a start that comes to nothing does not make a stop unclean that was clean', async () => {
  let disk = new MemoryDisk()
  const open = () => FileVolume.open('/data', { ...nodeWorld, disk }, silent)
  const found = async () => {
    const volume = await open()
    return { volume, epoch: volume.previousBrokerEpoch }
  }
  await (await open()).close(5)
  // The port was in use, the token wrong, the controller away: it ends before it has an epoch.
  for (const epoch of [undefined, -1]) {
    const { volume, epoch: before } = await found()
    assert.equal(before, 5)
    await volume.close(epoch)
  }
  const registered = await found()
  assert.equal(registered.epoch, 5)
  await registered.volume.close(9)

  // After a crash there is nothing to pass on.
  const { epoch } = await found()
  assert.equal(epoch, 9)
  disk = disk.killed()
  const killed = await found()
  assert.equal(killed.epoch, -1)
  await killed.volume.close()
  assert.equal((await found()).epoch, -1)
})
