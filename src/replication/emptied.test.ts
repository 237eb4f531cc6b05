import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Log } from '../log/log.ts'
import { defaultLogConfig, storeOptions } from '../log/log-config.ts'
import { buildBatch } from '../protocol/batches/build.ts'
import { FileVolume } from '../store/file/file-volume.ts'
import { silent } from '../world/logger.ts'
import { MemoryDisk } from '../world/memory-disk.ts'
import { nodeWorld } from '../world/node.ts'
import { Following, type FollowingEvents } from './following.ts'
import { Partition } from './partition.ts'
import type { PartitionRole } from './role.ts'
import { quietSurroundings as around } from './surroundings.test.kit.ts'

// Logs whose records were all let go, by retention or by who deletes records: they are whole, and must stay in sync.

const topicId = 'AAECAwQFBgcICQoLDA0ODw'
const place = { topic: 't', partition: 0 }
const role = (leader: number, leaderEpoch: number): PartitionRole => ({
  ...{ leader, leaderEpoch, partitionEpoch: leaderEpoch },
  ...{ replicas: [1, 2], isr: [1, 2] },
})

async function open(disk: MemoryDisk, node: number, as: PartitionRole): Promise<Partition> {
  const world = { ...nodeWorld, disk }
  const volume = await FileVolume.open('/data', world, silent)
  const store = volume.open(place, topicId, storeOptions(defaultLogConfig, world.random))
  const opening = { clean: volume.clean, logStartOffset: volume.logStartOffset(place) }
  const log = Log.open(store, place, topicId, defaultLogConfig, world, silent, opening)
  return new Partition('t', topicId, 0, log, node, as, { around })
}

/** Ten records of epoch 3, and all let go. */
async function emptied(disk: MemoryDisk, node: number): Promise<Partition> {
  const partition = await open(disk, node, { ...role(node, 3), replicas: [node], isr: [node] })
  for (let i = 0; i < 10; i++)
    partition.append(buildBatch({ records: [{ timestamp: 1, value: new Uint8Array(9) }] }), 1, 1)
  await new Promise(done => partition.whenFlushed(10, done))
  partition.log.applyRetention(1e15, 10)
  assert.deepEqual([partition.log.logStartOffset, partition.log.logEndOffset], [10, 10])
  return partition
}

const nothingCut = (): FollowingEvents => ({
  ready() {},
  again: () => assert.fail(),
  warn: text => assert.fail(text),
  now: () => 1,
})
const answer = (divergingEpoch: { epoch: number; endOffset: number }, logStartOffset: number) => ({
  ...{ errorCode: 0, highWatermark: 10, logStartOffset, records: null },
  divergingEpoch,
})

test('a leader with an empty log that knows no epoch parts with nobody who ends where it does', async () => {
  const leader = await open(new MemoryDisk(), 1, role(2, 3))
  await leader.restartAt(3, 10)
  leader.setRole(role(1, 4))
  assert.equal(leader.log.latestEpoch, -1)
  assert.equal(leader.divergence(3, 10), null)
  assert.deepEqual(leader.divergence(3, 12), { epoch: -1, endOffset: 10 })
  // Consumers that have read it all may stay (KIP-320).
  assert.deepEqual(leader.endOffsetForEpoch(3), { epoch: 3, endOffset: 10 })
})

test('whose records were they? An emptied log remembers, after a crash too', async () => {
  const disk = new MemoryDisk()
  const partition = await emptied(disk, 1)
  await partition.log.checkpoint()
  await new Promise(done => setImmediate(done))
  const again = await open(disk.killed(), 1, role(1, 5))
  assert.deepEqual([again.log.logEndOffset, again.log.latestEpoch], [10, 3])
  assert.equal(again.divergence(3, 10), null)
})

test('a follower that was emptied and remembers an epoch which its leader does not know forgets it', async () => {
  const follower = await emptied(new MemoryDisk(), 1)
  follower.setRole(role(2, 4))
  const following = new Following(follower, 4, 2)
  await new Promise<void>(ready => {
    const events = { ...nothingCut(), ready }
    assert.equal(following.receive(answer({ epoch: 2, endOffset: 10 }, 10), 10, events), 'busy')
  })
  assert.deepEqual([follower.log.logEndOffset, follower.log.latestEpoch], [10, -1])
})

test('a follower that was emptied begins anew where the log of its leader ends before it', async () => {
  const follower = await emptied(new MemoryDisk(), 1)
  follower.setRole(role(2, 4))
  const following = new Following(follower, 4, 2)
  const warnings: string[] = []
  await new Promise<void>(ready => {
    const events = { ...nothingCut(), ready, warn: (text: string) => void warnings.push(text) }
    assert.equal(following.receive(answer({ epoch: 2, endOffset: 5 }, 2), 10, events), 'busy')
  })
  assert.deepEqual([follower.log.logStartOffset, follower.log.logEndOffset], [2, 2])
  assert.equal(warnings.length, 1)
})

test('a source that says again and again that the logs part where ours has ended is asked after a pause', async () => {
  const follower = await open(new MemoryDisk(), 1, role(1, 3))
  follower.append(buildBatch({ records: [{ timestamp: 1, value: new Uint8Array(9) }] }), 1, 1)
  await new Promise(done => follower.whenFlushed(1, done))
  follower.setRole(role(2, 4))
  const following = new Following(follower, 4, 2)
  const events = { ...nothingCut(), warn() {} }
  assert.equal(following.receive(answer({ epoch: -1, endOffset: 4 }, 0), 1, events), 'again')
})
