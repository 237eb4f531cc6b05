import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Cluster } from '../../src/client/cluster.ts'
import { readPartition } from '../../src/client/read-partition.ts'
import { ClusterClient, type ClusterClientLimits } from '../../src/gateway/cluster-client.ts'
import { type RunningBroker, startBroker } from '../../src/index.ts'
import { type ErrorName, KafkaError } from '../../src/protocol/errors.ts'
import { nodeWorld } from '../../src/world/node.ts'

let broker: RunningBroker
const clients: ClusterClient[] = []

before(async () => {
  broker = await startBroker({ config: { 'auto.create.topics.enable': false } })
})

after(async () => {
  for (const client of clients) await client.close()
  await broker.stop()
})

/** Of the broker, over a socket: what stays in memory is shown by the doors' tests. */
function connect(limits: Partial<ClusterClientLimits> = {}): ClusterClient {
  const client = new ClusterClient({ world: nodeWorld, own: null, bootstrap: [broker], limits })
  clients.push(client)
  return client
}

const named = (name: ErrorName) => (error: unknown) => error instanceof KafkaError && error.errorName === name

test('a topic or partition that is not there is told at once, also while others are written to', async () => {
  const client = connect()
  await client.admin.createTopics([{ name: 'there', partitions: 2 }])
  const pusher = client.pusher(-1)
  const from = performance.now()
  await Promise.all([
    assert.rejects(pusher.send({ topic: 'missing', value: null }), named('UNKNOWN_TOPIC_OR_PARTITION')),
    assert.rejects(pusher.send({ topic: 'there', partition: 2, value: null }), named('UNKNOWN_TOPIC_OR_PARTITION')),
    assert.rejects(client.topic('missing'), named('UNKNOWN_TOPIC_OR_PARTITION')),
    pusher.send({ topic: 'there', value: Buffer.from('v') }),
  ])
  assert.ok(performance.now() - from < 1000)
})

test('partitions that were added are found', async () => {
  const client = connect()
  await client.admin.createTopics([{ name: 'growing', partitions: 1 }])
  const pusher = client.pusher(1)
  await pusher.send({ topic: 'growing', value: null })
  await connect().admin.createPartitions('growing', 3)
  assert.equal((await pusher.send({ topic: 'growing', partition: 2, value: null })).partition, 2)
})

test('beyond its memory it takes nothing, and says so', async () => {
  const client = connect({ bufferBytes: 10_000 })
  const topics = ['full-0', 'full-1', 'full-2', 'full-3', 'full-4']
  await client.admin.createTopics(topics.map(name => ({ name, partitions: 1 })))
  const pusher = client.pusher(-1)
  for (const topic of topics) await pusher.topic(topic)
  const sent = Array.from({ length: 100 }, (_, i) =>
    pusher.send({ topic: topics[i % topics.length]!, value: Buffer.alloc(900) }),
  )
  assert.ok(pusher.room < 2000)
  assert.throws(() => pusher.mustTake(5000), named('THROTTLING_QUOTA_EXCEEDED'))
  assert.ok(client.stats.pushBytes > 10_000 && client.stats.pushBytes <= client.stats.pushBytesLimit)
  assert.ok(client.stats.pushesRefused > 70)
  const results = await Promise.allSettled(sent)
  const refused = results.filter(each => each.status === 'rejected')
  assert.ok(refused.length > 70 && refused.length < 100, `${refused.length}`)
  for (const { reason } of refused) assert.ok(named('THROTTLING_QUOTA_EXCEEDED')(reason))
  pusher.mustTake(10_000)
  // What would never fit is for the broker to refuse.
  pusher.mustTake(50_000)
})

test('a topic fills its own share of the memory and no other one', async () => {
  const client = connect({ bufferBytes: 100_000 })
  await client.admin.createTopics(['greedy', 'modest'].map(name => ({ name, partitions: 1 })))
  const pusher = client.pusher(-1)
  for (const topic of ['greedy', 'modest']) await pusher.topic(topic)
  const many = Array.from({ length: 100 }, () => ({ topic: 'greedy', value: Buffer.alloc(1000) }))
  const outcomes = Promise.all(many.map(record => pusher.send(record).catch((error: Error) => error)))
  const ready = pusher.ready('greedy')
  assert.equal((await pusher.send({ topic: 'modest', value: null })).offset, 0)
  const refused = (await outcomes).filter(each => each instanceof Error)
  assert.ok(refused.length >= 60 && refused.length < 70, `${refused.length}`)
  assert.ok(refused.every(named('THROTTLING_QUOTA_EXCEEDED')))
  await ready
  // More than half of the room, as small records count.
  const one = pusher.send({ topic: 'greedy', value: Buffer.alloc(1000) })
  const crowd = await pusher.sendAll('greedy', Array(300).fill({ topic: 'greedy', value: Buffer.alloc(1) }))
  assert.equal(crowd.filter(each => each instanceof Error).length, 0)
  await one
  // Two thirds of the room, as they are.
  const large = Array(33).fill({ topic: 'greedy', value: Buffer.alloc(1000) })
  const both = await Promise.all([pusher.sendAll('greedy', large), pusher.sendAll('greedy', large)])
  assert.deepEqual(
    both.map(outcomes => outcomes.filter(each => each instanceof Error).length),
    [0, 33],
  )
  assert.equal((await pusher.sendAll('greedy', many.slice(0, 20))).filter(each => each instanceof Error).length, 0)
})

test('so many may wait at one time; who goes away makes room, and costs no connection', async () => {
  const client = connect({ waiters: 2 })
  await client.admin.createTopics([{ name: 'quiet', partitions: 1 }])
  const read = (cluster: Cluster) =>
    readPartition(cluster, { topic: 'quiet', partition: 0 }, { offset: 0, maxWaitMs: 30_000 })
  const leaving = new AbortController()
  const gone = assert.rejects(client.wait(read, leaving.signal), named('NETWORK_EXCEPTION'))
  const staying = client.wait(read)
  assert.equal(client.waiting, 2)
  await assert.rejects(client.wait(read), named('THROTTLING_QUOTA_EXCEEDED'))
  assert.throws(() => client.open(), named('THROTTLING_QUOTA_EXCEEDED'))
  await new Promise(resolve => setTimeout(resolve, 30))
  leaving.abort()
  await gone
  assert.equal(client.waiting, 1)
  // Who has gone before does not wait at all.
  await assert.rejects(client.wait(read, leaving.signal), named('NETWORK_EXCEPTION'))
  assert.equal(client.waiting, 1)
  client.open().close()
  assert.deepEqual([client.stats.waiting, client.stats.waitersLimit, client.stats.waitersRefused], [1, 2, 2])
  // A long poll does not hold up what is asked meanwhile.
  await client.pusher(-1).send({ topic: 'quiet', value: Buffer.from('hello') })
  assert.equal((await staying).records.length, 1)
  assert.equal(client.waiting, 0)
})

test('who reads much waits until there is room, and not for long; little is told afterwards', async () => {
  const mega = 1024 * 1024
  const client = connect({ readBytes: 8 * mega })
  const nobody = () => null
  const [six, two, little] = await Promise.all([6 * mega, 2 * mega, mega].map(bytes => client.room(bytes, nobody)))
  assert.equal(client.stats.readBytes, 8 * mega)
  assert.throws(() => little!.is(1000), named('THROTTLING_QUOTA_EXCEEDED'))
  const began = performance.now()
  await assert.rejects(async () => client.room(3 * mega, nobody), named('THROTTLING_QUOTA_EXCEEDED'))
  assert.ok(performance.now() - began >= 900)
  const leaving = new AbortController()
  const left = assert.rejects(async () => client.room(3 * mega, () => leaving.signal), named('NETWORK_EXCEPTION'))
  const three = client.room(3 * mega, nobody)
  leaving.abort()
  await left
  // Less came than might have.
  six!.is(mega)
  little!.is(1000)
  for (const each of [await three, six, two, little]) each!.give()
  assert.equal(client.stats.readBytes, 0)
})

test('when the node stops, who waits is let go', async () => {
  const stopping = new AbortController()
  const client = new ClusterClient({ world: nodeWorld, own: null, bootstrap: [broker], stopping: stopping.signal })
  clients.push(client)
  await client.admin.createTopics([{ name: 'stopping', partitions: 1 }])
  const wait = () =>
    client.wait(cluster =>
      readPartition(cluster, { topic: 'stopping', partition: 0 }, { offset: 0, maxWaitMs: 30_000 }),
    )
  const waiting = wait()
  await new Promise(resolve => setTimeout(resolve, 30))
  stopping.abort()
  await assert.rejects(waiting, named('NETWORK_EXCEPTION'))
  await assert.rejects(wait(), named('NETWORK_EXCEPTION'))
})

test('after the end it takes nothing', async () => {
  const client = connect()
  await client.close()
  await assert.rejects(
    client.wait(async () => {}),
    named('NETWORK_EXCEPTION'),
  )
  assert.throws(() => client.pusher(-1), named('NETWORK_EXCEPTION'))
})
