import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { KafkaError } from '../protocol/errors.ts'
import { MemoryVolume } from '../store/memory.ts'
import type { Store } from '../store/store.ts'
import { silent } from '../world/logger.ts'
import { Log } from './log.ts'
import { defaultLogConfig, storeOptions } from './log-config.ts'
import { batchOf, HandWorld, headersOf } from './testing.ts'

/** What the log ought to hold, in the plainest form: every batch that was ever appended and not taken back. */
interface ModelBatch {
  readonly baseOffset: number
  readonly records: number
  readonly leaderEpoch: number
  readonly producer: readonly [id: number, epoch: number, sequence: number] | null
}

const place = { topic: 'a', partition: 0 }
const topicId = 'bPQ1YzsbTMWjTg8Ms_ZHcg'
const config = { ...defaultLogConfig, segmentBytes: 600 }

class Trial {
  readonly world = new HandWorld()
  readonly volume = new MemoryVolume(this.world.timers)
  store: Store = this.volume.open(place, topicId, storeOptions(config, this.world.random))
  log: Log = this.open(true)
  batches: ModelBatch[] = []
  start = 0
  end = 0
  leaderEpoch = 0

  open(clean: boolean): Log {
    this.store = this.volume.open(place, topicId, storeOptions(config, this.world.random))
    const logStartOffset = this.volume.logStartOffset(place)
    const startMoved = (offset: number): void => this.volume.setLogStartOffset(place, offset)
    return Log.open(this.store, place, topicId, config, this.world, silent, { clean, logStartOffset, startMoved })
  }

  send(records: number, producer: ModelBatch['producer']): ReturnType<Log['append']> {
    const bytes = batchOf(this.world, { records, ...(producer && { producer }) })
    return this.log.append(bytes, { leaderEpoch: this.leaderEpoch, now: this.world.ms, origin: 'client' })
  }

  append(records: number, producerId: number, newEpoch: boolean): void {
    const producer = producerId < 0 ? null : this.next(producerId, newEpoch)
    const { baseOffset, lastOffset, duplicate } = this.send(records, producer)
    assert.deepEqual([baseOffset, lastOffset, duplicate], [this.end, this.end + records - 1, false])
    this.batches.push({ baseOffset, records, leaderEpoch: this.leaderEpoch, producer })
    this.end += records
  }

  next(producerId: number, newEpoch: boolean): readonly [number, number, number] {
    const last = this.batches.findLast(({ producer }) => producer?.[0] === producerId)
    if (last?.producer == null) return [producerId, 0, 0]
    const [, epoch, sequence] = last.producer
    return newEpoch ? [producerId, epoch + 1, 0] : [producerId, epoch, sequence + last.records]
  }

  /** The batch that holds `offset` is gone, and all that follow. */
  cut(offset: number): void {
    const first = this.batches.findIndex(batch => batch.baseOffset + batch.records > offset)
    if (first === -1) return
    this.end = this.batches[first]!.baseOffset
    this.start = Math.min(this.start, this.end)
    this.batches.length = first
  }

  at(part: number): number {
    return this.start + Math.floor(part * (this.end - this.start))
  }

  async truncate(offset: number): Promise<void> {
    if (offset >= this.end || offset <= this.start) return
    await this.log.truncateTo(offset)
    this.cut(offset)
  }

  deleteBefore(offset: number): void {
    this.start = Math.max(this.start, offset)
    this.log.deleteRecordsBefore(offset)
  }

  async restart(): Promise<void> {
    await this.log.close()
    this.log = this.open(true)
  }

  /** The process dies; the last `lost` batches had not reached the disk. */
  async crash(lost: number): Promise<void> {
    await this.world.settle()
    const keep = this.batches.at(-lost)?.baseOffset ?? this.end
    if (lost > 0 && keep > this.start) {
      await this.store.truncate(keep)
      this.cut(keep)
    }
    await this.store.close()
    this.log = this.open(false)
  }

  async check(): Promise<void> {
    await this.world.settle()
    assert.deepEqual([this.log.logStartOffset, this.log.logEndOffset], [this.start, this.end])
    this.checkEpochs()
    this.checkProducers()
    const there = headersOf(await this.log.read(this.start, 1e9)).map(({ baseOffset }) => baseOffset)
    const wanted = this.batches.filter(batch => batch.baseOffset + batch.records > this.start)
    assert.deepEqual(there, wanted.map(({ baseOffset }) => baseOffset)) // biome-ignore format: one line
  }

  checkEpochs(): void {
    for (const { baseOffset, records, leaderEpoch } of this.batches) {
      if (baseOffset + records > this.start)
        assert.equal(this.log.epochForOffset(baseOffset + records - 1), leaderEpoch, `epoch of ${baseOffset}`)
    }
    assert.equal(this.log.epochForOffset(this.start - 1), -1, 'nothing is kept of what was deleted')
    const last = this.batches.at(-1)
    if (last !== undefined && last.baseOffset >= this.start) assert.equal(this.log.latestEpoch, last.leaderEpoch)
    const epochs = new Set(
      this.batches.filter(({ baseOffset }) => baseOffset >= this.start).map(batch => batch.leaderEpoch),
    )
    for (const epoch of epochs) {
      const after = this.batches.find(batch => batch.leaderEpoch > epoch)
      assert.deepEqual(this.log.endOffsetForEpoch(epoch), { epoch, endOffset: after?.baseOffset ?? this.end })
    }
  }

  /** The last five batches of each producer are known, what would leave a gap is refused. */
  checkProducers(): void {
    const kept = this.batches.filter(({ baseOffset }) => baseOffset >= this.store.startOffset)
    for (const id of new Set(kept.flatMap(({ producer }) => (producer === null ? [] : [producer[0]])))) {
      const own = kept.filter(({ producer }) => producer?.[0] === id)
      const epoch = own.at(-1)!.producer![1]
      for (const batch of own.filter(({ producer }) => producer![1] === epoch).slice(-5)) {
        const { baseOffset, duplicate } = this.send(batch.records, batch.producer)
        assert.deepEqual([baseOffset, duplicate], [batch.baseOffset, true])
      }
      const [, , sequence] = this.next(id, false)
      assert.throws(
        () => this.send(1, [id, epoch, sequence + 1]),
        (error: KafkaError) => error.errorName === 'OUT_OF_ORDER_SEQUENCE_NUMBER',
      )
    }
  }
}

/** Of the log, from its start: mostly near the end. */
const part = fc.noBias(fc.nat({ max: 1000 })).map(thousandths => Math.sqrt(thousandths / 1000))
const operation = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('append' as const), records: fc.integer({ min: 1, max: 4 }), producer: fc.integer({ min: -1, max: 2 }), newEpoch: fc.nat({ max: 9 }).map(die => die === 0) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('lead' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('truncate' as const), part }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), part }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('roll' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const), lost: fc.integer({ min: 0, max: 6 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('check' as const) }) },
) // biome-ignore format: a table

test('whatever happens to it, the log is what a plain list of batches would be', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 20, maxLength: 60, size: 'max' }), async operations => {
      const trial = new Trial()
      for (const step of operations) {
        if (step.do === 'append') trial.append(step.records, step.producer, step.newEpoch)
        else if (step.do === 'lead') trial.leaderEpoch++
        else if (step.do === 'truncate') await trial.truncate(trial.at(step.part))
        else if (step.do === 'delete') trial.deleteBefore(trial.at(step.part ** 4))
        else if (step.do === 'roll') trial.log.roll()
        else if (step.do === 'restart') await trial.restart()
        else if (step.do === 'crash') await trial.crash(step.lost)
        else await trial.check()
      }
      await trial.check()
    }),
    { numRuns: 80, seed: 7 },
  )
})
