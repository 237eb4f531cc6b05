import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Connection } from '../client/connection.ts'
import { defaultClientOptions } from '../client/options.ts'
import { ApiVersions } from '../protocol/messages/api-versions.ts'
import { Produce } from '../protocol/messages/produce.ts'
import { nodeLogin } from '../security/node-login.ts'
import { silent } from '../world/logger.ts'
import { nodeWorld as world } from '../world/node.ts'
import { socketPair } from '../world/socket-pair.ts'
import type { BrokerLimits } from './broker.ts'
import { Broker } from './broker.ts'
import type { Services } from './services.ts'

const secret = 'the secret of the cluster'
const limit = 1_000_000
const limits: BrokerLimits = {
  requestBytes: 10 * limit,
  connectionBytesInFlight: 10 * limit,
  bytesInFlight: limit,
  fetchBytes: limit,
  connections: 10,
  connectionsPerAddress: 10,
  idleMs: 60_000,
  fetchSessions: 10,
  movedBytesPerSecond: limit,
}

/** A broker whose records nobody acknowledges, until `acknowledge` is called. */
function waitingBroker() {
  const waiting: ((error: null) => void)[] = []
  const partition = {
    topic: 't',
    log: { beforeAppend: () => null },
    append: () => ({ baseOffset: 0, lastOffset: 0, logAppendTime: -1, logStartOffset: 0 }),
    whenAcknowledged: (_: number, done: (error: null) => void) => waiting.push(done),
  }
  const replicas = { find: () => partition, get: () => partition }
  const cluster = { features: new Map(), changedAt: { features: 0 } }
  const services = { replicas, cluster, joinToken: () => secret, nodeId: 1 } as unknown as Services
  return { broker: new Broker(world, silent, limits, services), waiting }
}

type Login = (connection: Connection) => Promise<void>
const asNode: Login = nodeLogin(() => secret, world.random)
const asClient: Login = async () => {}

function open(broker: Broker, authenticate: Login): Promise<Connection> {
  const dial = async () => {
    const [ours, theirs] = socketPair(world.timers, { host: 'a', port: 1 }, { host: 'b', port: 2 })
    broker.accept(theirs)
    return ours
  }
  return Connection.open(world, { host: 'b', port: 2 }, { ...defaultClientOptions, dial, authenticate })
}

const produce = (connection: Connection, bytes: number) => {
  const topicData = [{ name: 't', partitionData: [{ index: 0, records: new Uint8Array(bytes) }] }]
  return connection.request(Produce, { acks: -1, timeoutMs: 60_000, topicData }, { maxVersion: 12 })
}

const ask = (connection: Connection) =>
  connection.request(ApiVersions, { clientSoftwareName: 'x', clientSoftwareVersion: '1' })

const turns = async (count = 20) => {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve))
}

async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 5000 && !done(); i++) await new Promise(resolve => setTimeout(resolve, 1))
  assert.equal(done(), true)
}

/** Whether it is answered within a moment. */
async function isRead(connection: Connection, times: number): Promise<boolean> {
  let answered = 0
  for (let i = 0; i < times; i++) void ask(connection).then(() => answered++)
  await turns(20 + times)
  return answered === times
}

test('what clients wait for holds up no node: it comes with what nodes ask', async () => {
  const { broker, waiting } = waitingBroker()
  const [one, two, node] = [await open(broker, asClient), await open(broker, asClient), await open(broker, asNode)]
  const acknowledged = produce(one, limit)
  await until(() => waiting.length === 1)
  assert.equal(broker.ofClients.full, true)
  // As many as a connection may ask before anybody knows who it is.
  assert.equal(await isRead(two, 7), true)
  assert.equal(await isRead(two, 1), false)
  assert.equal(await isRead(node, 30), true)
  // One that comes now can still say who it is.
  const late = await open(broker, asNode)
  assert.equal(await isRead(late, 30), true)
  // Nobody fills memory with what passes for a greeting.
  const large = await open(broker, asClient)
  void produce(large, 5000)
  await turns()
  assert.equal(waiting.length, 1)
  waiting[0]!(null)
  await acknowledged
  await until(() => waiting.length === 2)
  assert.equal(await isRead(two, 1), true)
  waiting[1]!(null)
  await until(() => broker.ofClients.bytes === 0)
  broker.abort()
})

test('nodes have a limit, too, and it is theirs alone', async () => {
  const { broker, waiting } = waitingBroker()
  const [one, two, client] = [await open(broker, asNode), await open(broker, asNode), await open(broker, asClient)]
  void produce(one, limit)
  await until(() => waiting.length === 1)
  assert.deepEqual([broker.ofNodes.full, broker.ofClients.bytes], [true, 0])
  assert.equal(await isRead(two, 8), false)
  assert.equal(await isRead(client, 30), true)
  waiting[0]!(null)
  await until(() => broker.ofNodes.bytes === 0)
  assert.equal(await isRead(two, 8), true)
  // Who goes away gives back what it took, and others go on.
  void produce(one, limit).catch(() => {})
  await until(() => broker.ofNodes.full)
  assert.equal(await isRead(two, 8), false)
  one.close()
  await until(() => broker.ofNodes.bytes === 0)
  assert.equal(await isRead(two, 8), true)
  broker.abort()
})
