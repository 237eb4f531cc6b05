import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attributes, logAppendTimeBit } from '../protocol/batches/header.ts'
import { validateBatch } from '../protocol/batches/iterate.ts'
import type { KafkaError } from '../protocol/errors.ts'
import { MemoryVolume } from '../store/memory.ts'
import { silent } from '../world/logger.ts'
import { newCounters } from './counters.ts'
import { Log, type LogOpening } from './log.ts'
import { defaultLogConfig, type LogConfig, storeOptions } from './log-config.ts'
import { type BatchParts, batchOf, HandWorld, headersOf } from './testing.ts'

const place = { topic: 'a', partition: 0 }
const topicId = 'bPQ1YzsbTMWjTg8Ms_ZHcg'

interface Opened {
  world: HandWorld
  volume: MemoryVolume
  log: Log
  append(parts?: BatchParts, leaderEpoch?: number): ReturnType<Log['append']>
}

function open(
  config: Partial<LogConfig> = {},
  { world = new HandWorld(), volume = new MemoryVolume(world.timers), ...opening }: Partial<Opened> & LogOpening = {},
): Opened {
  const full = { ...defaultLogConfig, ...config }
  const store = volume.open(place, topicId, storeOptions(full, world.random))
  const log = Log.open(store, place, topicId, full, world, silent, { clean: true, ...opening })
  const append = (parts?: BatchParts, leaderEpoch = 0) =>
    log.append(batchOf(world, parts), { leaderEpoch, now: world.ms, origin: 'client' })
  return { world, volume, log, append }
}

async function everything(log: Log): Promise<Uint8Array[]> {
  return log.read(log.logStartOffset, 1e9)
}

function errorOf(run: () => unknown): string {
  try {
    run()
    return 'no error'
  } catch (error) {
    return (error as KafkaError).errorName ?? String(error)
  }
}

test('batches get their place in the log, stamped in place', async () => {
  const { log, append, world } = open()
  assert.deepEqual(append({ records: 3 }, 4), {
    baseOffset: 0,
    lastOffset: 2,
    logAppendTime: -1,
    logStartOffset: 0,
    duplicate: false,
  })
  const bytes = batchOf(world, { records: 2 })
  const { baseOffset, lastOffset } = log.append(bytes, { leaderEpoch: 5, now: world.ms, origin: 'client' })
  assert.deepEqual([baseOffset, lastOffset], [3, 4])
  assert.deepEqual([log.logStartOffset, log.logEndOffset, log.latestEpoch], [0, 5, 5])
  const headers = headersOf(await everything(log))
  assert.deepEqual(
    headers.map(header => [header.baseOffset, header.lastOffset, header.leaderEpoch]),
    [
      [0, 2, 4],
      [3, 4, 5],
    ],
  )
  for (const piece of await everything(log)) assert.equal(validateBatch(piece, 0), null)
  assert.equal(
    log.sizeInBytes,
    headers.reduce((sum, header) => sum + header.sizeInBytes, 0),
  )
})

test('LogAppendTime: stamped, CRC made anew, told to the producer, also for duplicates', async () => {
  const { log, append, world } = open({ messageTimestampType: 'LogAppendTime' })
  const first = world.ms
  assert.equal(append({ timestamp: 5, producer: [1, 0, 0] }).logAppendTime, first)
  await world.pass(1000)
  assert.deepEqual(append({ timestamp: 5, producer: [1, 0, 0] }), {
    baseOffset: 0,
    lastOffset: 0,
    logAppendTime: first,
    logStartOffset: 0,
    duplicate: true,
  })
  const [bytes] = await everything(log)
  assert.equal(validateBatch(bytes!, 0), null)
  assert.notEqual(attributes(bytes!, 0) & logAppendTimeBit, 0)
  assert.equal(headersOf([bytes!])[0]?.maxTimestamp, first)
})

test('a refused append leaves everything as it was', () => {
  const counters = newCounters()
  const { log, append, world } = open({}, { counters })
  append({ producer: [1, 0, 0] }, 3)
  assert.equal(
    errorOf(() => append({ producer: [1, 0, 5] }, 4)),
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
  )
  assert.equal(
    errorOf(() => append({ timestamp: world.ms * 2 }, 4)),
    'INVALID_TIMESTAMP',
  )
  assert.equal(
    errorOf(() => append({}, 2)),
    'FENCED_LEADER_EPOCH',
  )
  assert.deepEqual([log.logEndOffset, log.latestEpoch], [1, 3])
  assert.equal(append({ producer: [1, 0, 1] }, 3).baseOffset, 1)
  assert.deepEqual([counters.rejected, counters.batchesAppended], [3, 2])
})

test('a duplicate is answered with its first offsets and not appended', () => {
  const counters = newCounters()
  const { log, append } = open({}, { counters })
  append({ records: 7 })
  for (let sequence = 0; sequence < 5; sequence++) append({ producer: [9, 0, sequence * 2], records: 2 })
  for (let sequence = 0; sequence < 5; sequence++) {
    const again = append({ producer: [9, 0, sequence * 2], records: 2 })
    assert.deepEqual([again.baseOffset, again.lastOffset, again.duplicate], [7 + sequence * 2, 8 + sequence * 2, true])
  }
  assert.equal(log.logEndOffset, 17)
  assert.equal(counters.duplicates, 5)
})

test('reads lie within the log', async () => {
  const { log, append } = open()
  for (let count = 0; count < 4; count++) append({ records: 2 })
  assert.deepEqual(
    headersOf(await log.read(3, 1)).map(header => header.baseOffset),
    [2],
  )
  assert.deepEqual(
    headersOf(await log.read(0, 1e6, 4)).map(header => header.baseOffset),
    [0, 2],
  )
  assert.deepEqual(await log.read(8, 1e6), [])
  assert.equal(
    errorOf(() => log.read(9, 1)),
    'OFFSET_OUT_OF_RANGE',
  )
  log.deleteRecordsBefore(3)
  assert.equal(
    errorOf(() => log.read(2, 1)),
    'OFFSET_OUT_OF_RANGE',
  )
  assert.deepEqual(
    headersOf(await log.read(3, 1)).map(header => header.baseOffset),
    [2],
  )
})

test('offsets by timestamp: the very record, not its batch', async () => {
  const { log, append, world } = open()
  const at = world.ms
  append({ timestamp: at })
  append({ records: 3, timestamp: at + 10 })
  append({ timestamp: at + 5 }, 2)
  const cases: [number, number | null][] = [
    [at - 1, 0],
    [at, 0],
    [at + 1, 1],
    [at + 10, 1],
    [at + 11, null],
  ]
  for (const [timestamp, offset] of cases)
    assert.equal((await log.offsetForTimestamp(timestamp))?.offset ?? null, offset, `${timestamp - at}`)
  assert.deepEqual(await log.maxTimestampOffset(), { offset: 1, timestamp: at + 10, leaderEpoch: 0 })
  log.deleteRecordsBefore(2)
  assert.deepEqual(await log.offsetForTimestamp(at), { offset: 2, timestamp: at + 10, leaderEpoch: 0 })
  log.deleteRecordsBefore(4)
  assert.deepEqual(await log.offsetForTimestamp(at), { offset: 4, timestamp: at + 5, leaderEpoch: 2 })
  assert.equal(await open().log.maxTimestampOffset(), null)
})

test('DeleteRecords moves the start; whole segments go', async () => {
  const starts: number[] = []
  const { log, append, world } = open({ segmentBytes: 300 }, { startMoved: offset => starts.push(offset) })
  for (let count = 0; count < 12; count++) append({ records: 1 }, count)
  const before = log.sizeInBytes
  assert.equal(
    errorOf(() => log.deleteRecordsBefore(13)),
    'OFFSET_OUT_OF_RANGE',
  )
  assert.equal(log.deleteRecordsBefore(7), 7)
  assert.equal(log.deleteRecordsBefore(3), 7, 'never back')
  await world.settle()
  assert.ok(log.sizeInBytes < before)
  assert.deepEqual([log.epochForOffset(6), log.epochForOffset(7), log.latestEpoch], [-1, 7, 11])
  assert.deepEqual(log.endOffsetForEpoch(3), { epoch: 3, endOffset: 7 })
  assert.equal(log.deleteRecordsBefore(12), 12)
  assert.deepEqual(starts, [7, 12])
  assert.equal(append({}, 12).logStartOffset, 12)
})

test('what was deleted goes with the second DeleteRecords, however large segments may get', async () => {
  const { log, append, world } = open()
  for (let count = 0; count < 3; count++) append({ valueBytes: 500_000 })
  log.deleteRecordsBefore(2)
  append({ valueBytes: 500_000 })
  assert.ok(log.sizeInBytes > 2_000_000)
  log.deleteRecordsBefore(3)
  await world.settle()
  assert.ok(log.sizeInBytes < 600_000, `${log.sizeInBytes}`)
  assert.deepEqual(
    headersOf(await everything(log)).map(({ baseOffset }) => baseOffset),
    [3],
  )
})

test('retention by time rolls the active segment when all is old', async () => {
  const counters = newCounters()
  const { log, append, world } = open({ retentionMs: 1000, segmentBytes: 300 }, { counters })
  for (let count = 0; count < 7; count++) append()
  assert.deepEqual(log.applyRetention(world.ms + 1000).segments, 0)
  assert.equal(log.applyRetention(world.ms + 1001, 6).logStartOffset, 6, 'not above the high watermark')
  const result = log.applyRetention(world.ms + 1001)
  await world.settle()
  assert.deepEqual([result.reason, result.logStartOffset], ['time', 7])
  assert.deepEqual([log.logStartOffset, log.logEndOffset, log.sizeInBytes], [7, 7, 0])
  assert.equal(counters.segmentsRemoved, 3)
  assert.equal(append().baseOffset, 7)
})

test('retention by size', async () => {
  const { log, append, world } = open({ retentionMs: -1, retentionBytes: 500, segmentBytes: 250 })
  for (let count = 0; count < 20; count++) append()
  log.applyRetention(world.ms)
  await world.settle()
  assert.ok(log.sizeInBytes >= 500 && log.sizeInBytes < 800, `${log.sizeInBytes}`)
})

test('truncation forgets epochs and producers with the batches', async () => {
  const { log, append } = open()
  append({ producer: [1, 0, 0], records: 2 }, 1)
  append({ producer: [1, 0, 2], records: 2 }, 2)
  append({ producer: [2, 0, 0] }, 3)
  await log.truncateTo(3)
  assert.deepEqual([log.logEndOffset, log.latestEpoch], [2, 1], 'the batch that holds the offset goes too')
  assert.deepEqual(
    log.activeProducers().map(({ producerId, lastSequence }) => [producerId, lastSequence]),
    [[1, 1]],
  )
  assert.equal(append({ producer: [1, 0, 2], records: 2 }, 2).baseOffset, 2)
  await log.truncateTo(99)
  assert.equal(log.logEndOffset, 4)
  await log.resetTo(50)
  assert.deepEqual([log.logStartOffset, log.logEndOffset, log.latestEpoch, log.sizeInBytes], [50, 50, -1, 0])
  assert.equal(append({ producer: [1, 0, 7] }, 5).baseOffset, 50)
})

test('the replica of a leader takes its offsets and epochs', async () => {
  const leader = open()
  for (let count = 0; count < 3; count++) leader.append({ producer: [1, 0, count] }, count)
  const follower = open()
  const pieces = (await everything(leader.log)).map(piece => Buffer.from(piece))
  const context = { leaderEpoch: 9, now: 0, origin: 'replication' } as const
  const { baseOffset, lastOffset } = follower.log.append(Buffer.concat(pieces), context)
  assert.deepEqual([baseOffset, lastOffset, follower.log.latestEpoch], [0, 2, 2])
  assert.deepEqual(follower.log.activeProducers(), leader.log.activeProducers())
  assert.equal(
    errorOf(() => follower.log.append(pieces[0]!, context)),
    'OFFSET_OUT_OF_RANGE',
  )
  assert.equal(follower.append({ producer: [1, 0, 2] }, 3).duplicate, true, 'after a failover it knows the producers')
})

test('our own batches: many at once, stamped, old producer epochs refused', async () => {
  const { log, world } = open()
  const context = { leaderEpoch: 2, now: world.ms, origin: 'coordinator' } as const
  const two = Buffer.concat([batchOf(world, { records: 2 }), batchOf(world, { records: 3 })])
  assert.deepEqual(
    [log.append(two, context)].map(result => [result.baseOffset, result.lastOffset]),
    [[0, 4]],
  )
  assert.deepEqual(
    headersOf(await everything(log)).map(header => [header.baseOffset, header.leaderEpoch]),
    [
      [0, 2],
      [2, 2],
    ],
  )
  log.append(batchOf(world, { producer: [1, 5, 0] }), context)
  const stale = Buffer.concat([batchOf(world), batchOf(world, { producer: [1, 4, 0] })])
  assert.equal(
    errorOf(() => log.append(stale, context)),
    'INVALID_PRODUCER_EPOCH',
  )
  assert.equal(
    errorOf(() => log.append(two.subarray(0, two.length - 1), context)),
    'CORRUPT_MESSAGE',
  )
  assert.equal(log.logEndOffset, 6)
})

test('epochs and all five batches of producers survive a clean restart', async () => {
  const { log, append, volume, world } = open()
  for (let sequence = 0; sequence < 6; sequence++) append({ producer: [1, 2, sequence] }, sequence >> 1)
  const producers = log.activeProducers()
  await log.close()
  assert.equal(
    errorOf(() => append()),
    'KAFKA_STORAGE_ERROR',
  )
  const again = open({}, { volume, world })
  assert.deepEqual(again.log.activeProducers(), producers)
  assert.deepEqual([again.log.latestEpoch, again.log.epochForOffset(3)], [2, 1])
  for (let sequence = 1; sequence < 6; sequence++)
    assert.equal(again.append({ producer: [1, 2, sequence] }, 3).baseOffset, sequence)
  assert.equal(again.append({ producer: [1, 2, 6] }, 3).baseOffset, 6)
})

test('opening a log touches none of its files', async () => {
  const { log, append, volume, world } = open()
  append({ producer: [1, 0, 0] })
  await log.close()
  const store = volume.open(place, topicId, storeOptions(defaultLogConfig, world.random))
  let touched = 0
  const watched = new Proxy(store, {
    get(target, name) {
      if (['get', 'names', 'put', 'scan', 'read', 'drop'].includes(String(name))) touched++
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const again = Log.open(watched, place, topicId, defaultLogConfig, world, silent, { clean: true })
  assert.deepEqual([again.logStartOffset, again.logEndOffset, again.durableOffset], [0, 1, 1])
  await again.close()
  assert.equal(touched, 0)
})

test('silent producers expire', async () => {
  const limits = { expirationMs: 1000, perPartition: 10 }
  const { log, append, world } = open({}, { producerLimits: limits })
  append({ producer: [1, 0, 0] })
  await world.pass(900)
  append({ producer: [2, 0, 0], timestamp: 5 })
  await world.pass(100)
  log.expireProducers(world.ms)
  assert.deepEqual(
    log.activeProducers().map(({ producerId }) => producerId),
    [2],
  )
})
