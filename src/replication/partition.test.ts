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
import { nodeWorld as world } from '../world/node.ts'
import { Partition } from './partition.ts'

const topicId = 'AAECAwQFBgcICQoLDA0ODw'
const place = { topic: 't', partition: 0 }

function open(volume: FileVolume, config: LogConfig): Partition {
  const store = volume.open(place, topicId, storeOptions(config, world.random))
  const log = Log.open(store, place, topicId, config, world, silent, { clean: volume.clean })
  return new Partition('t', topicId, 0, log, 1, {
    leader: 1,
    leaderEpoch: 0,
    partitionEpoch: 0,
    replicas: [1],
    isr: [1],
  })
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
