import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { buildBatch } from '../protocol/batches/build.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { Fetch } from '../protocol/messages/fetch.ts'
import { ListOffsets } from '../protocol/messages/list-offsets.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import { nodeWorld } from '../world/node.ts'
import { Cluster } from './cluster.ts'
import { Fetcher, type FetchOptions } from './fetcher.ts'
import { ScriptedBroker } from './testing.ts'

const stops: (() => unknown)[] = []
after(async () => {
  for (const stop of stops) await stop()
})

const oneTopic = 'BAAAAAAAAAAAAAAAAAAAAA'
const another = 'BAAAAAAAAAAAAAAAAAAAAg'

/** What the node believes: that it leads in `leaderEpoch` (metadata say `told`), and where its log ends. */
interface Node {
  leaderEpoch: number
  told: number
  topicId: string
  end: number
}

interface SetUp {
  readonly node: Node
  readonly broker: ScriptedBroker
  readonly fetcher: Fetcher
  /** Called after each Fetch with an error, which it may end. */
  onRefusal(refused: number): void
}

/** A partition whose log begins at 0, one record to a batch, read by a consumer that begins anew at the earliest record. */
async function setUp(options: Partial<FetchOptions> = {}): Promise<SetUp> {
  const node: Node = { leaderEpoch: 7, told: 7, topicId: oneTopic, end: 3 }
  const broker = (await ScriptedBroker.start(nodeWorld)).withTopic('t', 1, () => ({
    leaderEpoch: node.told,
    topicId: node.topicId,
  }))
  let refused = 0
  broker.on(ListOffsets, () => ({
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 0, offset: 0 }] }],
  }))
  broker.on(Fetch, async request => {
    const { topicId, partitions } = request.topics[0]!
    const { fetchOffset, currentLeaderEpoch } = partitions[0]!
    const errorCode =
      topicId !== node.topicId
        ? ErrorCode.UNKNOWN_TOPIC_ID
        : currentLeaderEpoch > node.leaderEpoch
          ? ErrorCode.UNKNOWN_LEADER_EPOCH
          : currentLeaderEpoch >= 0 && currentLeaderEpoch < node.leaderEpoch
            ? ErrorCode.FENCED_LEADER_EPOCH
            : fetchOffset > node.end
              ? ErrorCode.OFFSET_OUT_OF_RANGE
              : ErrorCode.NONE
    const isMoved = errorCode === ErrorCode.FENCED_LEADER_EPOCH
    const currentLeader = isMoved ? { leaderId: 0, leaderEpoch: node.leaderEpoch } : undefined
    const records = Array.from({ length: Math.max(0, node.end - fetchOffset) }, (_, i) =>
      buildBatch({
        baseOffset: fetchOffset + i,
        leaderEpoch: node.leaderEpoch,
        records: [{ timestamp: 1, value: null }],
      }),
    )
    if (errorCode !== 0) at.onRefusal(++refused)
    else if (records.length === 0) await new Promise(resolve => setTimeout(resolve, request.maxWaitMs))
    const answer = { partitionIndex: 0, errorCode, highWatermark: node.end, records: errorCode === 0 ? records : null }
    return { responses: [{ topicId, partitions: [{ ...answer, ...(currentLeader && { currentLeader }) }] }] }
  })
  const patience = { retryBackoffMs: 5, retryBackoffMaxMs: 5 }
  const cluster = new Cluster(nodeWorld, { bootstrap: [broker.address], ...patience })
  stops.push(
    () => cluster.close(),
    () => broker.stop(),
  )
  const fetcher = new Fetcher(cluster, { maxWaitMs: 10, autoOffsetReset: 'earliest', ...options })
  const at: SetUp = { node, broker, fetcher, onRefusal() {} }
  return at
}

/** Offsets of the next records, `count` of them, or those that came within some seconds. */
async function read(fetcher: Fetcher, count: number): Promise<number[]> {
  const offsets: number[] = []
  const deadline = performance.now() + 5_000
  while (offsets.length < count && performance.now() < deadline)
    offsets.push(...(await fetcher.poll(2_000)).map(record => record.offset))
  return offsets
}

test('records tell the epoch of the leader that wrote them', async () => {
  const { fetcher } = await setUp()
  fetcher.assign([{ topic: 't', partition: 0, start: 0 }])
  assert.deepEqual(
    (await fetcher.poll(2_000)).map(record => record.leaderEpoch),
    [7, 7, 7],
  )
})

const stale = { leaderEpoch: 6, told: 6, end: 1 }

test('a node that has not heard of its successor, whose log ends before our position, does not make us begin anew', async () => {
  const at = await setUp()
  at.fetcher.assign([{ topic: 't', partition: 0, start: 0 }])
  assert.deepEqual(await read(at.fetcher, 3), [0, 1, 2])
  Object.assign(at.node, stale)
  at.onRefusal = refused => {
    if (refused === 3) Object.assign(at.node, { leaderEpoch: 7, end: 5 })
  }
  assert.deepEqual(await read(at.fetcher, 2), [3, 4])
})

test('nor when the position is one that somebody committed', async () => {
  const at = await setUp()
  Object.assign(at.node, stale)
  at.onRefusal = refused => {
    if (refused === 3) Object.assign(at.node, { leaderEpoch: 7, told: 7, end: 5 })
  }
  at.fetcher.assign([{ topic: 't', partition: 0, start: 3, leaderEpoch: 7 }])
  assert.deepEqual(await read(at.fetcher, 2), [3, 4])
})

test('epochs of a topic that was made anew begin anew', async () => {
  const at = await setUp()
  at.fetcher.assign([{ topic: 't', partition: 0, start: 0 }])
  assert.deepEqual(await read(at.fetcher, 3), [0, 1, 2])
  Object.assign(at.node, { leaderEpoch: 0, told: 0, topicId: another, end: 2 })
  assert.deepEqual(await read(at.fetcher, 2), [0, 1])
})

test('where topics have no ids, they do after a good while', async () => {
  const at = await setUp({ unheardEpochMs: 50 })
  at.node.topicId = ZERO_UUID
  at.fetcher.assign([{ topic: 't', partition: 0, start: 0 }])
  assert.deepEqual(await read(at.fetcher, 3), [0, 1, 2])
  Object.assign(at.node, { leaderEpoch: 0, told: 0, end: 2 })
  assert.deepEqual(await read(at.fetcher, 2), [0, 1])
})

test('an epoch that nobody has heard of for a good while is given up', async () => {
  const { fetcher } = await setUp({ unheardEpochMs: 50 })
  fetcher.assign([{ topic: 't', partition: 0, start: 1, leaderEpoch: 9 }])
  assert.deepEqual(await read(fetcher, 2), [1, 2])
})

test('who is told a newer epoch goes on at once, without asking for metadata', async () => {
  const at = await setUp()
  at.fetcher.assign([{ topic: 't', partition: 0, start: 0 }])
  assert.deepEqual(await read(at.fetcher, 3), [0, 1, 2])
  const asked = at.broker.count('Metadata')
  Object.assign(at.node, { leaderEpoch: 8, end: 4 })
  assert.deepEqual(await read(at.fetcher, 1), [3])
  assert.equal(at.broker.count('Metadata'), asked)
})
