import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Log } from '../log/log.ts'
import { defaultLogConfig } from '../log/log-config.ts'
import { dice } from '../machine/testing.ts'
import { KafkaError } from '../protocol/errors.ts'
import { Partition } from '../replication/partition.ts'
import { MemoryVolume } from '../store/memory.ts'
import { silent } from '../world/logger.ts'
import { nodeWorld } from '../world/node.ts'
import type { SettleItem, Tail } from './commands.ts'
import { defaultShareConfig, type ShareConfig } from './config.ts'
import { ShareCoordinator, shareStateTopic } from './coordinator.ts'
import { type DeadLetterPort, type DeadRecord, deadLetterTopicOf } from './dead-letters.ts'
import type { Tails } from './tails.ts'

const world = { ...nodeWorld, random: dice(1) }
const topicId = 'AAECAwQFBgcICQoLDA0ODw'
const otherId = 'DwECAwQFBgcICQoLDA0ODw'

// What waits in here does not keep a process alive.
const alive = setInterval(() => {}, 1000)
after(() => clearInterval(alive))

/** A real partition of the internal topic, in memory. */
function statePartition(): Partition {
  const place = { topic: shareStateTopic, partition: 0 }
  const store = new MemoryVolume(world.timers).open(place, topicId, { segmentBytes: 1e6 } as never)
  const log = Log.open(store, place, topicId, { ...defaultLogConfig, compact: true, delete: false }, world, silent, {
    clean: true,
  })
  const role = { leader: 1, leaderEpoch: 4, partitionEpoch: 0, replicas: [1], isr: [1] }
  return new Partition(place.topic, topicId, 0, log, 1, role)
}

/** One topic of one partition, whose end is moved by hand. */
class FakeTails implements Tails {
  end = 0
  /** Records that nobody has told us of: `refresh` finds them. */
  grown = 0
  refreshed = 0
  readonly rings = new Set<() => void>()

  known(): readonly Tail[] {
    return [{ partition: 0, start: 0, end: this.end }]
  }

  async refresh(): Promise<void> {
    this.refreshed++
    this.end += this.grown
    this.grown = 0
  }

  watch(_: string, ring: () => void): () => void {
    this.rings.add(ring)
    return () => this.rings.delete(ring)
  }

  grow(records: number): void {
    this.end += records
    for (const ring of this.rings) ring()
  }
}

class Letters implements DeadLetterPort {
  readonly written: { to: string; from: number; record: DeadRecord }[] = []
  failures = 0
  tooLarge = false

  async read(_topic: string, _partition: number, offset: number): Promise<DeadRecord | null> {
    return offset === 7 ? null : { key: null, value: Buffer.from(`v${offset}`), headers: [] }
  }

  async write(to: string, _like: string, from: number, record: DeadRecord): Promise<void> {
    if (this.failures > 0) {
      this.failures--
      throw new KafkaError('NOT_ENOUGH_REPLICAS')
    }
    if (this.tooLarge && record.value !== null) throw new KafkaError('MESSAGE_TOO_LARGE')
    this.written.push({ to, from, record })
  }
}

interface Bench {
  /** What the cluster knows under the name `t`; undefined: it was deleted. */
  topic: { topicId: string; partitions: number } | undefined
  readonly coordinator: ShareCoordinator
  readonly partition: Partition
  readonly tails: FakeTails
  readonly letters: Letters
  lead(epoch?: number): Promise<void>
}

function bench(config: Partial<ShareConfig> = {}, maxWaiting = 100): Bench {
  const tails = new FakeTails()
  const letters = new Letters()
  const partition = statePartition()
  const coordinator = new ShareCoordinator({
    config: { ...defaultShareConfig, ...config },
    partitionCount: () => 1,
    topics: {
      byName: name => (name === 't' ? made.topic : undefined),
      exists: id => id === made.topic?.topicId,
    },
    tails,
    deadLetters: letters,
    isSuccessorRuledOut: () => true,
    clock: world.clock,
    timers: world.timers,
    random: world.random,
    logger: silent,
    maxWaiting,
  })
  const lead = (epoch = 4) => coordinator.lead(0, partition, epoch)
  const made: Bench = { topic: { topicId, partitions: 1 }, coordinator, partition, tails, letters, lead }
  return made
}

async function acquire(
  { coordinator }: Bench,
  max = 1,
  waitMs = 0,
  lockMs = 10_000,
  signal: AbortSignal | null = null,
) {
  const wants = [{ max, lockMs }]
  const { grants } = await coordinator.acquire({
    groupId: 'g',
    topic: 't',
    begin: 'earliest',
    wants,
    waitMs,
    signal,
  })
  return [...grants[0]!.records]
}

const settle = (
  { coordinator }: Bench,
  what: SettleItem['what'],
  records: readonly Pick<SettleItem, 'partition' | 'offset' | 'lease'>[],
) =>
  coordinator.settle({
    groupId: 'g',
    topic: 't',
    items: records.map(({ partition, offset, lease }) => ({ partition, offset, lease, what, ms: -1, why: '' })),
    skipped: [],
    skippedOf: null,
  })

const nameOf = (error: unknown) => (error as KafkaError).errorName
const until = async (look: () => boolean): Promise<void> => {
  for (let i = 0; !look(); i++) {
    assert.ok(i < 400, 'it does not come about')
    await new Promise(resolve => world.timers.after(5, () => resolve(null)))
  }
}

test('who leads nothing says so; a topic that is not there, too', async () => {
  const at = bench()
  await assert.rejects(acquire(at), error => nameOf(error) === 'NOT_COORDINATOR')
  await at.lead()
  await assert.rejects(
    at.coordinator.acquire({ groupId: 'g', topic: 'x', begin: 'earliest', wants: [], waitMs: 0, signal: null }),
    error => nameOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION',
  )
  at.coordinator.resign(0)
  await assert.rejects(acquire(at), error => nameOf(error) === 'NOT_COORDINATOR')
  at.coordinator.stop()
})

test('who waits is woken by new records, by a release, by the end of a lease; else after the time', async () => {
  const at = bench()
  await at.lead()
  const first = acquire(at, 1, 5000)
  await until(() => at.tails.rings.size === 1)
  at.tails.grow(1)
  const [one] = await first
  assert.equal(one!.offset, 0)
  const second = acquire(at, 1, 5000, 100)
  await settle(at, 'release', [one!])
  const [two] = await second
  assert.deepEqual([two!.offset, two!.deliveryCount], [0, 2])
  const [three] = await acquire(at, 1, 5000, 100)
  assert.deepEqual([three!.offset, three!.deliveryCount], [0, 3])
  await settle(at, 'accept', [three!])
  assert.deepEqual(await acquire(at, 1, 30), [])
  assert.equal(at.tails.rings.size, 0)
  at.coordinator.stop()
})

test('who goes away is not waited for, and a stop sends everybody away', async () => {
  const at = bench()
  await at.lead()
  const gone = new AbortController()
  const waiting = acquire(at, 1, 60_000, 1000, gone.signal)
  await until(() => at.tails.rings.size === 1)
  gone.abort()
  assert.deepEqual(await waiting, [])
  const other = acquire(at, 1, 60_000)
  await until(() => at.tails.rings.size === 1)
  at.coordinator.stop()
  await assert.rejects(other, error => nameOf(error) === 'NOT_COORDINATOR')
})

test('who waits at a coordinator that resigns hears so at once', async () => {
  const at = bench()
  await at.lead()
  const waiting = acquire(at, 1, 60_000)
  await until(() => at.tails.rings.size === 1)
  at.coordinator.resign(0)
  await assert.rejects(waiting, error => nameOf(error) === 'NOT_COORDINATOR')
  at.coordinator.stop()
})

test('so many may wait, and no more', async () => {
  const at = bench({}, 2)
  await at.lead()
  const gone = new AbortController()
  const waiting = [acquire(at, 1, 60_000, 1000, gone.signal), acquire(at, 1, 60_000, 1000, gone.signal)]
  await until(() => at.coordinator.stats().waiting === 2)
  assert.deepEqual(await acquire(at, 1, 60_000), [])
  gone.abort()
  await Promise.all(waiting)
  at.coordinator.stop()
})

test('the next leader of the log knows every lease', async () => {
  const at = bench()
  at.tails.end = 3
  await at.lead()
  const taken = await acquire(at, 2)
  await settle(at, 'accept', [taken[0]!])
  const next = { ...bench(), partition: at.partition }
  next.tails.end = 3
  at.coordinator.stop()
  await next.coordinator.lead(0, at.partition, 4)
  assert.deepEqual(
    (await acquire(next, 5)).map(({ offset }) => offset),
    [2],
  )
  assert.deepEqual((await settle(next, 'accept', taken)).results, ['NONE', 'NONE'])
  const { partitions } = await next.coordinator.describe('g')
  assert.deepEqual([partitions[0]!.startOffset, partitions[0]!.acquired], [2, 1])
  assert.deepEqual(
    (await next.coordinator.list()).map(({ groupId }) => groupId),
    ['g'],
  )
  next.coordinator.stop()
})

test('dead letters are written, again when that fails, and then their records are finished', async () => {
  const at = bench({ deliveryLimit: 1 })
  at.tails.end = 9
  await at.lead()
  at.letters.failures = 1
  const taken = await acquire(at, 9)
  await settle(at, 'reject', [taken[2]!, taken[7]!])
  await settle(at, 'release', [taken[4]!])
  await until(() => at.coordinator.stats().dying === 0)
  const { written, failures } = { written: at.letters.written, failures: at.coordinator.stats().deadLetterFailures }
  assert.equal(failures, 1)
  // Those beside the one that failed may come twice. What is not there any more leaves no letter.
  const values = new Set(written.map(({ record }) => Buffer.from(record.value!).toString()))
  assert.deepEqual([...values].sort(), ['v2', 'v4'])
  assert.ok(written.every(({ to, from }) => to === 't.dlq' && from === 0))
  const [letter] = written.filter(({ record }) => Buffer.from(record.value!).toString() === 'v4')
  assert.deepEqual(
    letter!.record.headers.map(({ key, value }) => `${key}=${Buffer.from(value!)}`),
    [
      '__dlq.errors.topic=t',
      '__dlq.errors.partition=0',
      '__dlq.errors.offset=4',
      '__dlq.errors.group=g',
      '__dlq.errors.delivery.count=1',
      '__dlq.errors.message=delivery limit reached',
    ],
  )
  at.coordinator.stop()
})

test('a dead letter that is too large with its headers goes without its value', async () => {
  const at = bench()
  at.tails.end = 1
  at.letters.tooLarge = true
  await at.lead()
  await settle(at, 'reject', await acquire(at))
  await until(() => at.letters.written.length === 1)
  assert.equal(at.letters.written[0]!.record.value, null)
  at.coordinator.stop()
})

test('a new leader buries what its predecessor left dying', async () => {
  const at = bench()
  at.tails.end = 1
  at.letters.failures = 1_000_000
  await at.lead()
  await settle(at, 'reject', await acquire(at))
  at.coordinator.stop()
  const next = bench()
  next.tails.end = 1
  await next.coordinator.lead(0, at.partition, 4)
  await until(() => next.letters.written.length === 1)
  await until(() => next.coordinator.stats().dying === 0)
  next.coordinator.stop()
})

test('deleted topics take their groups with them', async () => {
  const at = bench()
  at.tails.end = 1
  await at.lead()
  await acquire(at)
  assert.equal(at.coordinator.stats().groups, 1)
  at.topic = undefined
  await at.coordinator.topicsDeleted(['t'])
  assert.equal(at.coordinator.stats().groups, 0)
  at.coordinator.stop()
})

test('topics that were deleted while nobody led are forgotten by the next leader', async () => {
  const at = bench()
  at.tails.end = 1
  await at.lead()
  await acquire(at)
  at.coordinator.stop()
  const next = bench()
  next.topic = { topicId: otherId, partitions: 1 }
  await next.coordinator.lead(0, at.partition, 4)
  await until(() => next.coordinator.stats().groups === 0)
  next.coordinator.stop()
})

test('who waits while the topic is made anew gets records of the new one', async () => {
  const at = bench()
  at.tails.end = 5
  await at.lead()
  await settle(at, 'accept', await acquire(at, 5))
  const waiting = acquire(at, 5, 5000)
  await until(() => at.tails.rings.size === 1)
  at.topic = { topicId: otherId, partitions: 1 }
  await at.coordinator.topicsDeleted(['t'])
  at.tails.end = 0
  at.tails.grow(2)
  const taken = await waiting
  assert.deepEqual(
    taken.map(({ offset, deliveryCount }) => [offset, deliveryCount]),
    [
      [0, 1],
      [1, 1],
    ],
  )
  assert.deepEqual((await settle(at, 'accept', taken)).results, ['NONE', 'NONE'])
  assert.deepEqual(await acquire(at, 5), [])
  at.coordinator.stop()
})

test('who waits for a topic that is deleted hears so', async () => {
  const at = bench()
  await at.lead()
  const waiting = acquire(at, 1, 60_000)
  await until(() => at.tails.rings.size === 1)
  at.topic = undefined
  await at.coordinator.topicsDeleted(['t'])
  await assert.rejects(waiting, error => nameOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION')
  at.coordinator.stop()
})

test('who waits because too much is in flight is woken when some of it is done', async () => {
  const at = bench({ maxInFlight: 2 })
  at.tails.end = 10
  await at.lead()
  const taken = await acquire(at, 5)
  assert.equal(taken.length, 2)
  const began = world.clock.mono()
  const waiting = acquire(at, 1, 2000)
  await until(() => at.tails.rings.size === 1)
  await settle(at, 'accept', [taken[0]!])
  assert.deepEqual(
    (await waiting).map(({ offset }) => offset),
    [2],
  )
  assert.ok(world.clock.mono() - began < 1500, 'not only when its time was over')
  at.coordinator.stop()
})

test('a group that begins behind the last record asks where that is', async () => {
  const at = bench()
  at.tails.end = 3
  // What is known without asking is old.
  at.tails.grown = 4
  await at.lead()
  const latest = async () => {
    const wants = [{ max: 10, lockMs: 1000 }]
    const asked = { groupId: 'g', topic: 't', begin: 'latest', wants, waitMs: 0, signal: null } as const
    const { grants } = await at.coordinator.acquire(asked)
    return grants[0]!.records.map(({ offset }) => offset)
  }
  assert.deepEqual(await latest(), [])
  at.tails.grow(1)
  assert.deepEqual(await latest(), [7])
  at.coordinator.stop()
})

test('what is said again because the answer was lost is no error as long as it is so', async () => {
  const at = bench()
  at.tails.end = 3
  await at.lead()
  const taken = await acquire(at, 3)
  for (const what of ['release', 'reject', 'accept'] as const) {
    const record = taken[['release', 'reject', 'accept'].indexOf(what)]!
    assert.deepEqual((await settle(at, what, [record])).results, ['NONE'], what)
    assert.deepEqual((await settle(at, what, [record])).results, ['NONE'], `${what} again`)
  }
  const [again] = await acquire(at, 1)
  assert.equal(again!.offset, 0)
  assert.deepEqual((await settle(at, 'release', [taken[0]!])).results, ['INVALID_RECORD_STATE'])
  assert.deepEqual((await settle(at, 'accept', [again!])).results, ['NONE'])
  at.coordinator.stop()
})

test('a long log is written down anew, and says the same', async () => {
  const at = bench({ compactFrom: 100 })
  at.tails.end = 1_000_000
  await at.lead()
  const [kept] = await acquire(at)
  // Two facts a round.
  while (at.partition.log.logEndOffset < 250) await settle(at, 'accept', await acquire(at))
  await until(() => at.partition.log.logStartOffset > 150)
  const { partitions: before } = await at.coordinator.describe('g')
  at.coordinator.stop()
  const next = bench()
  next.tails.end = 1_000_000
  await next.coordinator.lead(0, at.partition, 4)
  const { partitions } = await next.coordinator.describe('g')
  assert.deepEqual(
    partitions.map(each => ({ ...each, oldestLeaseEnds: 0 })),
    before.map(each => ({ ...each, oldestLeaseEnds: 0 })),
  )
  assert.deepEqual((await settle(next, 'accept', [kept!])).results, ['NONE'])
  next.coordinator.stop()
})

test('the name of a dead-letter topic is never too long', () => {
  assert.equal(deadLetterTopicOf('<topic>.dlq', 'orders'), 'orders.dlq')
  assert.equal(deadLetterTopicOf('all.dead', 'orders'), 'all.dead')
  assert.equal(deadLetterTopicOf('<topic>.dlq', 'x'.repeat(249)), `${'x'.repeat(245)}.dlq`)
  assert.equal(deadLetterTopicOf('<topic>-<topic>', 'x'.repeat(249)).length, 249)
})
