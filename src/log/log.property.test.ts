import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import type { KafkaError } from '../protocol/errors.ts'
import { FileVolume } from '../store/file/file-volume.ts'
import { MemoryVolume } from '../store/memory.ts'
import type { Store, Volume } from '../store/store.ts'
import { silent } from '../world/logger.ts'
import { nodeWorld } from '../world/node.ts'
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

/** What holds the bytes over restarts and crashes. */
interface Home {
  readonly volume: Volume
  restart(): Promise<void>
  /** The process dies; what it had written stays. */
  crash(): Promise<void>
  cleanUp(): void
}

type MakeHome = (world: HandWorld) => Promise<Home>

const inMemory: MakeHome = async world => ({
  volume: new MemoryVolume(world.timers),
  async restart() {},
  async crash() {},
  cleanUp() {},
})

const inFiles: MakeHome = async world => {
  const parent = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'ottla-log-'))
  let lives = 0
  const root = (): string => join(parent, String(lives))
  const open = (): Promise<Volume> =>
    FileVolume.open(root(), { ...world, timers: world.timers, disk: nodeWorld.disk }, silent, { tailBytes: 4096 })
  const home = {
    volume: await open(),
    async restart() {
      await home.volume.close()
      home.volume = await open()
    },
    async crash() {
      const before = root()
      lives++
      cpSync(before, root(), { recursive: true })
      await home.volume.close()
      home.volume = await open()
    },
    cleanUp: () => rmSync(parent, { recursive: true, force: true }),
  }
  return home
}

class Trial {
  readonly world: HandWorld
  readonly home: Home
  store: Store
  log: Log
  batches: ModelBatch[] = []
  start = 0
  end = 0
  leaderEpoch = 0

  constructor(world: HandWorld, home: Home) {
    this.world = world
    this.home = home
    this.store = this.openStore()
    this.log = this.openLog(true)
  }

  openStore(): Store {
    return this.home.volume.open(place, topicId, storeOptions(config, this.world.random))
  }

  openLog(clean: boolean): Log {
    const { volume } = this.home
    const logStartOffset = volume.logStartOffset(place)
    const startMoved = (offset: number): void => volume.setLogStartOffset(place, offset)
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
    await this.world.until(this.log.truncateTo(offset))
    this.cut(offset)
    await this.world.until(this.home.volume.checkpoint())
  }

  async deleteBefore(offset: number): Promise<void> {
    this.start = Math.max(this.start, offset)
    this.log.deleteRecordsBefore(offset)
    await this.world.until(this.home.volume.checkpoint())
  }

  async restart(): Promise<void> {
    await this.world.until(this.log.close())
    await this.world.until(this.home.restart())
    this.store = this.openStore()
    this.log = this.openLog(true)
  }

  /** The process dies; the last `lost` batches had not reached the disk. */
  async crash(lost: number): Promise<void> {
    await this.world.settle()
    await this.world.until(this.home.crash())
    this.store = this.openStore()
    const keep = this.batches.at(-lost)?.baseOffset ?? this.end
    if (lost > 0 && keep > this.start) {
      await this.world.until(this.store.truncate(keep))
      this.cut(keep)
    }
    this.log = this.openLog(false)
  }

  async check(): Promise<void> {
    await this.world.settle()
    assert.deepEqual([this.log.logStartOffset, this.log.logEndOffset], [this.start, this.end])
    this.checkEpochs()
    this.checkProducers()
    const there: number[] = []
    for (let next = this.start; next < this.end; ) {
      const headers = headersOf(await this.log.read(next, 500))
      there.push(...headers.map(({ baseOffset }) => baseOffset))
      next = headers.at(-1)!.lastOffset + 1
    }
    const wanted = this.batches.filter(batch => batch.baseOffset + batch.records > this.start)
    const bases = wanted.map(({ baseOffset }) => baseOffset)
    assert.deepEqual(there, bases)
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

async function live(makeHome: MakeHome, operations: readonly Operation[]): Promise<void> {
  const world = new HandWorld()
  const home = await makeHome(world)
  try {
    const trial = new Trial(world, home)
    for (const step of operations) {
      if (step.do === 'append') trial.append(step.records, step.producer, step.newEpoch)
      else if (step.do === 'lead') trial.leaderEpoch++
      else if (step.do === 'truncate') await trial.truncate(trial.at(step.part))
      else if (step.do === 'delete') await trial.deleteBefore(trial.at(step.part ** 4))
      else if (step.do === 'roll') trial.log.roll()
      else if (step.do === 'restart') await trial.restart()
      else if (step.do === 'crash') await trial.crash(step.lost)
      else await trial.check()
    }
    await trial.check()
    await world.until(trial.log.close())
    await world.until(home.volume.close())
  } finally {
    home.cleanUp()
  }
}

type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never

for (const [where, makeHome, numRuns] of [
  ['memory', inMemory, 60],
  ['files', inFiles, 8],
] as const) {
  test(`in ${where}: whatever happens to it, the log is what a plain list of batches would be`, async () => {
    const lives = fc.array(operation, { minLength: 20, maxLength: 60, size: 'max' })
    const property = fc.asyncProperty(lives, operations => live(makeHome, operations))
    await fc.assert(property, { numRuns, seed: 7, includeErrorInReport: true })
  })
}
