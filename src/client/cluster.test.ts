import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { FindCoordinator } from '../protocol/messages/find-coordinator.ts'
import { Metadata } from '../protocol/messages/metadata.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import { nodeWorld } from '../world/node.ts'
import { Cluster } from './cluster.ts'
import { ScriptedBroker } from './testing.ts'

/** What a node believes. */
interface Belief {
  leaderId: number
  leaderEpoch: number
  topicId: string
  nodes: number[]
}

const oneTopic = 'BAAAAAAAAAAAAAAAAAAAAA'
const stops: (() => unknown)[] = []
after(async () => {
  for (const stop of stops) await stop()
})

/** Two nodes, 0 and 1, each with its own belief about who leads. The cluster hears of them through node 0. */
let brokers: ScriptedBroker[]
let beliefs: Belief[]
let cluster: Cluster

beforeEach(async () => {
  brokers = await Promise.all([0, 1].map(() => ScriptedBroker.start(nodeWorld)))
  beliefs = [0, 1].map(() => ({ leaderId: 1, leaderEpoch: 7, topicId: oneTopic, nodes: [0, 1] }))
  for (const [i, broker] of brokers.entries())
    broker.on(Metadata, () => {
      const { leaderId, leaderEpoch, topicId, nodes } = beliefs[i]!
      const partition = {
        errorCode: 0,
        partitionIndex: 0,
        leaderId,
        leaderEpoch,
        replicaNodes: [0, 1],
        isrNodes: [0, 1],
      }
      return {
        brokers: nodes.map(nodeId => ({ nodeId, ...brokers[nodeId]!.address })),
        clusterId: 'scripted',
        controllerId: 0,
        topics: [{ errorCode: 0, name: 't', topicId, partitions: [partition] }],
      }
    })
  cluster = new Cluster(nodeWorld, { bootstrap: [brokers[0]!.address], retryBackoffMs: 5, retryBackoffMaxMs: 5 })
  const [first, second] = brokers as [ScriptedBroker, ScriptedBroker]
  const mine = cluster
  stops.push(
    () => mine.close(),
    () => first.stop(),
    () => second.stop(),
  )
})

test('what an old node says after metadata were forgotten is no news', async () => {
  assert.equal(await cluster.leaderId('t', 0), 1)
  beliefs[0] = { ...beliefs[0]!, leaderId: 0, leaderEpoch: 6 }
  cluster.forget(['t'])
  assert.equal(await cluster.leaderId('t', 0), 1)
  assert.equal(cluster.leaderEpoch('t', 0), 7)
})

test('a leader that an old node does not list is reached all the same', async () => {
  assert.equal(await cluster.leaderId('t', 0), 1)
  beliefs[0] = { leaderId: 0, leaderEpoch: 6, topicId: oneTopic, nodes: [0] }
  cluster.forget(['t'])
  assert.equal(await cluster.leaderId('t', 0), 1)
  assert.equal((await cluster.broker(1)).closed, false)
})

test('whoever was led astray asks somebody else', async () => {
  beliefs[0] = { ...beliefs[0]!, leaderId: 0, leaderEpoch: 6 }
  assert.equal(await cluster.leaderId('t', 0), 0)
  await cluster.broker(1)
  cluster.forget(['t'])
  assert.equal(await cluster.leaderId('t', 0), 1)
  assert.deepEqual(
    brokers.map(broker => broker.count('Metadata')),
    [1, 1],
  )
})

test('a topic that was made anew is believed, whatever its epoch', async () => {
  assert.equal(await cluster.leaderId('t', 0), 1)
  beliefs[0] = { leaderId: 0, leaderEpoch: 0, topicId: 'BAAAAAAAAAAAAAAAAAAAAg', nodes: [0, 1] }
  cluster.forget(['t'])
  assert.equal(await cluster.leaderId('t', 0), 0)
})

test('so is one of brokers without topic ids, once the former one was forgotten', async () => {
  beliefs[0]!.topicId = ZERO_UUID
  assert.equal(await cluster.leaderId('t', 0), 1)
  beliefs[0] = { ...beliefs[0]!, leaderId: 0, leaderEpoch: 0 }
  cluster.forget(['t'])
  assert.equal(await cluster.leaderId('t', 0), 0)
})

test('epochs of brokers that may tell old ones are not believed', async () => {
  brokers[0]!.on(
    Metadata,
    () => ({
      brokers: [{ nodeId: 0, ...brokers[0]!.address }],
      controllerId: 0,
      topics: [
        {
          errorCode: 0,
          name: 't',
          partitions: [
            { errorCode: 0, partitionIndex: 0, leaderId: 0, leaderEpoch: 5, replicaNodes: [], isrNodes: [] },
          ],
        },
      ],
    }),
    { max: 8 },
  )
  assert.equal(await cluster.leaderId('t', 0), 0)
  assert.equal(cluster.leaderEpoch('t', 0), -1)
})

test('of coordinators only so many are remembered, the last', async () => {
  const broker = brokers[0]!
  let asked: string[] = []
  broker.on(FindCoordinator, ({ coordinatorKeys }) => {
    asked.push(...coordinatorKeys)
    return {
      coordinators: coordinatorKeys.map(key => ({
        key,
        nodeId: 0,
        ...broker.address,
        errorCode: 0,
        errorMessage: null,
      })),
    }
  })
  for (let i = 0; i <= 1_000; i++) await cluster.coordinator('group', `g${i}`)
  assert.equal(asked.length, 1_001)
  asked = []
  for (const i of [1_000, 1, 0]) await cluster.coordinator('group', `g${i}`)
  assert.deepEqual(asked, ['g0'])
})
