import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Log } from '../log/log.ts'
import { defaultLogConfig } from '../log/log-config.ts'
import { NotLeader, type OrderedLogListener } from '../machine/machine.ts'
import { type LedPartition, PartitionLog } from '../machine/partition-log.ts'
import { dice } from '../machine/testing.ts'
import { buildBatch } from '../protocol/batches/build.ts'
import { KafkaError } from '../protocol/errors.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import { Partition } from '../replication/partition.ts'
import { MemoryVolume } from '../store/memory.ts'
import { type Logger, silent } from '../world/logger.ts'
import { nodeWorld } from '../world/node.ts'
import { groupCodec } from './codec.ts'
import type { CommittedOffset, GroupRecord, OffsetCommitRecord } from './facts.ts'
import { decodeRecord, encodeRecord } from './records.ts'

const world = { ...nodeWorld, random: dice(1) }
const place = { topic: '__consumer_offsets', partition: 3 }
const topicId = 'AAECAwQFBgcICQoLDA0ODw'

/** A real partition, log and store in memory. */
function newPartition(): Partition {
  const store = new MemoryVolume(world.timers).open(place, topicId, { segmentBytes: 1e6 } as never)
  const config = { ...defaultLogConfig, compact: true, delete: false }
  const log = Log.open(store, place, topicId, config, world, silent, { clean: true })
  return new Partition(place.topic, topicId, 3, log, 1, {
    leader: 1,
    leaderEpoch: 4,
    partitionEpoch: 0,
    replicas: [1],
    isr: [1],
  })
}

interface Heard {
  readonly events: string[]
  readonly state: Map<string, number>
}

function follower(log: PartitionLog<GroupRecord>): Heard & OrderedLogListener<GroupRecord> {
  const events: string[] = []
  const state = new Map<string, number>()
  const listener = {
    events,
    state,
    load: (_: Iterable<GroupRecord>, upTo: number) => void events.push(`load ${upTo}`),
    commit: (records: readonly GroupRecord[], upTo: number) => {
      events.push(`commit ${records.length} up to ${upTo}`)
      for (const record of records) {
        if (record.kind !== 'OffsetCommit') continue
        if (record.value === null) state.delete(record.topic)
        else state.set(record.topic, record.value.offset)
      }
    },
    lead: (epoch: number | null) => void events.push(`lead ${epoch}`),
  }
  log.follow(listener)
  return listener
}

const value = (offset: number): CommittedOffset => ({
  offset,
  leaderEpoch: -1,
  metadata: '',
  commitTimestamp: 5,
  expireTimestamp: -1,
  topicId: ZERO_UUID,
})
const commit = (topic: string, offset: number | null): OffsetCommitRecord => ({
  kind: 'OffsetCommit',
  groupId: 'g',
  topic,
  partition: 0,
  value: offset === null ? null : value(offset),
  producerId: -1,
})

const open = (partition: LedPartition, logger: Logger = silent): PartitionLog<GroupRecord> =>
  new PartitionLog({ partition, codec: groupCodec, name: 'test', clock: world.clock, timers: world.timers, logger })

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise<void>(resolve => world.timers.soon(resolve))
}

test('leads, appends, commits, and a next term reads the same', async () => {
  const partition = newPartition()
  const first = open(partition)
  const heard = follower(first)
  await first.start(4)
  assert.equal(first.append(4, [commit('a', 1), commit('b', 2)], 100), 2)
  assert.equal(first.append(4, [commit('a', 3)], 101), 3)
  await settle()
  assert.deepEqual(heard.events, ['load 0', 'lead 4', 'commit 2 up to 2', 'commit 1 up to 3'])
  first.stop()
  assert.throws(() => first.append(4, [commit('a', 4)], 102), NotLeader)

  const second = open(partition)
  const again = follower(second)
  await second.start(4)
  assert.deepEqual(again.events, ['load 0', 'commit 2 up to 2', 'commit 1 up to 3', 'lead 4'])
  assert.deepEqual([...again.state], [...heard.state])
})

test('many records leave as one write of several batches', async () => {
  const partition = newPartition()
  const log = open(partition)
  const heard = follower(log)
  await log.start(4)
  const records = Array.from({ length: 5000 }, (_, i) => commit(`topic-with-a-rather-long-name-${i}`, i))
  assert.equal(log.append(4, records, 100), 5000)
  await settle()
  assert.deepEqual(heard.events.slice(2), ['commit 5000 up to 5000'])
  const chunks = await partition.read(0, 1)
  assert.ok(chunks[0]!.length < 300_000, 'the first batch is no larger than it should be')
})

test('an epoch that is over appends nothing', async () => {
  const partition = newPartition()
  const log = open(partition)
  const heard = follower(log)
  assert.throws(() => log.append(4, [commit('a', 1)], 0), NotLeader)
  await log.start(4)
  assert.throws(() => log.append(3, [commit('a', 1)], 0), NotLeader)
  partition.setRole({ leader: 2, leaderEpoch: 5, partitionEpoch: 1, replicas: [1], isr: [1] })
  assert.throws(() => log.append(4, [commit('a', 1)], 0), NotLeader)
  await settle()
  assert.deepEqual(heard.events, ['load 0', 'lead 4', 'lead null'])
  assert.equal(partition.log.logEndOffset, 0)
})

test('what the log refuses for another reason is told as it is', async () => {
  const partition = newPartition()
  const log = open(partition)
  follower(log)
  await log.start(4)
  const large: GroupRecord = { kind: 'Other', key: Buffer.alloc(4), value: Buffer.alloc(2_000_000) }
  assert.throws(
    () => log.append(4, [large], 0),
    (error: unknown) => error instanceof KafkaError && error.errorName === 'MESSAGE_TOO_LARGE',
  )
  assert.equal(log.append(4, [commit('a', 1)], 0), 1)
})

test('a snapshot takes the place of what came before it, also while others append', async () => {
  const partition = newPartition()
  const log = open(partition)
  const heard = follower(log)
  await log.start(4)
  const state = new Map<string, number>()
  const write = (topic: string, offset: number | null): void => {
    log.append(4, [commit(topic, offset)], 0)
    if (offset === null) state.delete(topic)
    else state.set(topic, offset)
  }
  const topics = 8000
  for (let i = 0; i < topics; i++) write(`t${i}`, i)
  const end = log.end
  log.compact(end, live(state))
  assert.equal(log.compacting, true)
  // The snapshot is written in parts; between them everything goes on.
  for (let i = 0; i < 40; i++) {
    write(`t${i * 100}`, 1_000_000 + i)
    write(`t${i * 150 + 1}`, null)
    write(`new${i}`, i)
    await settle()
  }
  await settle()
  assert.equal(log.compacting, false)
  assert.equal(partition.log.logStartOffset, end)
  assert.deepEqual(sorted(heard.state), sorted(state))

  const second = open(partition)
  const again = follower(second)
  await second.start(4)
  assert.deepEqual(sorted(again.state), sorted(state))
})

function* live(state: ReadonlyMap<string, number>): Iterable<GroupRecord> {
  for (const [topic, offset] of state) yield commit(topic, offset)
}

const sorted = (state: ReadonlyMap<string, number>): [string, number][] => [...state].sort()

test('transactions and their markers are read, and an open one keeps the head', async () => {
  const partition = newPartition()
  const write = (record: OffsetCommitRecord, producerId: number): void => {
    const { key, value } = encodeRecord(record)
    const records = [{ timestamp: 7, key, value }]
    const batch = buildBatch({ records, transactional: true, producerId, producerEpoch: 0, baseSequence: 0 })
    partition.append(batch, -1, 7, 'coordinator')
  }
  const marker = (producerId: number, type: number): void => {
    const records = [{ timestamp: 8, key: Buffer.from([0, 0, 0, type]), value: Buffer.alloc(6) }]
    const batch = buildBatch({ records, transactional: true, control: true, producerId, producerEpoch: 0 })
    partition.append(batch, -1, 8, 'coordinator')
  }
  write(commit('a', 1), 100)
  write(commit('b', 2), 101)
  write(commit('c', 3), 102)
  marker(101, 1)
  marker(100, 0)
  const log = open(partition)
  const records: GroupRecord[] = []
  log.follow({ load: () => {}, commit: some => void records.push(...some), lead: () => {} })
  await log.start(4)
  assert.deepEqual(records, [
    { ...commit('a', 1), producerId: 100 },
    { ...commit('b', 2), producerId: 101 },
    { ...commit('c', 3), producerId: 102 },
    { kind: 'EndTransaction', producerId: 101, committed: true },
    { kind: 'EndTransaction', producerId: 100, committed: false },
  ])
  log.compact(log.end, [commit('b', 2)])
  await settle()
  assert.equal(partition.log.logStartOffset, 2, 'the offset that still may come to count stays in the log')
})

test('records of other kinds are handed on, and said once', async () => {
  const partition = newPartition()
  const said: string[] = []
  const other = { timestamp: 0, key: Buffer.from('000300016700', 'hex'), value: Buffer.from('0000', 'hex') }
  const records = [other, { ...other, key: Buffer.from('000300016800', 'hex') }]
  partition.append(buildBatch({ records }), -1, 0, 'coordinator')
  const log = open(partition, { ...silent, warn: message => void said.push(message) })
  const heard: GroupRecord[] = []
  log.follow({ load: () => {}, commit: some => void heard.push(...some), lead: () => {} })
  await log.start(4)
  assert.deepEqual(
    heard,
    records.map(({ key, value }) => decodeRecord(key, value, -1)),
  )
  assert.equal(said.length, 1)
})

/** A partition that commits when told to: for what lies between an append and its commit. */
class SlowPartition implements LedPartition {
  readonly log = { logStartOffset: 0, logEndOffset: 0 }
  highWatermark = 0
  #waiting: { offset: number; done: (error: Error | null) => void }[] = []

  append(bytes: Uint8Array): { lastOffset: number } {
    this.log.logEndOffset += new DataView(bytes.buffer, bytes.byteOffset).getInt32(57)
    return { lastOffset: this.log.logEndOffset - 1 }
  }

  whenCommitted(offset: number, done: (error: Error | null) => void): void {
    if (offset <= this.highWatermark) done(null)
    else this.#waiting.push({ offset, done })
  }

  read(): Uint8Array[] {
    const records = Array.from({ length: this.log.logEndOffset }, () => ({ timestamp: 0 }))
    return [buildBatch({ records })]
  }

  async deleteRecords(): Promise<number> {
    return 0
  }

  commit(upTo: number): void {
    this.highWatermark = upTo
    const due = this.#waiting.filter(({ offset }) => offset <= upTo)
    this.#waiting = this.#waiting.filter(({ offset }) => offset > upTo)
    for (const { done } of due) done(null)
  }

  fail(error: Error): void {
    for (const { done } of this.#waiting) done(error)
  }
}

test('a commit is told when it is one, and a log that cannot commit is given up', async () => {
  const partition = new SlowPartition()
  const log = open(partition)
  const heard = follower(log)
  await log.start(4)
  log.append(4, [commit('a', 1)], 0)
  log.append(4, [commit('a', 2)], 0)
  log.append(4, [commit('a', 3)], 0)
  assert.deepEqual(heard.events, ['load 0', 'lead 4'])
  partition.commit(2)
  assert.deepEqual(heard.events.slice(2), ['commit 1 up to 1', 'commit 1 up to 2'])
  partition.fail(new KafkaError('KAFKA_STORAGE_ERROR'))
  assert.deepEqual(heard.events.slice(4), ['lead null'])
})

test('does not lead before what was there is committed', async () => {
  const partition = new SlowPartition()
  partition.log.logEndOffset = 7
  const log = open(partition)
  const heard = follower(log)
  const started = log.start(4)
  await settle()
  assert.deepEqual(heard.events, ['load 0'])
  partition.commit(7)
  await started
  assert.deepEqual(heard.events, ['load 0', 'commit 0 up to 7', 'lead 4'])
})
