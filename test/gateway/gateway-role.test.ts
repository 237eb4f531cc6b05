import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Admin } from '../../src/client/admin.ts'
import { Cluster } from '../../src/client/cluster.ts'
import { Consumer } from '../../src/client/consumer.ts'
import { GroupAdmin } from '../../src/client/group-admin.ts'
import { commitOffsets } from '../../src/client/group-offsets.ts'
import { Producer } from '../../src/client/producer.ts'
import { type RunningBroker, type RunningCluster, startBroker, startCluster } from '../../src/index.ts'

import { ErrorCode } from '../../src/protocol/errors.ts'
import { DeleteGroups } from '../../src/protocol/messages/delete-groups.ts'
import { DescribeConfigs } from '../../src/protocol/messages/describe-configs.ts'
import { DescribeGroups } from '../../src/protocol/messages/describe-groups.ts'
import { DescribeLogDirs } from '../../src/protocol/messages/describe-log-dirs.ts'
import { Fetch } from '../../src/protocol/messages/fetch.ts'
import { FindCoordinator } from '../../src/protocol/messages/find-coordinator.ts'
import { ListGroups } from '../../src/protocol/messages/list-groups.ts'
import { ListOffsets } from '../../src/protocol/messages/list-offsets.ts'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import { Produce } from '../../src/protocol/messages/produce.ts'
import { SaslHandshake } from '../../src/protocol/messages/sasl-handshake.ts'
import { Vote } from '../../src/protocol/messages/vote.ts'
import { newJoinToken } from '../../src/security/join-token.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { batch } from '../broker/requests.ts'
import { Wire } from '../broker/wire.ts'
import { eventually } from '../cluster/kit.ts'
import { GrpcClient } from './grpc-kit.ts'
import { ask } from './kit.ts'

let nodes: RunningCluster
let gateway: RunningBroker
const token = newJoinToken(nodeWorld.random)
const clusters: Cluster[] = []

before(async () => {
  nodes = await startCluster({ config: { token } })
  gateway = await startBroker({ config: { roles: 'gateway', join: nodes.bootstrap } })
})

after(async () => {
  for (const cluster of clusters) cluster.close()
  await gateway?.stop()
  await nodes?.stop()
})

/** A client that knows nothing but the gateway. */
function connect(): Cluster {
  const cluster = new Cluster(nodeWorld, { bootstrap: [gateway], retryBackoffMs: 20 })
  clusters.push(cluster)
  return cluster
}

const text = (bytes: Uint8Array | null) => Buffer.from(bytes!).toString()

async function take(consumer: Consumer, count: number): Promise<string[]> {
  const values: string[] = []
  while (values.length < count) for (const { value } of await consumer.poll(100)) values.push(text(value))
  return values
}

async function topic(name: string, partitions = 6): Promise<string> {
  await new Admin(connect()).createTopics([{ name, partitions, replicationFactor: 3 }])
  return name
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `${from + i}`)

function send(producer: Producer, topic: string, from: number, to: number) {
  return Promise.all(
    numbers(from, to).map(value => producer.send({ topic, key: Buffer.from(value), value: Buffer.from(value) })),
  )
}

test('nodes have their own numbers, and all one address', async () => {
  const { brokers, controllerId, clusterId } = await connect().metadata([])
  assert.deepEqual(
    brokers.map(({ nodeId, host, port }) => [nodeId, host, port]),
    [1, 2, 3].map(id => [id, '127.0.0.1', gateway.port]),
  )
  assert.ok(controllerId >= 1 && controllerId <= 3)
  assert.equal(clusterId, (await new Admin(connect()).describeCluster()).clusterId)
})

test('what is produced at a gateway is consumed there, from all leaders', async () => {
  await topic('through')
  const cluster = connect()
  assert.equal(new Set((await cluster.topic('through')).partitions.map(({ leaderId }) => leaderId)).size, 3)
  await send(new Producer(cluster), 'through', 0, 2000)
  const consumer = new Consumer(connect(), { groupId: 'readers', autoOffsetReset: 'earliest', maxWaitMs: 100 })
  consumer.subscribe(['through'])
  assert.deepEqual((await take(consumer, 2000)).sort(), numbers(0, 2000).sort())
  await consumer.close()
  const { groups } = { groups: await new GroupAdmin(connect()).list() }
  assert.ok(
    groups.some(({ groupId }) => groupId === 'readers'),
    JSON.stringify(groups),
  )
})

test('a leader dies, and clients at the gateway go on', async () => {
  await topic('goes-on')
  const cluster = connect()
  const producer = new Producer(cluster)
  const consumer = new Consumer(connect(), { groupId: 'staying', autoOffsetReset: 'earliest', maxWaitMs: 100 })
  consumer.subscribe(['goes-on'])
  await send(producer, 'goes-on', 0, 500)
  const seen = new Set(await take(consumer, 500))
  const victim = nodes.nodes[2]!
  const sending = send(producer, 'goes-on', 500, 1500)
  await victim.stop()
  await sending
  await send(producer, 'goes-on', 1500, 2000)
  while (seen.size < 2000) for (const value of await take(consumer, 1)) seen.add(value)
  await consumer.close()
  await victim.start()
})

test('HTTP at a gateway is that of the cluster', async () => {
  const url = `http://127.0.0.1:${gateway.port}`
  const health = await ask(`${url}/health`)
  assert.equal(health.status, 200, health.text)
  assert.deepEqual([health.json.broker, health.json.nodeId, health.json.isLeader], ['gateway', -1, false])
  const produced = await ask(`${url}/produce`, { body: { topic: 'over-http', message: 'hello' } })
  assert.equal(produced.status, 200, produced.text)
  assert.equal(produced.json.broker, 'gateway')
  const read = await ask(`${url}/topics/over-http/records?partition=${produced.json.partition}&offset=0`)
  assert.equal(read.json.records[0].value, 'hello', read.text)
  const leader = await ask(`${url}/metadata/leader`)
  assert.equal(leader.json.url, url)
  const metrics = await ask(`${url}/metrics`)
  assert.match(metrics.text, /^ottla_gateway_connected 1$/m)
  assert.match(metrics.text, /^ottla_gateway_nodes 3$/m)
})

test('records are read from several leaders with one request, without a session', async () => {
  const name = await topic('several')
  const producer = new Producer(connect())
  for (let partition = 0; partition < 6; partition++)
    await producer.send({ topic: name, partition, value: Buffer.from(`p${partition}`) })
  const wire = await Wire.open(gateway.port)
  const fetch = (offset: number, more = {}) =>
    wire.ask(Fetch, 11, {
      replicaId: -1,
      maxWaitMs: 300,
      minBytes: 1,
      topics: [
        {
          topic: name,
          partitions: [0, 1, 2, 3, 4, 5].map(partition => ({
            partition,
            fetchOffset: offset,
            partitionMaxBytes: 1000,
          })),
        },
      ],
      ...more,
    })
  const got = new Set<number>()
  for (let i = 0; i < 20 && got.size < 6; i++) {
    const { sessionId, errorCode, responses } = await fetch(0, { sessionEpoch: 0 })
    assert.deepEqual([sessionId, errorCode], [0, 0])
    // All are named each time: who gets a full answer without them drops it.
    assert.equal(responses[0]!.partitions.length, 6)
    for (const { partitionIndex, records, errorCode } of responses[0]!.partitions) {
      assert.equal(errorCode, 0)
      assert.notEqual(records, null)
      if (records!.length > 0) got.add(partitionIndex)
    }
  }
  assert.equal(got.size, 6)
  // What comes while all of them wait ends the wait.
  const waiting = fetch(1, { maxWaitMs: 10_000 })
  await producer.send({ topic: name, partition: 4, value: Buffer.from('more') })
  const told = (await waiting).responses[0]!.partitions.filter(({ records }) => (records?.length ?? 0) > 0)
  assert.deepEqual(
    told.map(({ partitionIndex }) => partitionIndex),
    [4],
  )
  assert.equal((await fetch(1, { sessionId: 5, sessionEpoch: 3 })).errorCode, ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
  wire.close()
})

test('fetches behind each other do not wait for each other', async () => {
  const name = await topic('behind')
  const leaders = (await connect().topic(name)).partitions
  const [first, second] = [leaders[0]!, leaders.find(({ leaderId }) => leaderId !== leaders[0]!.leaderId)!]
  const wire = await Wire.open(gateway.port)
  const fetch = (partition: number) =>
    wire.ask(Fetch, 11, {
      replicaId: -1,
      maxWaitMs: 20_000,
      minBytes: 1,
      topics: [{ topic: name, partitions: [{ partition, fetchOffset: 0, partitionMaxBytes: 1000 }] }],
    })
  const begun = performance.now()
  const [idle, busy] = [fetch(first.partition), fetch(second.partition)]
  await new Producer(connect()).send({ topic: name, partition: second.partition, value: Buffer.from('x') })
  assert.equal((await idle).responses[0]!.partitions[0]!.records?.length, 0)
  assert.ok((await busy).responses[0]!.partitions[0]!.records!.length > 0)
  assert.ok(performance.now() - begun < 10_000)
  wire.close()
})

test('who does not give its name is told of one node, which leads and coordinates everything', async () => {
  const name = await topic('one-node')
  const wire = await Wire.open(gateway.port)
  const { brokers, controllerId, topics } = await wire.ask(Metadata, 6, { topics: [{ name }] })
  assert.deepEqual(
    brokers.map(({ nodeId, port }) => [nodeId, port]),
    [[0, gateway.port]],
  )
  assert.equal(controllerId, 0)
  assert.deepEqual([...new Set(topics[0]!.partitions.map(({ leaderId }) => leaderId))], [0])
  const found = await wire.ask(FindCoordinator, 2, { key: 'g', keyType: 0 })
  assert.deepEqual([found.errorCode, found.nodeId, found.port], [0, 0, gateway.port])
  const partitions = [0, 1, 2, 3, 4, 5].map(index => ({ index, records: batch([`v${index}`]) }))
  const produced = await wire.ask(Produce, 7, {
    acks: -1,
    timeoutMs: 5000,
    topicData: [{ name, partitionData: partitions }],
  })
  assert.deepEqual(
    produced.responses.flatMap(({ partitionResponses }) => partitionResponses.map(each => each.errorCode)),
    [0, 0, 0, 0, 0, 0],
  )
  // Nobody is told of these, and they are there.
  wire.tell(Produce, 7, { acks: 0, timeoutMs: 5000, topicData: [{ name, partitionData: partitions }] })
  const ends = async () => {
    const answer = await wire.ask(ListOffsets, 5, {
      replicaId: -1,
      topics: [{ name, partitions: partitions.map(({ index }) => ({ partitionIndex: index, timestamp: -1 })) }],
    })
    return answer.topics[0]!.partitions.map(({ errorCode, offset }) => [errorCode, offset])
  }
  await eventually(async () => {
    assert.deepEqual(
      await ends(),
      partitions.map(() => [0, 2]),
    )
  }, 5000)
  const missing = await wire.ask(Produce, 7, {
    acks: 1,
    timeoutMs: 100,
    topicData: [{ name: 'never-made', partitionData: [{ index: 0, records: batch(['x']) }] }],
  })
  const answer = missing.responses[0]!.partitionResponses[0]!
  assert.equal(answer.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  wire.close()
})

test('what each node knows for itself is asked of each', async () => {
  const wire = await Wire.open(gateway.port)
  const dirs = await wire.ask(DescribeLogDirs, 4, { topics: null })
  assert.deepEqual(
    dirs.results.map(({ logDir }) => logDir),
    ['1:memory', '2:memory', '3:memory'],
  )
  const resources = ['1', '3', ''].map(resourceName => ({
    resourceType: 4,
    resourceName,
    configurationKeys: resourceName === '' ? null : ['node.id'],
  }))
  const { results } = await wire.ask(DescribeConfigs, 4, { resources })
  const ids = results.map(({ errorCode, resourceName, configs }) => [errorCode, resourceName, configs[0]?.value])
  assert.deepEqual(ids.slice(0, 2), [
    [0, '1', '1'],
    [0, '3', '3'],
  ])
  assert.equal(results[2]!.errorCode, 0)
  wire.close()
})

test('groups of all coordinators are listed, described and deleted together', async () => {
  await topic('grouped', 1)
  const groups = Array.from({ length: 8 }, (_, i) => `batch-${i}`)
  for (const groupId of groups) {
    await commitOffsets(connect(), groupId, [{ topic: 'grouped', partition: 0, offset: 0 }])
  }
  const wire = await Wire.open(gateway.port)
  const listed = (await wire.ask(ListGroups, 4, {})).groups.map(({ groupId }) => groupId)
  for (const group of groups) assert.ok(listed.includes(group), group)
  const described = await wire.ask(DescribeGroups, 5, { groups })
  assert.deepEqual(described.groups.map(({ groupId }) => groupId).sort(), groups)
  assert.ok(described.groups.every(({ errorCode, groupState }) => errorCode === 0 && groupState === 'Empty'))
  const deleted = await wire.ask(DeleteGroups, 2, { groupsNames: groups })
  assert.deepEqual(
    deleted.results.map(({ groupId, errorCode }) => `${groupId} ${errorCode}`).sort(),
    groups.map(g => `${g} 0`),
  )
  wire.close()
})

test('what nodes ask of each other is refused', async () => {
  const wire = await Wire.open(gateway.port)
  const fetch = { replicaId: 2, maxWaitMs: 0, minBytes: 0, topics: [] }
  assert.equal((await wire.ask(Fetch, 11, fetch)).errorCode, ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
  await assert.rejects(wire.ask(Vote, 0, { clusterId: null, topics: [] }), /closed/)
  const login = await Wire.open(gateway.port)
  await assert.rejects(login.ask(SaslHandshake, 1, { mechanism: 'SCRAM-SHA-256' }), /closed/)
})

test('gRPC at a gateway is that of the cluster', async () => {
  const broker = new GrpcClient(gateway.bootstrap, 'broker.Broker')
  const { id } = await broker.call('Publish')({ subject: 'over-grpc', body: Buffer.from('hello') })
  const found = await broker.call('Fetch')({ subject: 'over-grpc', id })
  assert.equal(text(found.body), 'hello')
  broker.close()
})

test('workers pull through a gateway that has the secret of the cluster, and only through such a one', async () => {
  await topic('jobs', 3)
  const pull = (port: number) =>
    ask(`http://127.0.0.1:${port}/topics/jobs/pull?group=workers&max=10`, { method: 'POST' })
  assert.equal((await pull(gateway.port)).status, 403)
  const trusted = await startBroker({ config: { roles: 'gateway', join: nodes.bootstrap, token } })
  try {
    await send(new Producer(connect()), 'jobs', 0, 5)
    const { status, json, text } = await pull(trusted.port)
    assert.equal(status, 200, text)
    assert.ok(json.records.length > 0, text)
    const [{ leaseId }] = json.records
    const acked = await ask(`http://127.0.0.1:${trusted.port}/topics/jobs/leases`, {
      body: { leases: [{ leaseId, action: 'ack' }] },
    })
    assert.deepEqual([acked.status, acked.json.over], [200, 0], acked.text)
    const listed = await ask(`http://127.0.0.1:${trusted.port}/lease-groups/workers`)
    assert.equal(listed.status, 200, listed.text)
  } finally {
    await trusted.stop()
  }
})

test('who leaves, even in the middle of a question, leaves no connections behind', async () => {
  const own = await startBroker({ config: { roles: 'gateway', join: nodes.bootstrap } })
  try {
    const clients = async () => {
      const { text } = await ask(`http://127.0.0.1:${own.port}/metrics`)
      return Number(/^ottla_gateway_clients (\d+)$/m.exec(text)?.[1])
    }
    const wires: Wire[] = []
    for (let i = 0; i < 20; i++) {
      const wire = await Wire.open(own.port)
      wire.tell(ListOffsets, 5, {
        replicaId: -1,
        topics: [
          { name: i % 2 === 0 ? `unknown-${i}` : 'through', partitions: [{ partitionIndex: 0, timestamp: -1 }] },
        ],
      })
      wires.push(wire)
    }
    for (const wire of wires) wire.close()
    const stays = await Wire.open(own.port)
    await stays.ask(Metadata, 6, { topics: null })
    await eventually(async () => assert.equal(await clients(), 1), 5000)
    stays.close()
    await eventually(async () => assert.equal(await clients(), 0), 5000)
  } finally {
    await own.stop()
  }
})

test('a gateway without a cluster says what it lacks', async () => {
  await assert.rejects(startBroker({ config: { roles: 'gateway' } }), /needs --join/)
})
