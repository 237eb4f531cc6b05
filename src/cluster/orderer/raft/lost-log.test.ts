import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FileVolume } from '../../../store/file/file-volume.ts'
import { silent } from '../../../world/logger.ts'
import { MemoryDisk } from '../../../world/memory-disk.ts'
import { nodeWorld } from '../../../world/node.ts'
import { RaftOrderer } from './raft-orderer.ts'

const folder = '/data/__cluster_metadata-0'

/** One start of a node; fulfilled when it was stopped in order. */
async function start(disk: MemoryDisk, joins = false): Promise<void> {
  const world = { ...nodeWorld, disk }
  const volume = await FileVolume.open('/data', world, silent)
  try {
    const orderer = new RaftOrderer({
      volume,
      world,
      logger: silent,
      voter: { id: 1, directoryId: 'AauM3WNygOvKsnjDZCnatA', endpoints: [] },
      failed: error => assert.fail(error),
      clusterId: 'cluster',
      peers: null,
      joins,
      seeds: joins ? [{ host: 'other', port: 1 }] : [],
      settings: { electionTimeoutMs: 5 },
    })
    await orderer.start()
    await orderer.close()
  } finally {
    await volume.close()
  }
}

async function used(): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  await start(disk)
  return disk
}

const withTopic = (disk: MemoryDisk): void => disk.makeDirectory('/data/orders-0')
const isGone = /__cluster_metadata-0, is gone or empty.*restore that folder.*--join <another node>/

describe('a node whose metadata is gone', () => {
  it('does not begin another one beside what is left, however often it is started', async () => {
    const disk = await used()
    disk.removeTree(folder)
    for (let round = 0; round < 3; round++) await assert.rejects(start(disk), isGone)
    assert.equal(disk.exists(folder), false)
  })

  it('does not copy it again under the name of one that has voted', async () => {
    const disk = await used()
    disk.removeTree(folder)
    await assert.rejects(start(disk, true), isGone)
  })

  it('knows it by the folders of topics alone', async () => {
    const disk = await used()
    disk.removeTree(folder)
    disk.remove('/data/recovery-point-offset-checkpoint')
    withTopic(disk)
    await assert.rejects(start(disk), isGone)
    assert.equal(disk.exists('/data/orders-0'), true)
  })

  it('knows it of an empty folder, too', async () => {
    const disk = new MemoryDisk()
    disk.makeDirectory(folder)
    withTopic(disk)
    await assert.rejects(start(disk), isGone)
  })

  it('begins in a directory in which nothing was', async () => {
    const disk = new MemoryDisk()
    disk.makeDirectory(folder)
    await start(disk)
    await start(disk)
  })
})
