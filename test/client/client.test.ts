import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Admin } from '../../src/client/admin.ts'
import { Cluster } from '../../src/client/cluster.ts'
import { Consumer, type ConsumerOptions } from '../../src/client/consumer.ts'
import { GroupAdmin } from '../../src/client/group-admin.ts'
import { Producer, type ProducerOptions } from '../../src/client/producer.ts'
import { type RunningBroker, startBroker } from '../../src/index.ts'
import { compressionTypes } from '../../src/protocol/compression/compression.ts'
import { type ErrorName, KafkaError } from '../../src/protocol/errors.ts'
import { LeaveGroup } from '../../src/protocol/messages/leave-group.ts'
import { nodeWorld } from '../../src/world/node.ts'

let broker: RunningBroker
const clusters: Cluster[] = []

before(async () => {
  broker = await startBroker()
})

after(async () => {
  for (const cluster of clusters) cluster.close()
  await broker.stop()
})

function connect(): Cluster {
  const cluster = new Cluster(nodeWorld, { bootstrap: [broker], retryBackoffMs: 10 })
  clusters.push(cluster)
  return cluster
}

let topics = 0

/** A topic with the records `0` to `count − 1`, keyed by themselves. */
async function topicWith(count: number, partitions = 1, options: Partial<ProducerOptions> = {}): Promise<string> {
  const cluster = connect()
  const topic = `topic-${topics++}`
  await new Admin(cluster).createTopics([{ name: topic, partitions }])
  const producer = new Producer(cluster, options)
  const sent = Array.from({ length: count }, (_, i) => {
    const text = Buffer.from(`${i}`)
    return producer.send({ topic, key: text, value: text, headers: [{ key: 'n', value: text }] })
  })
  await Promise.all(sent)
  return topic
}

/** Polls until `count` records are there; their values. */
async function take(consumer: Consumer, count: number): Promise<number[]> {
  const values: number[] = []
  while (values.length < count) {
    for (const record of await consumer.poll(100)) values.push(Number(Buffer.from(record.value!).toString()))
  }
  return values
}

const fromTo = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b)
const named = (name: ErrorName) => (error: unknown) => error instanceof KafkaError && error.errorName === name

function member(groupId: string, options: Partial<ConsumerOptions> = {}): Consumer {
  return new Consumer(connect(), {
    groupId,
    autoOffsetReset: 'earliest',
    heartbeatIntervalMs: 20,
    autoCommitIntervalMs: 10,
    maxWaitMs: 20,
    ...options,
  })
}

for (const compression of compressionTypes) {
  test(`what is produced with ${compression} is consumed, key, headers, order and all`, async () => {
    const topic = await topicWith(3000, 1, { compression, maxBatchBytes: 20000 })
    const consumer = new Consumer(connect(), { maxPollRecords: 700 })
    await consumer.assign([{ topic, partition: 0, start: 'earliest' }])
    const first = (await consumer.poll(1000))[0]!
    assert.equal(Buffer.from(first.key!).toString(), '0')
    assert.deepEqual(first.headers, [{ key: 'n', value: Buffer.from('0') }])
    consumer.seek(topic, 0, 0)
    assert.deepEqual(await take(consumer, 3000), fromTo(0, 3000))
    assert.equal(consumer.position(topic, 0), 3000)
    await consumer.close()
  })
}

test('begins at a time', async () => {
  const cluster = connect()
  await new Admin(cluster).createTopics([{ name: 'timed' }])
  const producer = new Producer(cluster)
  const now = Date.now()
  for (let i = 0; i < 5; i++) {
    await producer.send({ topic: 'timed', partition: 0, value: Buffer.from(`${i}`), timestamp: now + i * 1000 })
  }
  const consumer = new Consumer(cluster)
  await consumer.assign([{ topic: 'timed', partition: 0, start: { timestamp: now + 2500 } }])
  assert.deepEqual(await take(consumer, 2), [3, 4])
})

test('a group shares a topic, hands over without loss or repetition, and remembers where it was', async () => {
  const topic = await topicWith(400, 4)
  const alone = member('sharing', { maxPollRecords: 50 })
  alone.subscribe([topic])
  const seen = await take(alone, 100)
  assert.equal(alone.assignment.length, 4)

  const other = member('sharing')
  other.subscribe([topic])
  const reading = { done: false }
  const others: number[] = []
  const work = async (consumer: Consumer, into: number[]) => {
    while (!reading.done) into.push(...(await take(consumer, 0)), ...(await pollOnce(consumer)))
  }
  const both = Promise.all([work(alone, seen), work(other, others)])
  const shared = () => [alone, other].every(each => each.assignment.length === 2)
  while (!shared() || seen.length + others.length < 400) {
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  reading.done = true
  await both
  assert.deepEqual(sorted([...seen, ...others]), fromTo(0, 400))
  const described = await new GroupAdmin(connect()).describe('sharing')
  assert.equal(described.state, 'Stable')
  assert.deepEqual(
    described.members.map(each => each.assignment.length),
    [2, 2],
  )

  await alone.close()
  while (other.assignment.length < 4) await other.poll(20)
  await other.close()
  const offsets = await new GroupAdmin(connect()).offsets('sharing')
  assert.equal(
    offsets.reduce((sum, each) => sum + each.offset, 0),
    400,
  )
  const producer = new Producer(connect())
  await producer.send({ topic, value: Buffer.from('400') })
  const later = member('sharing')
  later.subscribe([topic])
  assert.deepEqual(await take(later, 1), [400])
  await later.close()
})

async function pollOnce(consumer: Consumer): Promise<number[]> {
  return (await consumer.poll(10)).map(record => Number(Buffer.from(record.value!).toString()))
}

test('a member that falls silent loses its partitions to the others', async () => {
  const topic = await topicWith(20, 2)
  const silent = member('silence', { maxPollIntervalMs: 150, heartbeatIntervalMs: 30 })
  silent.subscribe([topic])
  await take(silent, 20)
  const other = member('silence')
  other.subscribe([topic])
  while (other.assignment.length < 2) await other.poll(20)
  await other.close()
  await silent.close()
})

test('who leaves the loop has committed what it worked on, and nothing more', async () => {
  const topic = await topicWith(50)
  const consumer = member('loop')
  consumer.subscribe([topic])
  let worked = 0
  for await (const record of consumer) {
    assert.equal(record.offset, worked)
    if (++worked === 20) break
  }
  await consumer.close()
  // The twentieth was handed out, but the loop was left while working on it.
  assert.equal((await new GroupAdmin(connect()).offsets('loop'))[0]!.offset, 19)
})

test('commits by hand, by position and without membership', async () => {
  const topic = await topicWith(10)
  const consumer = member('by hand', { autoCommit: false, maxPollRecords: 4 })
  await consumer.assign([{ topic, partition: 0 }])
  await take(consumer, 4)
  await consumer.commit()
  const groups = new GroupAdmin(connect())
  assert.equal((await groups.offsets('by hand'))[0]!.offset, 4)
  await consumer.commit([{ topic, partition: 0, offset: 2, metadata: 'here' }])
  assert.equal((await groups.offsets('by hand', [{ topic, partition: 0 }]))[0]!.metadata, 'here')
  await groups.alterOffsets('by hand', [{ topic, partition: 0, offset: 7 }])
  await consumer.close()
  const next = member('by hand')
  await next.assign([{ topic, partition: 0 }])
  assert.deepEqual(await take(next, 3), [7, 8, 9])
  await groups.deleteOffsets('by hand', [{ topic, partition: 0 }])
  assert.deepEqual(await groups.offsets('by hand'), [])
  await next.close()
})

test('who was expelled commits nothing, however often it tries', async () => {
  const topic = await topicWith(3)
  const consumer = member('expelled', { autoCommit: false })
  consumer.subscribe([topic])
  while ((await consumer.poll(100)).length === 0);
  const { memberId } = consumer.membership
  const coordinator = await connect().coordinator('group', 'expelled')
  const gone = await coordinator.request(LeaveGroup, {
    groupId: 'expelled',
    members: [{ memberId, groupInstanceId: null, reason: null }],
  })
  assert.equal(gone.errorCode, 0)
  for (let i = 0; i < 2; i++) await assert.rejects(consumer.commit(), named('UNKNOWN_MEMBER_ID'))
  assert.deepEqual(await new GroupAdmin(connect()).offsets('expelled'), [])
  await consumer.close()
})

/** A client that for a while cannot ask its coordinator some things. */
class HalfDeaf extends Cluster {
  deafTo: string | null = null

  override askCoordinator: Cluster['askCoordinator'] = async (type, key, api, ...rest) => {
    while (api.name === this.deafTo) {
      if (this.options.apiTimeoutMs < 100) throw new KafkaError('COORDINATOR_NOT_AVAILABLE')
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    return super.askCoordinator(type, key, api, ...rest)
  }
}

function halfDeaf(apiTimeoutMs: number): HalfDeaf {
  const cluster = new HalfDeaf(nodeWorld, { bootstrap: [broker], retryBackoffMs: 10, apiTimeoutMs })
  clusters.push(cluster)
  return cluster
}

const inGroup = { autoOffsetReset: 'earliest', heartbeatIntervalMs: 20 } as const

test('who joined and could not ask where to begin asks again, and reads', async () => {
  const topic = await topicWith(3)
  const cluster = halfDeaf(90)
  const told: number[] = []
  const onAssigned = (mine: readonly unknown[]) => void told.push(mine.length)
  const consumer = new Consumer(cluster, { ...inGroup, groupId: `${topic}-slow`, onAssigned })
  consumer.subscribe([topic])
  cluster.deafTo = 'OffsetFetch'
  await assert.rejects(async () => {
    for (;;) await consumer.poll(50)
  }, named('COORDINATOR_NOT_AVAILABLE'))
  assert.deepEqual(told, [])
  cluster.deafTo = null
  assert.deepEqual(await take(consumer, 3), fromTo(0, 3))
  assert.deepEqual(told, [1])
  await consumer.close()
})

test('reading goes on while the coordinator takes no commits, and then all is committed', async () => {
  const topic = await topicWith(5)
  const cluster = halfDeaf(60_000)
  const groupId = `${topic}-uncommitted`
  const options = { ...inGroup, groupId, autoCommitIntervalMs: 10, maxPollRecords: 1 }
  const consumer = new Consumer(cluster, options)
  consumer.subscribe([topic])
  assert.deepEqual(await take(consumer, 1), [0])
  cluster.deafTo = 'OffsetCommit'
  await new Promise(resolve => setTimeout(resolve, 30))
  const reading = take(consumer, 4)
  const inTime = await Promise.race([reading, new Promise(resolve => setTimeout(resolve, 1_000, 'too late'))])
  cluster.deafTo = null
  assert.deepEqual(inTime, fromTo(1, 5))
  await consumer.close()
  const [committed] = await new GroupAdmin(connect()).offsets(groupId)
  assert.equal(committed?.offset, 5)
})

test('topics come, grow, change and go', async () => {
  const admin = new Admin(connect())
  await admin.createTopics([{ name: 'life', partitions: 2, configs: { 'retention.ms': '1000' } }])
  await assert.rejects(admin.createTopics([{ name: 'life' }]), named('TOPIC_ALREADY_EXISTS'))
  await admin.createPartitions('life', 3)
  assert.equal((await admin.describeTopics(['life']))[0]!.partitions.length, 3)
  const resource = { type: 'topic', name: 'life' } as const
  const value = async (name: string) => (await admin.describeConfigs(resource, [name]))[0]!.value
  assert.equal(await value('retention.ms'), '1000')
  await admin.alterConfigs(resource, [
    { name: 'retention.ms', operation: 'set', value: '2000' },
    { name: 'cleanup.policy', operation: 'append', value: 'compact' },
  ])
  assert.equal(await value('retention.ms'), '2000')
  assert.equal(await value('cleanup.policy'), 'delete,compact')
  await assert.rejects(
    admin.alterConfigs(resource, [{ name: 'retention.ms', operation: 'set', value: 'soon' }]),
    named('INVALID_CONFIG'),
  )
  await admin.deleteTopics(['life'])
  assert.deepEqual(await admin.describeTopics(['life']), [])
  await assert.rejects(admin.describeConfigs(resource), named('UNKNOWN_TOPIC_OR_PARTITION'))
  await assert.rejects(admin.deleteTopics(['life']), named('UNKNOWN_TOPIC_OR_PARTITION'))
})

test('records can be deleted, offsets asked for, the cluster described', async () => {
  const topic = await topicWith(10)
  const admin = new Admin(connect())
  await admin.deleteRecords([{ topic, partition: 0, offset: 6 }])
  const found = await admin.listOffsets([
    { topic, partition: 0, start: 'earliest' },
    { topic, partition: 0, start: 'latest' },
  ])
  assert.ok(found.length === 2)
  const consumer = new Consumer(connect(), { autoOffsetReset: 'earliest' })
  await consumer.assign([{ topic, partition: 0, start: 0 }])
  assert.deepEqual(await take(consumer, 4), [6, 7, 8, 9])
  const { brokers, controllerId } = await admin.describeCluster()
  assert.deepEqual(
    brokers.map(each => each.port),
    [broker.port],
  )
  assert.equal(brokers[0]!.brokerId, controllerId)
  assert.equal((await admin.describeLogDirs(controllerId)).length, 1)
})

test('groups are listed, described when they do not exist, and deleted when they are empty', async () => {
  const topic = await topicWith(1)
  const consumer = member('deleted')
  consumer.subscribe([topic])
  await take(consumer, 1)
  const groups = new GroupAdmin(connect())
  assert.ok((await groups.list()).some(each => each.groupId === 'deleted'))
  await assert.rejects(groups.delete('deleted'), named('NON_EMPTY_GROUP'))
  await consumer.close()
  await groups.delete('deleted')
  assert.ok(!(await groups.list()).some(each => each.groupId === 'deleted'))
  assert.equal((await groups.describe('deleted')).state, 'Dead')
})
