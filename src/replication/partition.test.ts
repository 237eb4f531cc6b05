import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Log } from '../log/log.ts'
import { defaultLogConfig, type LogConfig, storeOptions } from '../log/log-config.ts'
import { buildBatch } from '../protocol/batches/build.ts'
import { KafkaError } from '../protocol/errors.ts'
import { FileVolume } from '../store/file/file-volume.ts'
import { silent } from '../world/logger.ts'
import { MemoryDisk } from '../world/memory-disk.ts'
import { nodeWorld as world } from '../world/node.ts'
import { Following, type FollowingEvents } from './following.ts'
import { Partition, type PartitionOptions } from './partition.ts'
import type { PartitionRole } from './role.ts'
import { quietSurroundings as around } from './surroundings.test.kit.ts'

const topicId = 'AAECAwQFBgcICQoLDA0ODw'
const place = { topic: 't', partition: 0 }

const alone: PartitionRole = { leader: 1, leaderEpoch: 0, partitionEpoch: 0, replicas: [1], isr: [1] }

function open(volume: FileVolume, config: LogConfig, role = alone, options: PartitionOptions = {}): Partition {
  const store = volume.open(place, topicId, storeOptions(config, world.random))
  const log = Log.open(store, place, topicId, config, world, silent, { clean: volume.clean })
  return new Partition('t', topicId, 0, log, 1, role, options)
}

const written = (partition: Partition, offset: number) => new Promise(done => partition.whenWritten(offset, done))
const committed = (partition: Partition, offset: number) => new Promise(done => partition.whenCommitted(offset, done))

test('who reads from the disk while the head is let go, or the partition, hears what a client understands', async t => {
  const root = mkdtempSync(join(tmpdir(), 'ottla-partition-'))
  t.after(() => rmSync(root, { recursive: true }))
  const volume = await FileVolume.open(root, world, silent, { tailBytes: 1 })
  const partition = open(volume, { ...defaultLogConfig, flush: 'os', segmentBytes: 2000 })
  for (let i = 0; i < 10; i++)
    partition.append(buildBatch({ records: [{ timestamp: 1, value: new Uint8Array(1000) }] }), 1, 1)
  await committed(partition, 10)
  const failing = (read: unknown, errorName: string) => assert.rejects(read as Promise<unknown>, { errorName })

  const head = failing(partition.read(0, 10_000), 'OFFSET_OUT_OF_RANGE')
  await partition.deleteRecords(5)
  await head
  const rest = failing(partition.read(5, 10_000), 'UNKNOWN_TOPIC_OR_PARTITION')
  partition.close(new KafkaError('UNKNOWN_TOPIC_OR_PARTITION'))
  partition.log.discard()
  await volume.remove(place)
  await rest
  await volume.close()
})

test('what a crash left in the page cache is committed when it is as safe as the topic asks for', async t => {
  const root = mkdtempSync(join(tmpdir(), 'ottla-partition-'))
  t.after(() => rmSync(root, { recursive: true }))
  const before = await FileVolume.open(join(root, 'before'), world, silent)
  const partition = open(before, { ...defaultLogConfig, flush: 'os' })
  const bytes = buildBatch({
    producerId: 7,
    producerEpoch: 0,
    baseSequence: 0,
    records: [{ timestamp: 1, value: Buffer.from('v') }],
  })
  partition.append(bytes.slice(), -1, 1)
  await written(partition, 1)
  for (const copy of ['ack', 'os']) cpSync(join(root, 'before/t-0'), join(root, copy, 't-0'), { recursive: true })
  await before.close()

  const volume = await FileVolume.open(join(root, 'ack'), world, silent)
  const after = open(volume, { ...defaultLogConfig, flush: 'ack' })
  assert.equal(after.log.logEndOffset, 1)
  assert.equal(after.highWatermark, 0)
  let acknowledged = false
  const again = after.append(bytes.slice(), -1, 1)
  assert.equal(again.duplicate, true)
  after.whenCommitted(again.lastOffset + 1, () => {
    acknowledged = true
  })
  assert.equal(acknowledged, false)
  await committed(after, 1)
  assert.equal(after.highWatermark, 1)
  assert.equal(acknowledged, true)
  await volume.close()

  const lenient = await FileVolume.open(join(root, 'os'), world, silent)
  assert.equal(open(lenient, { ...defaultLogConfig, flush: 'os' }).highWatermark, 1)
  await lenient.close()
})

/** A copy of three records, of which the last one is gone from the disk. */
async function damaged(role: Partial<PartitionRole>): Promise<Partition> {
  const disk = new MemoryDisk()
  const before = await FileVolume.open('/data', { ...world, disk }, silent)
  const whole = open(before, defaultLogConfig)
  for (let i = 0; i < 3; i++) whole.append(buildBatch({ records: [{ timestamp: 1, value: Buffer.from('v') }] }), -1, 1)
  await committed(whole, 3)
  await before.close()
  const file = '/data/t-0/00000000000000000000.log'
  disk.writeFile(file, disk.readFile(file).subarray(0, -1))
  const volume = await FileVolume.open('/data', { ...world, disk }, silent)
  const partition = open(volume, defaultLogConfig, { ...alone, leaderEpoch: 1, replicas: [1, 2], ...role }, { around })
  assert.equal(partition.damagedAt, 2)
  return partition
}

const storageError = { errorName: 'KAFKA_STORAGE_ERROR' }

test('by a damaged copy nobody cuts his own; consumers are sent elsewhere while others are in sync', async () => {
  const partition = await damaged({ isr: [1, 2] })
  assert.throws(() => partition.checkSource(1), storageError)
  assert.throws(() => partition.checkLeader(), storageError)
  partition.setRole({ ...partition.role, isr: [1], partitionEpoch: 1 })
  assert.throws(() => partition.checkSource(1), storageError)
  partition.checkLeader()
  assert.equal((await partition.read(0, 10_000)).length > 0, true, 'what is whole is served')
})

test('that something is committed counts also when it comes with records that an earlier answer has brought', async () => {
  const volume = await FileVolume.open('/data', { ...world, disk: new MemoryDisk() }, silent)
  const partition = open(volume, defaultLogConfig, {
    ...alone,
    leader: 2,
    leaderEpoch: 1,
    replicas: [2, 1],
    isr: [2, 1],
  })
  const following = new Following(partition, 1, 2)
  const events: FollowingEvents = {
    ready() {},
    again: () => assert.fail(),
    warn: text => assert.fail(text),
    now: () => 1,
  }
  const records = buildBatch({ leaderEpoch: 1, records: [{ timestamp: 1, value: Buffer.from('v') }] })
  const answer = (highWatermark: number) => ({
    ...{ errorCode: 0, highWatermark, logStartOffset: 0, records: Buffer.from(records) },
    divergingEpoch: { epoch: -1, endOffset: -1 },
  })
  // Of a follower's log that nobody has compared nothing is known to be committed.
  assert.equal(following.receive(answer(1), -1, events), 'nothing')
  assert.equal(partition.highWatermark, 0)
  assert.equal(following.receive(answer(0), 0, events), 'appended')
  assert.equal(partition.highWatermark, 0)
  assert.equal(following.receive(answer(1), 0, events), 'nothing')
  assert.equal(partition.log.logEndOffset, 1)
  assert.equal(partition.highWatermark, 1)
  await volume.close()
})

test('a follower drops what is damaged when nobody counts on it, or it was never committed', async () => {
  const warnings: string[] = []
  const events = (ready: () => void): FollowingEvents => ({
    ready,
    again: () => assert.fail(),
    warn: text => warnings.push(text),
    now: () => 1,
  })
  const answer = {
    ...{ errorCode: 0, highWatermark: 3, logStartOffset: 0, records: null },
    divergingEpoch: { epoch: -1, endOffset: -1 },
  }
  const follower = { leader: 2, isr: [2], eligibleLeaderReplicas: [1] }
  const healing = async (change: (partition: Partition, following: Following, on: FollowingEvents) => void) => {
    const partition = await damaged(follower)
    const following = new Following(partition, 1, 2)
    assert.equal(following.position, 2)
    assert.equal(following.heal(events(() => {})), false)
    assert.equal(
      following.receive(
        answer,
        2,
        events(() => {}),
      ),
      'again',
    )
    assert.equal(partition.damagedAt, 2)
    await new Promise<void>(done => change(partition, following, events(done)))
    assert.equal(partition.damagedAt, null)
    assert.equal(partition.log.logEndOffset, 2)
  }
  await healing((partition, following, on) => {
    partition.setRole({ ...partition.role, eligibleLeaderReplicas: [], partitionEpoch: 1 })
    assert.equal(following.heal(on), true)
  })
  await healing((_, following, on) => {
    assert.equal(following.receive({ ...answer, highWatermark: 2 }, 2, on), 'busy')
  })
  assert.equal(warnings.length, 2)
})

test('rot that is found where producers are looked for is rot: the copy is cut there, and goes on', async () => {
  const disk = new MemoryDisk()
  const before = await FileVolume.open('/data', { ...world, disk }, silent)
  const whole = open(before, defaultLogConfig)
  const produced = (baseSequence: number) =>
    buildBatch({
      ...{ producerId: 7, producerEpoch: 0, baseSequence },
      records: [{ timestamp: 1, value: Buffer.from('v') }],
    })
  for (let i = 0; i < 4; i++) whole.append(produced(i), -1, 1)
  await committed(whole, 4)
  await before.close()
  for (const name of disk.list('/data/t-0')) if (name.endsWith('.snapshot')) disk.remove(`/data/t-0/${name}`)
  const file = '/data/t-0/00000000000000000000.log'
  const bytes = disk.readFile(file)
  const batch = bytes.length / 4
  bytes.fill(0, 2 * batch, 3 * batch)
  disk.writeFile(file, bytes)
  const volume = await FileVolume.open('/data', { ...world, disk }, silent)
  const role = { ...alone, leaderEpoch: 1, replicas: [1, 2], isr: [1, 2] }
  const partition = open(volume, defaultLogConfig, role, { around })
  assert.throws(() => partition.append(produced(4), -1, 1), storageError)
  assert.equal(partition.damagedAt, 2)
  partition.setRole({ ...role, leader: 2, leaderEpoch: 2, isr: [2], partitionEpoch: 1 })
  await partition.dropDamaged(2)
  assert.equal(partition.damagedAt, null)
  assert.equal(partition.log.logEndOffset, 2)
  const next = produced(2)
  const header = new DataView(next.buffer, next.byteOffset)
  header.setBigInt64(0, 2n)
  header.setInt32(12, 2)
  partition.appendFetched(next, 2, 1)
  await new Promise(done => partition.whenFlushed(3, done))
  assert.equal(disk.readFile(file).length, 3 * batch)
})

test('who is to lead with a log whose epochs cannot be learnt from it, for rot, does not: nothing else is held up', async () => {
  const disk = new MemoryDisk()
  const before = await FileVolume.open('/data', { ...world, disk }, silent)
  const whole = open(before, defaultLogConfig)
  for (let i = 0; i < 4; i++) whole.append(buildBatch({ records: [{ timestamp: 1, value: Buffer.from('v') }] }), -1, 1)
  await committed(whole, 4)
  await before.close()
  disk.writeFile('/data/t-0/leader-epoch-checkpoint', 'nothing that makes sense')
  const volume = await FileVolume.open('/data', { ...world, disk }, silent)
  const store = volume.open(place, topicId, storeOptions(defaultLogConfig, world.random))
  const log = Log.open(store, place, topicId, defaultLogConfig, world, silent, { clean: volume.clean })
  // The start has found nothing wrong.
  const file = '/data/t-0/00000000000000000000.log'
  const bytes = disk.readFile(file)
  disk.writeFile(file, bytes.fill(0, bytes.length / 2, (bytes.length * 3) / 4))
  const role = { ...alone, leaderEpoch: 1, replicas: [1, 2], isr: [1, 2] }
  const warnings: string[] = []
  const asking = { ...around, warn: (text: string) => warnings.push(text) }
  const partition = new Partition('t', topicId, 0, log, 1, role, { around: asking })
  assert.deepEqual([partition.damagedAt, partition.leadership?.epochStartOffset, warnings.length], [2, 4, 1])
  partition.setRole({ ...role, leader: 2, leaderEpoch: 2, isr: [2], partitionEpoch: 1 })
  await partition.dropDamaged(2)
  assert.deepEqual([partition.damagedAt, log.logEndOffset, log.latestEpoch], [null, 2, 0])
  partition.close(new KafkaError('NOT_LEADER_OR_FOLLOWER'))
  await volume.close()
})

test('no follower gets what is not written: where the disk has no room its offset goes to another record', async () => {
  const role: PartitionRole = { ...alone, leaderEpoch: 5, replicas: [1, 2], isr: [1, 2] }
  const disk = new MemoryDisk()
  disk.makeDirectory('/data')
  const volume = await FileVolume.open('/data', { ...world, disk }, silent)
  const leader = open(volume, defaultLogConfig, role, { around })
  const batch = (text: string) => buildBatch({ records: [{ timestamp: 1, value: Buffer.from(text) }] })
  leader.append(batch('first'), -1, 1)
  await written(leader, 1)

  disk.room = 300
  leader.append(batch('large'.repeat(1000)), -1, 1)
  let woken = 0
  leader.watchEnd(() => woken++)
  // Its Fetch comes in the same turn of the event loop.
  assert.deepEqual(leader.readForReplica(1, 1e6), [])
  const refused = (await written(leader, 2)) as KafkaError
  assert.equal(refused.errorName, 'KAFKA_STORAGE_ERROR')
  assert.equal(leader.log.logEndOffset, 1)

  const told = woken
  leader.append(batch('small'), -1, 1)
  assert.equal(woken, told)
  await written(leader, 2)
  assert.equal(woken, told + 1)
  const [read] = await leader.readForReplica(1, 1e6)
  assert.match(Buffer.from(read!).toString('latin1'), /small/)
  leader.close(new KafkaError('NOT_LEADER_OR_FOLLOWER'))
  await volume.close()
})

test('a copy that is on the way in is not waited for, and is again as soon as it may count', async t => {
  const root = mkdtempSync(join(tmpdir(), 'ottla-partition-'))
  t.after(() => rmSync(root, { recursive: true }))
  const volume = await FileVolume.open(root, world, silent)
  const role = { ...alone, replicas: [1, 2], addingReplicas: [2] }
  const partition = open(volume, { ...defaultLogConfig, minInsyncReplicas: 2 }, role, { around })
  const append = () => partition.append(buildBatch({ records: [{ timestamp: 1, value: Buffer.from('v') }] }), -1, 1)
  append()
  await committed(partition, 1)
  // It came in, and left again, before the metadata has said that it is a replica now: who decides holds it for eligible.
  partition.isrChanged([1, 2], 1)
  partition.isrChanged([1], 2)
  assert.throws(append, { errorName: 'NOT_ENOUGH_REPLICAS' })
  partition.setRole({ ...role, addingReplicas: [], partitionEpoch: 2 })
  assert.throws(append, { errorName: 'NOT_ENOUGH_REPLICAS' })
  await volume.close()
})
