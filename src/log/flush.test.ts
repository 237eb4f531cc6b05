import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryVolume } from '../store/memory.ts'
import { silent } from '../world/logger.ts'
import { Log } from './log.ts'
import { defaultLogConfig, type LogConfig, storeOptions } from './log-config.ts'
import { type BatchParts, batchOf, HandWorld, type ManualDisk, manualDisk } from './testing.ts'

// What an acknowledgement means, as far as one log decides it: what it calls written, durable and flushed, and when.

const place = { topic: 'a', partition: 0 }
const topicId = 'bPQ1YzsbTMWjTg8Ms_ZHcg'

class Trial {
  readonly world = new HandWorld()
  readonly disk: ManualDisk
  readonly log: Log
  readonly told: string[] = []

  constructor(config: Partial<LogConfig>, epochsSaved = true) {
    const full = { ...defaultLogConfig, ...config }
    const volume = new MemoryVolume(this.world.timers)
    const store = volume.open(place, topicId, storeOptions(full, this.world.random))
    if (epochsSaved) void store.put('leader-epoch-checkpoint', Buffer.from('0\n1\n0 0\n'))
    this.disk = manualDisk(store)
    this.log = Log.open(this.disk.store, place, topicId, full, this.world, silent, { clean: true })
    this.log.observe({
      progress: () => void this.told.push('progress'),
      dropped: (from, error) => void this.told.push(`dropped ${from} ${error.message}`),
      failed: error => void this.told.push(`failed ${error.message}`),
    })
  }

  /** As after the end of the process. */
  reopen(): this {
    return Object.assign(this, { log: Log.open(this.disk.store, place, topicId, this.log.config, this.world, silent) })
  }

  append(count = 1, parts: BatchParts = {}, leaderEpoch = 0): void {
    for (let index = 0; index < count; index++)
      this.log.append(batchOf(this.world, parts), { leaderEpoch, now: this.world.ms, origin: 'client' })
  }

  /** Offsets: end, written, durable, flushed; and syncs under way. */
  get state(): number[] {
    const { logEndOffset, writtenOffset, durableOffset, flushedOffset } = this.log
    return [logEndOffset, writtenOffset, durableOffset, flushedOffset, this.disk.syncs.length]
  }
}

test('flush=ack: nothing is flushed before it is durable, and one sync serves all that came meanwhile', async () => {
  const trial = new Trial({ flush: 'ack' })
  trial.append(2)
  assert.deepEqual(trial.state, [2, 0, 0, 0, 0])
  trial.disk.write()
  assert.deepEqual(trial.state, [2, 2, 0, 0, 1])
  trial.append(3)
  trial.disk.write()
  trial.append()
  trial.disk.write()
  assert.deepEqual(trial.state, [6, 6, 0, 0, 1], 'one at a time')
  await trial.disk.finishSync()
  assert.deepEqual(trial.state, [6, 6, 2, 2, 1], 'the next covers the rest')
  await trial.disk.finishSync()
  assert.deepEqual(trial.state, [6, 6, 6, 6, 0])
  assert.equal(trial.told.length, 5, 'told of three writes and two syncs')
})

test('flush=os: what is written is flushed; nobody syncs', async () => {
  const trial = new Trial({ flush: 'os' })
  trial.append(5)
  assert.deepEqual(trial.state, [5, 0, 0, 0, 0])
  trial.disk.write()
  assert.deepEqual(trial.state, [5, 5, 0, 5, 0])
  await trial.world.pass(1e9)
  assert.deepEqual(trial.state, [5, 5, 0, 5, 0])
})

test('flush.messages=1: as flush=ack', async () => {
  const trial = new Trial({ flush: 'os', flushMessages: 1 })
  trial.append()
  trial.disk.write()
  assert.deepEqual(trial.state, [1, 1, 0, 0, 1])
  await trial.disk.finishSync()
  assert.deepEqual(trial.state, [1, 1, 1, 1, 0])
})

test('flush.messages=3: the record that makes it three waits for the sync', async () => {
  const trial = new Trial({ flush: 'os', flushMessages: 3 })
  trial.append(2)
  trial.disk.write()
  assert.deepEqual(trial.state, [2, 2, 0, 2, 0])
  trial.append()
  trial.disk.write()
  assert.deepEqual(trial.state, [3, 3, 0, 2, 1])
  trial.append()
  trial.disk.write()
  assert.deepEqual(trial.state, [4, 4, 0, 2, 1])
  await trial.disk.finishSync()
  assert.deepEqual(trial.state, [4, 4, 3, 4, 0], 'one unsynced record is few enough')
})

test('flush.ms: a sync follows, acknowledgements do not wait for it', async () => {
  const trial = new Trial({ flush: 'os', flushMs: 100 })
  trial.append()
  trial.disk.write()
  await trial.world.pass(60)
  trial.append()
  trial.disk.write()
  assert.deepEqual(trial.state, [2, 2, 0, 2, 0])
  await trial.world.pass(40)
  assert.deepEqual(trial.state, [2, 2, 0, 2, 1], '100 ms after the oldest')
  await trial.disk.finishSync()
  await trial.world.pass(1000)
  assert.deepEqual(trial.state, [2, 2, 2, 2, 0])
})

test('flush can be changed under way', async () => {
  const trial = new Trial({ flush: 'os' })
  trial.append(2)
  trial.disk.write()
  trial.log.setConfig({ ...trial.log.config, flush: 'ack' })
  assert.deepEqual(trial.state, [2, 2, 0, 2, 1], 'what was flushed stays so')
  trial.append()
  trial.disk.write()
  await trial.disk.finishSync()
  assert.deepEqual(trial.state, [3, 3, 2, 2, 1])
})

test('a new leader epoch is durable before anything of it is', async () => {
  const trial = new Trial({ flush: 'ack' })
  trial.append(2)
  trial.append(1, {}, 7)
  trial.disk.write()
  await trial.disk.finishSync()
  assert.deepEqual(trial.state, [3, 3, 2, 2, 0], 'epoch 7 could still be forgotten')
  trial.append(1, {}, 7)
  trial.append(1, {}, 8)
  await trial.disk.finishPut()
  assert.deepEqual(trial.state, [5, 3, 2, 2, 0], 'the file was written again')
  await trial.disk.finishPut()
  assert.deepEqual(trial.state, [5, 3, 3, 3, 0])
  assert.equal(trial.disk.puts.length, 0)
  const file = trial.disk.store.get('leader-epoch-checkpoint')!
  assert.equal(Buffer.from(file).toString(), '0\n3\n0 0\n7 2\n8 4\n')
})

test('the very first epoch, too', async () => {
  const trial = new Trial({ flush: 'ack' }, false)
  trial.append(1, {}, 0)
  trial.disk.write()
  await trial.disk.finishSync()
  assert.deepEqual(trial.state, [1, 1, 0, 0, 0])
  await trial.disk.finishPut()
  assert.deepEqual(trial.state, [1, 1, 1, 1, 0])
})

test('a failed sync is told once and never repeated', async () => {
  const trial = new Trial({ flush: 'ack' })
  trial.append()
  trial.disk.write()
  await trial.disk.failSync(new Error('EIO'))
  await trial.world.pass(10_000)
  trial.append()
  trial.disk.write()
  await trial.world.pass(10_000)
  assert.deepEqual(trial.state, [2, 2, 0, 0, 0])
  assert.deepEqual(
    trial.told.filter(line => line !== 'progress'),
    ['failed EIO'],
  )
})

test('a full disk takes back offsets, epochs and sequences; then it goes on', async () => {
  const trial = new Trial({ flush: 'ack' })
  trial.append(1, { producer: [1, 0, 0] })
  trial.disk.write()
  await trial.disk.finishSync()
  trial.append(1, { producer: [1, 0, 1] })
  trial.disk.write()
  trial.append(1, { producer: [1, 0, 2] }, 4)
  trial.append(1, { producer: [2, 0, 0] }, 4)
  await trial.disk.dropFrom(2, new Error('ENOSPC'))
  assert.deepEqual(trial.told.slice(-1), ['dropped 2 ENOSPC'])
  assert.deepEqual([trial.log.logEndOffset, trial.log.latestEpoch], [2, 0])
  const producers = trial.log.activeProducers().map(({ producerId, lastSequence }) => [producerId, lastSequence])
  assert.deepEqual(producers, [[1, 1]])
  await trial.world.pass(1000)
  assert.deepEqual(trial.state, [2, 2, 1, 1, 1], 'the sync that was lost is asked for again')
  await trial.disk.finishSync()
  trial.append(1, { producer: [1, 0, 2] })
  assert.equal(trial.log.logEndOffset, 3)
})

test('no room for the epochs: tried again; any other error of theirs is fatal', async () => {
  const trial = new Trial({ flush: 'ack' })
  trial.append(1, {}, 7)
  trial.disk.write()
  await trial.disk.finishSync()
  await trial.disk.finishPut(Object.assign(new Error('full'), { code: 'ENOSPC' }))
  assert.deepEqual(trial.state, [1, 1, 0, 0, 0])
  await trial.world.pass(1000)
  await trial.disk.finishPut()
  assert.deepEqual(trial.state, [1, 1, 1, 1, 0])
  trial.append(1, {}, 8)
  await trial.disk.finishPut(Object.assign(new Error('broken'), { code: 'EIO' }))
  assert.deepEqual(trial.told.slice(-1), ['failed broken'])
})

test('an epoch whose file never reached the disk is read from the batches', async () => {
  const trial = new Trial({ flush: 'os' })
  trial.append(2)
  trial.append(2, {}, 3)
  trial.append(1, {}, 5)
  const { log } = trial.reopen()
  assert.deepEqual([log.latestEpoch, log.epochForOffset(1), log.epochForOffset(3)], [5, 0, 3])
  await trial.disk.finishPut()
  await trial.disk.finishPut()
  assert.equal(Buffer.from(trial.disk.store.get('leader-epoch-checkpoint')!).toString(), '0\n3\n0 0\n3 2\n5 4\n')
})

test('a log whose start a crash has taken back finds the epochs of its head in the batches', async () => {
  const trial = new Trial({ flush: 'os' })
  trial.append(2)
  trial.append(2, {}, 3)
  trial.append(2, {}, 5)
  await trial.disk.finishPut()
  await trial.disk.finishPut()
  void trial.disk.store.put('leader-epoch-checkpoint', Buffer.from('0\n2\n3 3\n5 4\n'))
  await trial.disk.finishPut()
  const { log } = trial.reopen()
  assert.equal(log.logStartOffset, 0)
  assert.deepEqual([log.epochForOffset(0), log.epochForOffset(2), log.epochForOffset(3)], [0, 3, 3])
  assert.deepEqual(log.endOffsetForEpoch(4), { epoch: 3, endOffset: 4 })
  await trial.disk.finishPut()
  assert.equal(Buffer.from(trial.disk.store.get('leader-epoch-checkpoint')!).toString(), '0\n3\n0 0\n3 2\n5 4\n')
})

test('a snapshot that was under way when the log was truncated does not come back', async () => {
  const trial = new Trial({ flush: 'os' })
  trial.append(3)
  trial.append(1, { producer: [1, 0, 0] })
  trial.log.roll()
  assert.equal(trial.disk.puts.length, 1)
  await trial.log.truncateTo(1)
  await trial.disk.finishPut()
  assert.deepEqual(trial.disk.store.names(), ['leader-epoch-checkpoint'])
})
