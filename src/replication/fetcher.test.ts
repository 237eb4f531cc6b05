import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Log } from '../log/log.ts'
import { defaultLogConfig, storeOptions } from '../log/log-config.ts'
import { VirtualTime } from '../machine/testing.ts'
import { buildBatch } from '../protocol/batches/build.ts'
import { FileVolume } from '../store/file/file-volume.ts'
import { RottenLog } from '../store/rotten-log.ts'
import type { Logger } from '../world/logger.ts'
import { silent } from '../world/logger.ts'
import { MemoryDisk } from '../world/memory-disk.ts'
import { nodeWorld as world } from '../world/node.ts'
import { Fetcher, type FetchPort, type FetchResponse } from './fetcher.ts'
import { Following } from './following.ts'
import { Partition } from './partition.ts'

const topicId = 'AAECAwQFBgcICQoLDA0ODw'
const follower = { leader: 2, leaderEpoch: 1, partitionEpoch: 0, replicas: [2, 1], isr: [2, 1] }

type Asked = Parameters<FetchPort['fetch']>[1]
type Part = { readonly records?: Uint8Array; readonly highWatermark?: number; readonly cutAt?: number }

/** Node 1, which copies two partitions from node 2; what node 2 says is said here. */
async function copying(disk: MemoryDisk) {
  const volume = await FileVolume.open('/data', { ...world, disk }, silent)
  const time = new VirtualTime()
  const asked: Asked[] = []
  let answer: (response: FetchResponse) => void = () => {}
  const port: FetchPort = {
    fetch: (_, request) => {
      asked.push(request)
      return new Promise(resolve => {
        answer = resolve
      })
    },
  }
  const warnings: string[] = []
  const logger = { ...silent, warn: (text: string) => warnings.push(text) } as unknown as Logger
  const settings = {
    waitMs: 500,
    minBytes: 1,
    responseBytes: 1e6,
    partitionBytes: 1e6,
    timeoutMs: 1000,
    backoffMs: 1000,
  }
  const fetcher = new Fetcher(2, { node: 1, brokerEpoch: () => 1, port, settings, clock: time, timers: time, logger })
  const partitions = [0, 1].map(index => {
    const place = { topic: 't', partition: index }
    const store = volume.open(place, topicId, storeOptions(defaultLogConfig, world.random))
    const log = Log.open(store, place, topicId, defaultLogConfig, world, silent, { clean: volume.clean })
    const partition = new Partition('t', topicId, index, log, 1, follower)
    fetcher.add(new Following(partition, 1, 2))
    return partition
  })
  /** Answers the last Fetch. */
  const say = async (...parts: Part[]) => {
    const answers = parts.map(({ records, highWatermark = 0, cutAt = -1 }, partitionIndex) => ({
      ...{ partitionIndex, errorCode: 0, highWatermark, logStartOffset: 0, lastStableOffset: highWatermark },
      ...{ divergingEpoch: { epoch: cutAt < 0 ? -1 : 0, endOffset: cutAt }, records: records ?? null },
    }))
    const responses = [{ topicId, partitions: answers }]
    answer({ errorCode: 0, sessionId: 7, responses } as unknown as FetchResponse)
    for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve))
    time.advance(0)
  }
  const named = () => asked.at(-1)!.topics!.flatMap(topic => topic.partitions.map(({ partition }) => partition))
  return { volume, time, asked, warnings, partitions, fetcher, say, named }
}

const batch = (baseOffset: number): Uint8Array =>
  buildBatch({ baseOffset, leaderEpoch: 1, records: [{ timestamp: 1, value: Buffer.from('v') }] })

/** Two partitions of one record each, and the process was killed. */
async function killed(): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  const { partitions, time, say } = await copying(disk)
  time.advance(0)
  await say({ records: batch(0) }, { records: batch(0) })
  assert.deepEqual(
    partitions.map(({ log }) => log.flushedOffset),
    [1, 1],
  )
  return disk.killed()
}

/** Reads of files whose paths end so fail from now on. */
function failing(disk: MemoryDisk, end: string, code: string): () => void {
  const { readFile } = disk
  disk.readFile = path => {
    if (path.endsWith(end)) throw Object.assign(new Error(`${code}: ${path}`), { code })
    return readFile.call(disk, path)
  }
  return () => {
    disk.readFile = readFile
  }
}

test('a partition whose epochs cannot be read is left out, and tried again later; the others are copied', async () => {
  const disk = await killed()
  const heal = failing(disk, 't-0/leader-epoch-checkpoint', 'EMFILE')
  const { volume, time, say, named, warnings, fetcher } = await copying(disk)
  for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve))
  time.advance(0)
  assert.deepEqual(named(), [1])
  assert.equal(warnings.length, 1)
  for (let i = 0; i < 5; i++) {
    await say({}, {})
    time.advance(1000)
  }
  assert.ok(warnings.length > 3 && warnings.length < 12, `${warnings.length}`)
  heal()
  await say({}, {})
  time.advance(1000)
  assert.deepEqual(named(), [0])
  fetcher.close()
  await volume.close()
})

test('epochs that the disk has lost are learnt from the log again', async () => {
  const disk = await killed()
  failing(disk, 't-0/leader-epoch-checkpoint', 'EIO')
  const { volume, time, asked, named, fetcher } = await copying(disk)
  for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve))
  time.advance(0)
  assert.deepEqual(named(), [0, 1])
  assert.deepEqual(
    asked[0]!.topics![0]!.partitions.map(({ lastFetchedEpoch }) => lastFetchedEpoch),
    [1, 1],
  )
  fetcher.close()
  await volume.close()
})

test('rot that is found where epochs are looked for is rot', async () => {
  const disk = await killed()
  const { volume, time, partitions, named, fetcher } = await copying(disk)
  const [partition] = partitions as [Partition, Partition]
  const rotten = {
    get(): never {
      throw new RottenLog(0, 'no batch')
    },
  }
  Object.defineProperty(partition.log, 'latestEpoch', rotten)
  for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve))
  time.advance(0)
  assert.deepEqual([named(), partition.damagedAt], [[1], 0])
  fetcher.close()
  await volume.close()
})

test('what the disk refuses when records come stops neither the process nor the other partitions', async () => {
  const disk = await killed()
  const { volume, time, asked, partitions, say, named, warnings, fetcher } = await copying(disk)
  for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve))
  time.advance(0)
  assert.deepEqual(named(), [0, 1])
  const append = partitions[0]!.log.append
  partitions[0]!.log.append = () => {
    throw Object.assign(new Error('EIO: read'), { code: 'EIO' })
  }
  await say({ records: batch(1) }, { records: batch(1) })
  assert.deepEqual(
    partitions.map(({ log }) => log.logEndOffset),
    [1, 2],
  )
  assert.equal(warnings.length, 1)
  assert.deepEqual([asked.length, named()], [2, [1]])
  partitions[0]!.log.append = append
  time.advance(1000)
  assert.deepEqual([asked.length, named()], [3, [0]])
  await say({ records: batch(1) }, {})
  assert.equal(partitions[0]!.log.logEndOffset, 2)
  fetcher.close()
  await volume.close()
})

test('a log that cannot be cut is not asked for again and again', async () => {
  const disk = await killed()
  const { volume, time, asked, partitions, say, named, warnings, fetcher } = await copying(disk)
  for (let i = 0; i < 5; i++) await new Promise(resolve => setImmediate(resolve))
  time.advance(0)
  let cuts = 0
  partitions[0]!.log.truncateTo = () => {
    cuts++
    return Promise.reject(Object.assign(new Error('EIO: truncate'), { code: 'EIO' }))
  }
  await say({ cutAt: 0 }, { records: batch(1) })
  assert.deepEqual([cuts, warnings.length], [1, 1])
  assert.deepEqual([asked.length, named()], [2, [1]])
  time.advance(1000)
  assert.deepEqual([asked.length, named()], [3, [0]])
  fetcher.close()
  await volume.close()
})
