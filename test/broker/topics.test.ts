import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorName } from '../../src/protocol/errors.ts'
import { DeleteRecords } from '../../src/protocol/messages/delete-records.ts'
import { DescribeTopicPartitions } from '../../src/protocol/messages/describe-topic-partitions.ts'
import { ListOffsets } from '../../src/protocol/messages/list-offsets.ts'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import { OffsetForLeaderEpoch } from '../../src/protocol/messages/offset-for-leader-epoch.ts'
import { batch, fetch, open, produce, start, topic } from './kit.ts'

const broker = await start({ config: { 'num.partitions': 3 } })
const wire = await open(broker)
const unknownId = 'AAAAAAAAAAAAAAAAAAAAAQ'

async function metadata(names: readonly string[], allowAutoTopicCreation: boolean, asking = wire, version = 12) {
  const topics = names.map(name => ({ name }))
  const answer = await asking.ask(Metadata, version, { topics, allowAutoTopicCreation })
  return answer.topics.map(({ errorCode, partitions }) => [errorName(errorCode), partitions.length])
}

test('Metadata makes the topics that it is asked for, when client and broker allow it', async () => {
  assert.deepEqual(await metadata(['auto'], false), [['UNKNOWN_TOPIC_OR_PARTITION', 0]])
  assert.deepEqual(await metadata(['auto', 'auto'], true), [
    ['NONE', 3],
    ['NONE', 3],
  ])
  assert.deepEqual(await metadata(['auto'], false), [['NONE', 3]])
  // Version 3 and older cannot say no.
  const { topics } = await wire.ask(Metadata, 3, { topics: [{ name: 'old' }] })
  assert.equal(topics[0]!.partitions.length, 3)
})

test('what cannot be a topic is not made', async () => {
  const names = ['', '.', '..', 'a/b', '../../etc', 'nul\0', 'umläut', 'x'.repeat(250), 'a b']
  for (const name of names)
    assert.deepEqual(await metadata([name], true), [['INVALID_TOPIC_EXCEPTION', 0]], JSON.stringify(name))
  assert.deepEqual(await metadata(['x'.repeat(249)], true), [['NONE', 3]])
})

test('auto.create.topics.enable=false', async () => {
  const strict = await start({ config: { 'auto.create.topics.enable': false } })
  const asking = await open(strict)
  assert.deepEqual(await metadata(['auto'], true, asking), [['UNKNOWN_TOPIC_OR_PARTITION', 0]])
})

test('Metadata by id, of an unknown id, and of neither', async () => {
  const { name, topicId } = await topic(wire)
  const ask = async (version: number, topics: { name: string | null; topicId?: string }[]) =>
    (await wire.ask(Metadata, version, { topics })).topics.map(found => [
      errorName(found.errorCode),
      found.name,
      found.topicId,
    ])
  const wanted = [
    { topicId, name: null },
    { topicId: unknownId, name: null },
  ]
  for (const version of [12, 13]) {
    assert.deepEqual(await ask(version, wanted), [
      ['NONE', name, topicId],
      ['UNKNOWN_TOPIC_ID', null, unknownId],
    ])
    assert.equal((await ask(version, [{ name: null }]))[0]![0], 'INVALID_TOPIC_EXCEPTION')
  }
  // These have a place for ids, but no way to answer them.
  for (const version of [10, 11]) {
    assert.deepEqual(await ask(version, wanted), [
      ['INVALID_REQUEST', '', topicId],
      ['INVALID_REQUEST', '', unknownId],
    ])
    assert.equal((await ask(version, [{ name: null }]))[0]![0], 'INVALID_REQUEST')
    assert.equal((await ask(version, [{ name }]))[0]![0], 'NONE')
  }
})

test('DescribeTopicPartitions goes page by page, from its cursor on', async () => {
  const names = ['page-a', 'page-b', 'page-c']
  for (const [i, name] of names.entries()) await topic(wire, { name, partitions: i + 2 })
  const seen: string[] = []
  let pages = 0
  let cursor: { topicName: string; partitionIndex: number } | null = null
  do {
    const answer: Awaited<ReturnType<typeof page>> = await page(cursor)
    for (const { name, partitions } of answer.topics)
      for (const { partitionIndex } of partitions) seen.push(`${name} ${partitionIndex}`)
    cursor = answer.nextCursor
    pages++
  } while (cursor !== null)
  const all = names.flatMap((name, i) => Array.from({ length: i + 2 }, (_, partition) => `${name} ${partition}`))
  assert.deepEqual(seen, all)
  assert.equal(pages, 5)

  function page(cursor: { topicName: string; partitionIndex: number } | null) {
    const topics = ['page-b', 'page-a', 'page-c', 'page-a'].map(name => ({ name }))
    return wire.ask(DescribeTopicPartitions, 0, { topics, responsePartitionLimit: 2, cursor })
  }
})

test('DescribeTopicPartitions says what is missing, and takes odd cursors and limits', async () => {
  const ask = (names: string[], more: object = {}) =>
    wire.ask(DescribeTopicPartitions, 0, { topics: names.map(name => ({ name })), ...more })
  const { topics } = await ask(['there-is-none', 'a/b'])
  assert.deepEqual(
    topics.map(({ errorCode }) => errorName(errorCode)),
    ['INVALID_TOPIC_EXCEPTION', 'UNKNOWN_TOPIC_OR_PARTITION'],
  )
  for (const responsePartitionLimit of [0, -1, 0x7fffffff]) await ask([], { responsePartitionLimit })
  for (const partitionIndex of [-1, 99, 0x7fffffff])
    await ask(['auto'], { cursor: { topicName: 'auto', partitionIndex } })
})

test('DeleteRecords moves the start of the log', async () => {
  const { name } = await topic(wire)
  for (const value of ['a', 'b', 'c', 'd']) await produce(wire, name, batch([value]))
  const remove = async (offset: number, partitionIndex = 0, topicName = name) => {
    const topics = [{ name: topicName, partitions: [{ partitionIndex, offset }] }]
    const answer = await wire.ask(DeleteRecords, 2, { topics, timeoutMs: 1000 })
    const { errorCode, lowWatermark } = answer.topics[0]!.partitions[0]!
    return [errorName(errorCode), lowWatermark]
  }
  assert.deepEqual(await remove(2), ['NONE', 2])
  assert.equal((await fetch(wire, [{ topic: name }])).partitions[0]!.error, 'OFFSET_OUT_OF_RANGE')
  const { partitions } = await fetch(wire, [{ topic: name, offset: 2 }])
  assert.deepEqual([partitions[0]!.values, partitions[0]!.logStartOffset], [['c', 'd'], 2])
  assert.deepEqual(await remove(1), ['NONE', 2])
  assert.deepEqual(await remove(9), ['OFFSET_OUT_OF_RANGE', -1])
  assert.deepEqual(await remove(-2), ['OFFSET_OUT_OF_RANGE', -1])
  assert.deepEqual(await remove(-1), ['NONE', 4])
  assert.deepEqual(await remove(0, 7), ['UNKNOWN_TOPIC_OR_PARTITION', -1])
  assert.deepEqual(await remove(0, 0, '../x'), ['UNKNOWN_TOPIC_OR_PARTITION', -1])
  const compacted = await topic(wire, { config: { 'cleanup.policy': 'compact' } })
  assert.deepEqual(await remove(0, 0, compacted.name), ['POLICY_VIOLATION', -1])
})

async function listOffset(name: string, timestamp: number, version: number) {
  const topics = [{ name, partitions: [{ partitionIndex: 0, timestamp }] }]
  const answer = await wire.ask(ListOffsets, version, { replicaId: -1, topics })
  const { errorCode, offset, timestamp: found, leaderEpoch, oldStyleOffsets } = answer.topics[0]!.partitions[0]!
  return { error: errorName(errorCode), offset, timestamp: found, leaderEpoch, oldStyleOffsets }
}

test('ListOffsets: every special timestamp, in the versions that know it', async () => {
  const { name } = await topic(wire)
  for (const timestamp of [100, 300, 200])
    await produce(wire, name, batch([], { records: [{ timestamp, value: Buffer.from('v') }] }))
  const offset = async (timestamp: number, version = 11) => {
    const { error, ...found } = await listOffset(name, timestamp, version)
    return error === 'NONE' ? [found.offset, found.timestamp] : error
  }
  assert.deepEqual(await offset(-1), [3, -1])
  assert.deepEqual(await offset(-2), [0, -1])
  assert.deepEqual(await offset(-3), [1, 300])
  assert.deepEqual(await offset(-4), [0, -1])
  assert.deepEqual(await offset(-5), [-1, -1])
  assert.deepEqual(await offset(-6), [-1, -1])
  for (const [timestamp, version] of [
    [-3, 6],
    [-4, 7],
    [-5, 8],
    [-6, 10],
    [-7, 11],
  ] as const)
    assert.equal(await offset(timestamp, version), 'UNSUPPORTED_VERSION')
  assert.deepEqual(await offset(0), [0, 100])
  assert.deepEqual(await offset(101), [1, 300])
  assert.deepEqual(await offset(301), [-1, -1])
  // Nothing there: nothing found.
  const empty = await topic(wire)
  assert.equal((await listOffset(empty.name, -3, 7)).offset, -1)
  assert.equal((await listOffset(empty.name, 5, 7)).offset, -1)
  assert.equal((await listOffset('there-is-none', -1, 7)).error, 'UNKNOWN_TOPIC_OR_PARTITION')
})

test('ListOffsets of old: a list in version 0, no leader epoch before version 4', async () => {
  const { name } = await topic(wire)
  await produce(wire, name, batch(['a', 'b']))
  assert.deepEqual((await listOffset(name, -1, 0)).oldStyleOffsets, [2])
  assert.deepEqual((await listOffset(name, -2, 0)).oldStyleOffsets, [0])
  assert.equal((await listOffset(name, -1, 1)).offset, 2)
  assert.equal((await listOffset(name, -1, 3)).leaderEpoch, -1)
  assert.equal((await listOffset(name, -1, 4)).leaderEpoch, 0)
})

test('leader epochs: of the past, of the future, and where one ended', async () => {
  const { name } = await topic(wire)
  await produce(wire, name, batch(['a']))
  const end = async (leaderEpoch: number, currentLeaderEpoch: number) => {
    const topics = [{ topic: name, partitions: [{ partition: 0, leaderEpoch, currentLeaderEpoch }] }]
    const answer = await wire.ask(OffsetForLeaderEpoch, 4, { replicaId: -1, topics })
    const { errorCode, endOffset } = answer.topics[0]!.partitions[0]!
    return [errorName(errorCode), endOffset]
  }
  assert.deepEqual(await end(0, -1), ['NONE', 1])
  assert.deepEqual(await end(0, 0), ['NONE', 1])
  assert.deepEqual(await end(5, -1), ['NONE', -1])
  assert.deepEqual(await end(0, 5), ['UNKNOWN_LEADER_EPOCH', -1])
})
