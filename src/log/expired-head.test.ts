import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildBatch } from '../protocol/batches/build.ts'
import { expiresAfter } from '../protocol/batches/expiry.ts'
import { MemoryVolume } from '../store/memory.ts'
import { silent } from '../world/logger.ts'
import { ExpiredHead } from './expired-head.ts'
import { defaultLogConfig } from './log-config.ts'
import { LogManager } from './log-manager.ts'
import { HandWorld } from './testing.ts'

const start = 1_700_000_000_000
const topicId = 'bPQ1YzsbTMWjTg8Ms_ZHcg'

/** A batch whose records live for so many seconds each; null: for ever. */
function batch(baseOffset: number, ...lives: (number | null)[]): Buffer {
  const records = lives.map(seconds => ({
    timestamp: start,
    value: Buffer.from('v'),
    headers: seconds === null ? [] : [expiresAfter(seconds)],
  }))
  return buildBatch({ records, baseOffset })
}

/** Reads one batch at a time, and counts. */
function storeOf(...batches: Buffer[]) {
  const store = {
    reads: 0,
    broken: false,
    async read(from: number): Promise<Uint8Array[]> {
      store.reads++
      if (store.broken) throw new Error('EIO')
      return batches.filter(each => Number(each.readBigInt64BE(0)) >= from).slice(0, 1)
    },
  }
  return store
}

const timers = { soon: (run: () => void) => setImmediate(run) }
const at = (seconds: number) => start + seconds * 1000

test('the head has expired up to the first batch with a record that has not', async () => {
  const store = storeOf(batch(0, 1, 2), batch(2, 5, 9), batch(4, 3))
  const head = new ExpiredHead(store, timers)
  await head.look(0, 5, at(1))
  assert.equal(head.end, 0)
  await head.look(0, 5, at(2))
  assert.equal(head.end, 2)
  await head.look(0, 5, at(9))
  assert.equal(head.end, 5)
})

test('nothing is read again before something can have changed', async () => {
  const store = storeOf(batch(0, 1), batch(1, 9))
  const head = new ExpiredHead(store, timers)
  await head.look(0, 2, at(1))
  assert.deepEqual([head.end, store.reads], [1, 2])
  await head.look(0, 2, at(8.9))
  assert.equal(store.reads, 2)
  await head.look(0, 2, at(9))
  assert.deepEqual([head.end, store.reads], [2, 3])
  assert.equal(head.isWorthALook(0, 2, at(99)), false)
})

test('a record that lives for ever ends the search until the log begins behind it', async () => {
  const store = storeOf(batch(0, null), batch(1, 1))
  const head = new ExpiredHead(store, timers)
  await head.look(0, 2, at(99))
  await head.look(0, 2, at(9999))
  assert.deepEqual([head.end, store.reads], [0, 1])
  await head.look(1, 2, at(9999))
  assert.deepEqual([head.end, store.reads], [2, 2])
})

test('what cannot be read does not expire', async () => {
  const store = storeOf(batch(0, 1))
  store.broken = true
  const head = new ExpiredHead(store, timers)
  await assert.rejects(head.look(0, 1, at(5)), /EIO/)
  assert.equal(head.end, 0)
  assert.equal(head.isWorthALook(0, 1, at(99)), false)
})

test('a gap at the end of a segment and markers of transactions hold nothing back', async () => {
  const marker = buildBatch({
    records: [{ timestamp: start, key: Buffer.from([0, 0, 0, 1]), value: Buffer.alloc(6) }],
    baseOffset: 1,
    control: true,
    transactional: true,
    producerId: 1,
    producerEpoch: 0,
  })
  const head = new ExpiredHead(storeOf(batch(0, 1), marker), timers)
  await head.look(0, 7, at(1))
  assert.equal(head.end, 7)
})

test('closed segments go when all of their records have expired, and no sooner', async () => {
  const world = new HandWorld()
  const manager = LogManager.open(new MemoryVolume(world.timers), world, silent, {
    retentionCheckMs: 1000,
    committed: log => log.logEndOffset,
  })
  const config = { ...defaultLogConfig, retentionMs: -1, segmentBytes: 100 }
  const [mortal, mixed, kept] = ['mortal', 'mixed', 'kept'].map(name => manager.create(name, 0, topicId, config))
  const context = { leaderEpoch: 0, now: world.ms, origin: 'client' } as const
  for (let count = 0; count < 4; count++) {
    mortal!.append(batch(0, 5), context)
    mixed!.append(batch(0, count < 2 ? 5 : null), context)
    kept!.append(batch(0, null), context)
  }
  await world.pass(4000)
  assert.deepEqual([mortal!.logStartOffset, mixed!.logStartOffset, kept!.logStartOffset], [0, 0, 0])
  await world.pass(2000)
  assert.deepEqual([mortal!.logStartOffset, mixed!.logStartOffset, kept!.logStartOffset], [3, 2, 0])
  assert.equal(manager.counters.segmentsRemoved, 5)
  await manager.close()
})
