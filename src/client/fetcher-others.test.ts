import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { buildBatch } from '../protocol/batches/build.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { Fetch } from '../protocol/messages/fetch.ts'
import { ListOffsets } from '../protocol/messages/list-offsets.ts'
import { Metadata } from '../protocol/messages/metadata.ts'
import { nodeWorld } from '../world/node.ts'
import { Cluster } from './cluster.ts'
import { Fetcher } from './fetcher.ts'
import { type FoundOffset, findOffsets } from './offsets.ts'
import { ScriptedBroker } from './testing.ts'

const stops: (() => unknown)[] = []
after(async () => {
  for (const stop of stops) await stop()
})

const id = (topic: string) => `BAAAAAAAAAAAAAAAAAAA${topic.padEnd(2, 'A')}`

interface Script {
  /** The broker that leads; −1: none. */
  leader(topic: string, partition: number): number
  /** Whether the broker that leads 1 says anything. */
  secondAnswers: boolean
}

/** Topic `t` with two partitions of one record each, led by two brokers; topic `gone` is told of by nobody. */
async function setUp(script: Partial<Script>): Promise<{ cluster: Cluster; fetcher: Fetcher; script: Script }> {
  const whole: Script = { leader: (_topic, partition) => partition, secondAnswers: true, ...script }
  const brokers = [await ScriptedBroker.start(nodeWorld), await ScriptedBroker.start(nodeWorld)]
  const nodes = brokers.map(({ address }, nodeId) => ({ nodeId, ...address }))
  for (const [nodeId, broker] of brokers.entries()) {
    broker.on(Metadata, ({ topics }) => ({
      brokers: nodes,
      controllerId: 0,
      topics: (topics ?? []).map(({ name }) =>
        name !== 't'
          ? { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, name, partitions: [] }
          : {
              errorCode: 0,
              name,
              topicId: id('t'),
              partitions: [0, 1].map(partitionIndex => {
                const leaderId = whole.leader('t', partitionIndex)
                return { errorCode: 0, partitionIndex, leaderId, leaderEpoch: 1, replicaNodes: [0], isrNodes: [0] }
              }),
            },
      ),
    }))
    broker.on(ListOffsets, request =>
      nodeId === 1 && !whole.secondAnswers
        ? 'silence'
        : {
            topics: request.topics.map(({ name, partitions }) => ({
              name,
              partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: 0, offset: 0 })),
            })),
          },
    )
    broker.on(Fetch, async request => {
      if (nodeId === 1 && !whole.secondAnswers) return 'silence'
      const partitions = request.topics.flatMap(topic => topic.partitions)
      if (partitions.every(({ fetchOffset }) => fetchOffset > 0))
        await new Promise(resolve => setTimeout(resolve, request.maxWaitMs))
      const batch = buildBatch({ records: [{ timestamp: 1, value: null }] })
      return {
        responses: [
          {
            topicId: id('t'),
            partitions: partitions.map(({ partition, fetchOffset }) => ({
              partitionIndex: partition,
              errorCode: 0,
              highWatermark: 1,
              records: fetchOffset > 0 ? null : [batch],
            })),
          },
        ],
      }
    })
  }
  const bootstrap = brokers.map(broker => broker.address)
  const patience = { retryBackoffMs: 5, retryBackoffMaxMs: 5, requestTimeoutMs: 60_000, apiTimeoutMs: 60_000 }
  const cluster = new Cluster(nodeWorld, { bootstrap, ...patience })
  stops.push(() => cluster.close(), ...brokers.map(broker => () => broker.stop()))
  return { cluster, fetcher: new Fetcher(cluster, { maxWaitMs: 10, autoOffsetReset: 'earliest' }), script: whole }
}

/** Partitions of which records came, until there are `count` of them or a second is over. */
async function read(fetcher: Fetcher, count: number): Promise<string[]> {
  const came: string[] = []
  const deadline = performance.now() + 1_000
  while (came.length < count && performance.now() < deadline)
    came.push(...(await fetcher.poll(100)).map(({ topic, partition }) => `${topic}-${partition}`))
  return came
}

const both = [0, 1].map(partition => ({ topic: 't', partition }))

test('a partition without a leader, whose start must be looked up, does not stop the others', async () => {
  const { fetcher, script } = await setUp({ leader: (_topic, partition) => (partition === 0 ? -1 : 1) })
  fetcher.assign(both)
  assert.deepEqual(await read(fetcher, 1), ['t-1'])
  script.leader = (_topic, partition) => partition
  assert.deepEqual(await read(fetcher, 1), ['t-0'])
})

test('nor does one whose leader says nothing', async () => {
  const { fetcher } = await setUp({ secondAnswers: false })
  fetcher.assign(both)
  assert.deepEqual(await read(fetcher, 1), ['t-0'])
})

test('nor one whose topic is gone', async () => {
  const { fetcher } = await setUp({})
  fetcher.assign([{ topic: 'gone', partition: 0, start: 5 }, { topic: 'gone', partition: 1 }, ...both])
  assert.deepEqual((await read(fetcher, 2)).sort(), ['t-0', 't-1'])
})

test('who waits for a broker that says nothing does not keep those waiting that may be asked again', async () => {
  const { fetcher, script } = await setUp({ secondAnswers: false })
  fetcher.assign(both.slice(1))
  assert.deepEqual(await fetcher.poll(50), [])
  script.leader = (_topic, partition) => (partition === 0 ? -1 : 1)
  fetcher.assign([{ topic: 't', partition: 0, start: 0 }, ...both.slice(1)])
  setTimeout(() => {
    script.leader = (_topic, partition) => partition
  }, 50)
  assert.deepEqual(await read(fetcher, 1), ['t-0'])
})

test('offsets are told as they come, whoever is missing', async () => {
  const { cluster, script } = await setUp({ leader: (_topic, partition) => (partition === 0 ? -1 : 1) })
  const heard: FoundOffset[] = []
  const wanted = both.map(each => ({ ...each, start: 'latest' as const }))
  const finding = findOffsets(cluster, wanted, 'read_uncommitted', found => {
    heard.push(found)
    setTimeout(() => {
      script.leader = (_topic, partition) => partition
    }, 20)
  })
  assert.deepEqual(
    (await finding).map(({ partition }) => partition),
    [0, 1],
  )
  assert.deepEqual(
    heard.map(({ partition }) => partition),
    [1, 0],
  )
})
