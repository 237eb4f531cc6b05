import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { buildBatch } from '../protocol/batches/build.ts'
import { compressionId, loadCompression } from '../protocol/compression/compression.ts'
import { ErrorCode, type ErrorName, type KafkaError } from '../protocol/errors.ts'
import { Fetch } from '../protocol/messages/fetch.ts'
import { ListOffsets } from '../protocol/messages/list-offsets.ts'
import { nodeWorld } from '../world/node.ts'
import { Cluster } from './cluster.ts'
import { Fetcher, type FetchOptions } from './fetcher.ts'
import { ScriptedBroker } from './testing.ts'

await loadCompression(compressionId('zstd'))

const stops: (() => unknown)[] = []
after(async () => {
  for (const stop of stops) await stop()
})

/** Two partitions with the offsets 5 to 14, in batches of five. Each Fetch is answered by the next verdict, then rightly. */
async function setUp(verdicts: ErrorName[], options: Partial<FetchOptions> = {}): Promise<{ fetcher: Fetcher }> {
  const broker = (await ScriptedBroker.start(nodeWorld)).withTopic('t', 2)
  const records = Array.from({ length: 5 }, () => ({ timestamp: 7, value: Buffer.from('v') }))
  const batches = [5, 10].map(baseOffset => buildBatch({ baseOffset, records, compression: 'zstd' }))
  broker.on(ListOffsets, request => ({
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, timestamp }) => ({
        partitionIndex,
        errorCode: 0,
        offset: timestamp === -2 ? 5 : timestamp === -1 ? 15 : timestamp > 7 ? -1 : 5,
      })),
    })),
  }))
  broker.on(Fetch, async request => {
    const verdict = verdicts.shift() ?? 'NONE'
    const partitions = request.topics.flatMap(topic => topic.partitions)
    const empty = partitions.every(each => each.fetchOffset === 15)
    if (empty) await new Promise(resolve => setTimeout(resolve, request.maxWaitMs))
    return {
      sessionId: 0,
      responses: [
        {
          topic: 't',
          topicId: 'BAAAAAAAAAAAAAAAAAAAAA',
          partitions: partitions.map(({ partition, fetchOffset }) => {
            const outside = fetchOffset < 5 || fetchOffset > 15
            const errorCode = outside ? ErrorCode.OFFSET_OUT_OF_RANGE : ErrorCode[verdict]
            const left = batches.filter((_, i) => fetchOffset < 10 + 5 * i)
            return { partitionIndex: partition, errorCode, highWatermark: 15, records: errorCode ? null : left }
          }),
        },
      ],
    }
  })
  const cluster = new Cluster(nodeWorld, { bootstrap: [broker.address], retryBackoffMs: 5, retryBackoffMaxMs: 5 })
  stops.push(
    () => cluster.close(),
    () => broker.stop(),
  )
  return { fetcher: new Fetcher(cluster, { maxWaitMs: 20, ...options }) }
}

/** Polls until everything is read. */
async function all(fetcher: Fetcher): Promise<number[]> {
  const offsets: number[] = []
  const done = () =>
    fetcher.assignment.every(each => paused.has(each.partition) || fetcher.position('t', each.partition) === 15)
  while (!done()) offsets.push(...(await fetcher.poll(60)).map(record => record.offset))
  return offsets
}

const paused = new Set<number>()

const fromTo = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
const at = (start: number | 'earliest' | 'latest' | { timestamp: number }) => [{ topic: 't', partition: 0, start }]

const starts = [
  [5, fromTo(5, 15)],
  [12, fromTo(12, 15)],
  ['earliest', fromTo(5, 15)],
  ['latest', []],
  [{ timestamp: 7 }, fromTo(5, 15)],
  [{ timestamp: 8 }, []],
] as const

for (const [start, expected] of starts) {
  test(`begins at ${JSON.stringify(start)}`, async () => {
    const { fetcher } = await setUp([])
    fetcher.assign(at(start))
    assert.deepEqual(await all(fetcher), expected)
    if (expected.length > 0) assert.equal(fetcher.highWatermark('t', 0), 15)
  })
}

test('goes on where the log begins, or ends, when its position is outside', async () => {
  const early = await setUp([], { autoOffsetReset: 'earliest' })
  early.fetcher.assign(at(2))
  assert.deepEqual(await all(early.fetcher), fromTo(5, 15))
  const late = await setUp([], { autoOffsetReset: 'latest' })
  late.fetcher.assign(at(99))
  assert.deepEqual(await all(late.fetcher), [])
  const never = await setUp([], { autoOffsetReset: 'none' })
  never.fetcher.assign(at(2))
  await assert.rejects(never.fetcher.poll(2000), (error: KafkaError) => error.errorName === 'OFFSET_OUT_OF_RANGE')
})

test('asks again after errors that pass', async () => {
  const { fetcher } = await setUp(['NOT_LEADER_OR_FOLLOWER', 'UNKNOWN_LEADER_EPOCH', 'KAFKA_STORAGE_ERROR'])
  fetcher.assign(at(5))
  assert.equal((await fetcher.poll(2000)).length, 10)
})

test('throws errors that do not', async () => {
  const { fetcher } = await setUp(['TOPIC_AUTHORIZATION_FAILED'])
  fetcher.assign(at(5))
  await assert.rejects(fetcher.poll(2000), (error: KafkaError) => error.errorName === 'TOPIC_AUTHORIZATION_FAILED')
})

test('gives no more at once than it may, and lets no partition wait', async () => {
  const { fetcher } = await setUp([], { maxPollRecords: 4 })
  fetcher.assign([0, 1].map(partition => ({ topic: 't', partition, start: 5 })))
  const first = await fetcher.poll(2000)
  const second = await fetcher.poll(2000)
  assert.deepEqual([first.length, second.length], [4, 4])
  assert.notEqual(first[0]!.partition, second[0]!.partition)
  assert.equal((await all(fetcher)).length, 12)
})

test('a paused partition gives nothing, one that is sought begins anew', async () => {
  const { fetcher } = await setUp([])
  fetcher.assign([0, 1].map(partition => ({ topic: 't', partition, start: 5 })))
  fetcher.pause('t', 1)
  paused.add(1)
  assert.deepEqual(await all(fetcher), fromTo(5, 15))
  fetcher.resume('t', 1)
  paused.delete(1)
  assert.deepEqual(await all(fetcher), fromTo(5, 15))
  fetcher.seek('t', 0, 13)
  assert.deepEqual(await all(fetcher), [13, 14])
  assert.throws(() => fetcher.seek('t', 7, 0), RangeError)
})

test('partitions that stay keep their position', async () => {
  const { fetcher } = await setUp([], { maxPollRecords: 3 })
  fetcher.assign(at(5))
  assert.equal((await fetcher.poll(2000)).length, 3)
  fetcher.assign([
    { topic: 't', partition: 0 },
    { topic: 't', partition: 1, start: 'latest' },
  ])
  assert.deepEqual(await all(fetcher), fromTo(8, 15))
})

test('returns empty-handed in time', async () => {
  const { fetcher } = await setUp([], { maxWaitMs: 500 })
  fetcher.assign(at('latest'))
  await all(fetcher)
  const begun = performance.now()
  assert.deepEqual(await fetcher.poll(50), [])
  assert.ok(performance.now() - begun < 300)
})
