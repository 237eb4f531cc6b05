import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FileVolume } from '../store/file/file-volume.ts'
import { MemoryVolume } from '../store/memory.ts'
import { silent } from '../world/logger.ts'
import { MemoryDisk } from '../world/memory-disk.ts'
import { nodeWorld } from '../world/node.ts'
import { defaultLogConfig } from './log-config.ts'
import { LogManager, type LogManagerOptions } from './log-manager.ts'
import { batchOf, HandWorld } from './testing.ts'

const topicId = 'bPQ1YzsbTMWjTg8Ms_ZHcg'

function open(
  options: Partial<LogManagerOptions> = {},
  world = new HandWorld(),
  volume = new MemoryVolume(world.timers),
) {
  return { world, volume, manager: LogManager.open(volume, world, silent, options) }
}

function fill(manager: LogManager, world: HandWorld, topic: string, partition: number, batches = 1): void {
  const log = manager.get(topic, partition)!
  for (let count = 0; count < batches; count++)
    log.append(batchOf(world), { leaderEpoch: 0, now: world.ms, origin: 'client' })
}

test('logs are made, found, listed and deleted', async () => {
  const { manager, world, volume } = open()
  const log = manager.create('a', 0, topicId, defaultLogConfig)
  manager.create('a', 7, topicId, defaultLogConfig)
  manager.create('b', 0, topicId, defaultLogConfig)
  assert.equal(manager.create('a', 0, topicId, defaultLogConfig), log)
  assert.equal(manager.get('a', 0), log)
  assert.equal(manager.get('a', 1), undefined)
  assert.equal(manager.get('c', 0), undefined)
  assert.equal(manager.count, 3)
  fill(manager, world, 'a', 0)
  await manager.delete('a', 0)
  await manager.delete('c', 3)
  assert.equal(manager.count, 2)
  assert.throws(() => log.append(batchOf(world), { leaderEpoch: 0, now: 0, origin: 'client' }), /closed/)
  assert.equal(manager.create('a', 0, topicId, defaultLogConfig).logEndOffset, 0)
  assert.deepEqual(volume.list().length, 3)
})

test('what lies on the volume waits to be opened', async () => {
  const { manager, world, volume } = open()
  manager.create('a', 0, topicId, defaultLogConfig)
  fill(manager, world, 'a', 0, 3)
  manager.get('a', 0)!.deleteRecordsBefore(2)
  await manager.close()
  const next = open({}, world, volume).manager
  assert.deepEqual(next.unopened(), [{ topic: 'a', partition: 0, topicId }])
  const log = next.create('a', 0, topicId, defaultLogConfig)
  assert.deepEqual([log.logStartOffset, log.logEndOffset], [2, 3])
  assert.deepEqual(next.unopened(), [])
})

test('retention goes round, up to the high watermark of who owns the log', async () => {
  const { manager, world } = open({ retentionCheckMs: 1000, committed: log => log.logEndOffset - 1 })
  for (let partition = 0; partition < 120; partition++) {
    manager.create('a', partition, topicId, { ...defaultLogConfig, retentionMs: 500, segmentBytes: 100 })
    fill(manager, world, 'a', partition, 4)
  }
  await world.pass(1000)
  assert.deepEqual([...manager.all()].filter(log => log.logStartOffset !== 3).length, 0)
  assert.equal(manager.counters.segmentsRemoved, 360)
  fill(manager, world, 'a', 5)
  await world.pass(1000)
  assert.equal(manager.get('a', 5)?.logStartOffset, 4)
})

test('checkpoints are written when something happened, and only then', async () => {
  const { manager, world, volume } = open({ checkpointMs: 100 })
  let checkpoints = 0
  volume.checkpoint = async () => void checkpoints++
  manager.create('a', 0, topicId, defaultLogConfig)
  fill(manager, world, 'a', 0, 2)
  await world.pass(100)
  await world.pass(900)
  assert.equal(checkpoints, 1)
  manager.get('a', 0)!.deleteRecordsBefore(1)
  await world.pass(100)
  assert.equal(checkpoints, 2)
  await manager.close()
  await world.pass(1000)
  assert.equal(checkpoints, 2)
})

test('silent producers are forgotten', async () => {
  const { manager, world } = open({ producerCheckMs: 100, producerLimits: { expirationMs: 1000, perPartition: 2 } })
  const log = manager.create('a', 0, topicId, defaultLogConfig)
  for (let id = 0; id < 3; id++)
    log.append(batchOf(world, { producer: [id, 0, 0] }), { leaderEpoch: 0, now: world.ms, origin: 'client' })
  assert.deepEqual(manager.producerCounts(), { remembered: 2, evicted: 1 })
  await world.pass(1000)
  assert.deepEqual(manager.producerCounts(), { remembered: 0, evicted: 1 })
})

test('one log that cannot be closed in order keeps nobody else from it', async () => {
  const disk = new MemoryDisk()
  const world = { ...nodeWorld, disk }
  const volume = await FileVolume.open('/data', world, silent)
  const manager = LogManager.open(volume, world, silent)
  const hand = new HandWorld()
  for (const topic of ['a', 'b']) {
    manager.create(topic, 0, topicId, { ...defaultLogConfig, flush: 'os' })
    fill(manager, hand, topic, 0)
  }
  await new Promise(resolve => setTimeout(resolve, 20))
  disk.room = 0
  await manager.close()
  disk.room = 1e9
  const next = await FileVolume.open('/data', world, silent)
  assert.equal(next.clean, false)
  assert.equal(LogManager.open(next, world, silent).create('b', 0, topicId, defaultLogConfig).logEndOffset, 1)
  await next.close()
})

test('5,000 logs are opened and closed in no time', async () => {
  const { manager } = open()
  const began = process.cpuUsage()
  for (let partition = 0; partition < 5000; partition++) manager.create('a', partition, topicId, defaultLogConfig)
  await manager.close()
  const { user, system } = process.cpuUsage(began)
  // Of the processor, not of the clock: other tests run beside this one.
  assert.ok(user + system < 1_500_000, `${user + system} µs`)
})
