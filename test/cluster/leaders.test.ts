// What clients hear of leaders and followers in a cluster of three.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Cluster } from '../../src/client/cluster.ts'
import { type RunningCluster, startCluster } from '../../src/index.ts'
import { buildBatch } from '../../src/protocol/batches/build.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { CreateTopics } from '../../src/protocol/messages/create-topics.ts'
import { DeleteRecords } from '../../src/protocol/messages/delete-records.ts'
import { Fetch } from '../../src/protocol/messages/fetch.ts'
import { ListOffsets } from '../../src/protocol/messages/list-offsets.ts'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import { OffsetForLeaderEpoch } from '../../src/protocol/messages/offset-for-leader-epoch.ts'
import { Produce } from '../../src/protocol/messages/produce.ts'
import { clientOf, eventually } from './kit.ts'

const name = 't'
let running: RunningCluster
let client: Cluster
let topicId = ''
let leader = -1
let followers: number[] = []

before(async () => {
  running = await startCluster({
    config: {
      'auto.leader.rebalance.enable': false,
      // Followers hear what is committed when it is, not when they ask the next time.
      'replica.selector.class': 'org.apache.kafka.common.replica.RackAwareReplicaSelector',
      'replica.fetch.wait.max.ms': 8000,
      'replica.lag.time.max.ms': 20_000,
    },
  })
  client = clientOf(running.bootstrap)
  const connection = await client.broker(1)
  await connection.request(CreateTopics, {
    topics: [
      {
        name,
        numPartitions: 1,
        replicationFactor: 3,
        assignments: [],
        configs: [{ name: 'min.insync.replicas', value: '3' }],
      },
    ],
    timeoutMs: 5000,
  })
  await find(3)
  for (const text of ['one', 'two', 'three']) assert.equal((await send(leader, text)).errorCode, 0)
})

after(async () => {
  client?.close()
  await running?.stop()
})

/** Until a leader is known and that many copies are in sync. */
async function find(inSync: number): Promise<void> {
  await eventually(async () => {
    const connection = await client.broker(1)
    const { topics } = await connection.request(Metadata, { topics: [{ name }] })
    topicId = topics[0]?.topicId ?? ''
    const partition = topics[0]?.partitions[0]
    leader = partition?.leaderId ?? -1
    followers = (partition?.replicaNodes ?? []).filter(id => id !== leader)
    assert.equal(partition?.isrNodes.length, inSync)
  })
}

async function send(node: number, text: string) {
  const connection = await client.broker(node)
  const records = buildBatch({ records: [{ timestamp: 1, value: Buffer.from(text) }] })
  const { responses, nodeEndpoints } = await connection.request(Produce, {
    acks: -1,
    timeoutMs: 5000,
    topicData: [{ topicId, partitionData: [{ index: 0, records }] }],
  })
  const { errorCode, baseOffset, currentLeader } = responses[0]!.partitionResponses[0]!
  return { errorCode, baseOffset, currentLeader, nodeEndpoints }
}

async function read(node: number, fetchOffset: number, more: { version?: number; currentLeaderEpoch?: number } = {}) {
  const { version = 18, currentLeaderEpoch = -1 } = more
  const connection = await client.broker(node)
  const topic = version >= 13 ? { topicId } : { topic: name }
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1_000_000, currentLeaderEpoch }]
  const { responses, nodeEndpoints } = await connection.request(
    Fetch,
    { maxWaitMs: 0, minBytes: 0, topics: [{ ...topic, partitions }] },
    { maxVersion: version },
  )
  return { ...responses[0]!.partitions[0]!, nodeEndpoints }
}

const addressOf = (id: number) => running.nodes.find(node => node.id === id)?.port

test('who writes to the wrong node is told the right one, and where it is', async () => {
  const { errorCode, baseOffset, currentLeader, nodeEndpoints } = await send(followers[0]!, 'nothing')
  assert.equal(errorCode, ErrorCode.NOT_LEADER_OR_FOLLOWER)
  assert.equal(baseOffset, -1)
  assert.equal(currentLeader.leaderId, leader)
  assert.deepEqual(
    nodeEndpoints.map(({ nodeId, port }) => [nodeId, port]),
    [[leader, addressOf(leader)]],
  )
})

test('followers give what is committed to newer consumers, and send older ones to the leader', async () => {
  for (const follower of followers) {
    await eventually(async () => {
      const { errorCode, highWatermark, records } = await read(follower, 0)
      assert.equal(errorCode, 0)
      assert.equal(highWatermark, 3)
      assert.ok(records !== null && records.length > 0)
    }, 2000)
    assert.equal((await read(follower, 0, { version: 10 })).errorCode, ErrorCode.NOT_LEADER_OR_FOLLOWER)
    assert.equal((await read(follower, 4)).errorCode, ErrorCode.OFFSET_NOT_AVAILABLE)
  }
  assert.equal((await read(leader, 4)).errorCode, ErrorCode.OFFSET_OUT_OF_RANGE)
})

test('who lives in another leader epoch is told so, by followers too', async () => {
  for (const node of [leader, ...followers])
    assert.equal((await read(node, 0, { currentLeaderEpoch: 1000 })).errorCode, ErrorCode.UNKNOWN_LEADER_EPOCH)
})

test('only the leader knows offsets and epochs', async () => {
  for (const [node, expected] of [
    [leader, 0],
    [followers[0]!, ErrorCode.NOT_LEADER_OR_FOLLOWER],
  ] as const) {
    const connection = await client.broker(node)
    const partitions = [{ partitionIndex: 0, timestamp: -1 }]
    const offsets = await connection.request(ListOffsets, { replicaId: -1, topics: [{ name, partitions }] })
    assert.equal(offsets.topics[0]?.partitions[0]?.errorCode, expected)
    const epochs = await connection.request(OffsetForLeaderEpoch, {
      replicaId: -1,
      topics: [{ topic: name, partitions: [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch: 0 }] }],
    })
    assert.equal(epochs.topics[0]?.partitions[0]?.errorCode, expected)
    if (expected === 0) assert.equal(epochs.topics[0]?.partitions[0]?.endOffset, 3)
  }
})

test('a client that claims to be a follower moves nothing', async () => {
  const connection = await client.broker(leader)
  const { errorCode } = await connection.request(Fetch, {
    replicaState: { replicaId: followers[0]!, replicaEpoch: 1 },
    maxWaitMs: 0,
    minBytes: 0,
    topics: [{ topicId, partitions: [{ partition: 0, fetchOffset: 1000, partitionMaxBytes: 1000 }] }],
  })
  assert.equal(errorCode, ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
  assert.equal((await read(leader, 3)).highWatermark, 3)
})

test('records are deleted when no copy has them any more', async () => {
  const connection = await client.broker(leader)
  const partitions = [{ partitionIndex: 0, offset: 2 }]
  const { topics } = await connection.request(DeleteRecords, { topics: [{ name, partitions }], timeoutMs: 5000 })
  assert.deepEqual(topics[0]?.partitions[0], { partitionIndex: 0, lowWatermark: 2, errorCode: 0 })
  for (const node of [leader, ...followers]) {
    assert.equal((await read(node, 1)).errorCode, ErrorCode.OFFSET_OUT_OF_RANGE)
    assert.equal((await read(node, 2)).errorCode, 0)
  }
})

test('too few copies in sync: nothing is taken, until they are back', async () => {
  const gone = running.nodes.find(({ id }) => id === followers.find(each => each !== 1))!
  await gone.stop()
  await eventually(async () => assert.equal((await send(leader, 'early')).errorCode, ErrorCode.NOT_ENOUGH_REPLICAS))
  await gone.start()
  await find(3)
  await eventually(async () => assert.equal((await send(leader, 'late')).errorCode, 0))
})
