import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Admin } from '../../src/client/admin.ts'
import { Cluster } from '../../src/client/cluster.ts'
import { Consumer } from '../../src/client/consumer.ts'
import { GroupAdmin } from '../../src/client/group-admin.ts'
import { Producer } from '../../src/client/producer.ts'
import { type RunningBroker, type RunningCluster, startBroker, startCluster } from '../../src/index.ts'

import { nodeWorld } from '../../src/world/node.ts'
import { ask } from './kit.ts'

let nodes: RunningCluster
let gateway: RunningBroker
const clusters: Cluster[] = []

before(async () => {
  nodes = await startCluster()
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

test('a gateway without a cluster says what it lacks', async () => {
  await assert.rejects(startBroker({ config: { roles: 'gateway' } }), /needs --join/)
})
