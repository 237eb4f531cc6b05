import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Admin } from '../../src/client/admin.ts'
import type { Cluster } from '../../src/client/cluster.ts'
import { Consumer } from '../../src/client/consumer.ts'
import { Producer } from '../../src/client/producer.ts'
import { type RunningCluster, startCluster } from '../../src/index.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { CreatePartitions } from '../../src/protocol/messages/create-partitions.ts'
import { CreateTopics } from '../../src/protocol/messages/create-topics.ts'
import { DeleteTopics } from '../../src/protocol/messages/delete-topics.ts'
import { DescribeCluster } from '../../src/protocol/messages/describe-cluster.ts'
import { DescribeConfigs } from '../../src/protocol/messages/describe-configs.ts'
import { FindCoordinator } from '../../src/protocol/messages/find-coordinator.ts'
import { IncrementalAlterConfigs } from '../../src/protocol/messages/incremental-alter-configs.ts'
import { InitProducerId } from '../../src/protocol/messages/init-producer-id.ts'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import { ZERO_UUID } from '../../src/protocol/uuid.ts'
import { clientOf, eventually } from './kit.ts'

let running: RunningCluster
let client: Cluster

before(async () => {
  running = await startCluster()
  client = clientOf(running.bootstrap)
})

after(async () => {
  client?.close()
  await running?.stop()
})

const topicOf = (name: string, partitions = 1, copies = 3) => ({
  name,
  numPartitions: partitions,
  replicationFactor: copies,
  assignments: [],
  configs: [],
})

test('three nodes are one cluster, and each of them says so', async () => {
  const answers = []
  for (const { id } of running.nodes) {
    const connection = await client.broker(id)
    answers.push(await connection.request(DescribeCluster, { includeClusterAuthorizedOperations: false }))
  }
  const [first] = answers
  assert.deepEqual(
    first?.brokers.map(({ brokerId, port }) => [brokerId, port]),
    running.nodes.map(({ id, port }) => [id, port]),
  )
  for (const answer of answers) assert.deepEqual(answer.brokers, first?.brokers)
  assert.equal(new Set(answers.map(({ clusterId }) => clusterId)).size, 1)
})

test('every node takes every change, and its client sees it there at once', async () => {
  for (const { id } of running.nodes) {
    const connection = await client.broker(id)
    const name = `made-at-${id}`
    const made = await connection.request(CreateTopics, {
      topics: [topicOf(name, 2)],
      timeoutMs: 5000,
      validateOnly: false,
    })
    assert.equal(made.topics[0]?.errorCode, ErrorCode.NONE)
    const grown = await connection.request(CreatePartitions, {
      topics: [{ name, count: 4, assignments: null }],
      timeoutMs: 5000,
      validateOnly: false,
    })
    assert.equal(grown.results[0]?.errorCode, ErrorCode.NONE)
    const configs = [{ name: 'retention.ms', configOperation: 0, value: '3600000' }]
    const resources = [{ resourceType: 2, resourceName: name, configs }]
    const altered = await connection.request(IncrementalAlterConfigs, { resources, validateOnly: false })
    assert.equal(altered.responses[0]?.errorCode, ErrorCode.NONE)
    const asked = { resources: [{ resourceType: 2, resourceName: name, configurationKeys: ['retention.ms'] }] }
    await eventually(async () => {
      const described = await connection.request(DescribeConfigs, asked)
      assert.equal(described.results[0]?.configs[0]?.value, '3600000')
    })
    const twice = await connection.request(CreateTopics, {
      topics: [topicOf(name)],
      timeoutMs: 5000,
      validateOnly: false,
    })
    assert.equal(twice.topics[0]?.errorCode, ErrorCode.TOPIC_ALREADY_EXISTS)
    // An old version, which names topics in another place.
    const deleted = await connection.request(DeleteTopics, { topicNames: [name], timeoutMs: 5000 }, { maxVersion: 3 })
    assert.equal(deleted.responses[0]?.errorCode, ErrorCode.NONE)
  }
})

test('nodes hand out producer ids that no other one does', async () => {
  const ids = new Set<number>()
  for (const { id } of running.nodes) {
    const connection = await client.broker(id)
    for (let i = 0; i < 3; i++) {
      const { producerId, errorCode } = await connection.request(InitProducerId, {
        transactionalId: null,
        transactionTimeoutMs: 1000,
      })
      assert.equal(errorCode, ErrorCode.NONE)
      ids.add(producerId)
    }
  }
  assert.equal(ids.size, 9)
})

test('all nodes name the same coordinator of a group', async () => {
  const found = new Set<number>()
  for (const { id } of running.nodes) {
    const connection = await client.broker(id)
    await eventually(async () => {
      const { coordinators } = await connection.request(FindCoordinator, { keyType: 0, coordinatorKeys: ['g'] })
      assert.equal(coordinators[0]?.errorCode, ErrorCode.NONE)
      found.add(coordinators[0]?.nodeId ?? -1)
    })
  }
  assert.equal(found.size, 1)
})

test('a node that is away is shown as away, by all that remain', async () => {
  await new Admin(client).createTopics([{ name: 'watched', partitions: 3, replicationFactor: 3 }])
  const gone = running.nodes[1]!
  await gone.stop()
  for (const { id } of running.nodes.filter(node => node !== gone)) {
    const connection = await client.broker(id)
    const metadata = await eventually(async () => {
      const answer = await connection.request(Metadata, { topics: [{ name: 'watched', topicId: ZERO_UUID }] })
      assert.ok(answer.topics[0]?.partitions.every(({ isrNodes }) => !isrNodes.includes(gone.id)))
      return answer
    })
    assert.deepEqual(
      metadata.brokers.map(({ nodeId }) => nodeId),
      [1, 3],
    )
    for (const { leaderId, offlineReplicas, replicaNodes, errorCode } of metadata.topics[0]?.partitions ?? []) {
      assert.deepEqual(
        [errorCode, leaderId === gone.id, offlineReplicas, replicaNodes.length],
        [0, false, [gone.id], 3],
      )
    }
    const whole = { includeClusterAuthorizedOperations: false, includeFencedBrokers: true }
    const { brokers } = await connection.request(DescribeCluster, whole)
    assert.deepEqual(
      brokers.map(({ brokerId, isFenced }) => [brokerId, isFenced]),
      [
        [1, false],
        [2, true],
        [3, false],
      ],
    )
  }
  await gone.start()
  await eventually(async () => {
    const { topics } = await client.metadata(['watched'])
    for (const { isr } of topics[0]?.partitions ?? []) assert.equal(isr.length, 3)
  })
})

test('a topic with three copies takes and gives records while one node after another goes and comes back', async () => {
  await new Admin(client).createTopics([{ name: 'orders', partitions: 3, replicationFactor: 3 }])
  const producer = new Producer(client, { deliveryTimeoutMs: 20_000 })
  const consumer = new Consumer(client, { groupId: 'readers', autoOffsetReset: 'earliest' })
  consumer.subscribe(['orders'])
  const got: string[] = []
  const sent: string[] = []
  const sending: Promise<unknown>[] = []
  let going = true
  const produce = (async () => {
    for (let i = 0; going; i++) {
      const text = `order-${i}`
      sent.push(text)
      sending.push(producer.send({ topic: 'orders', key: Buffer.from(text), value: Buffer.from(text) }))
      await new Promise(resolve => setTimeout(resolve, 2))
    }
  })()
  const consume = (async () => {
    for (let idle = 0; idle < 20; ) {
      const records = await consumer.poll(100)
      for (const record of records) got.push(Buffer.from(record.value!).toString())
      idle = going || records.length > 0 ? 0 : idle + 1
      if (!going && got.length >= sent.length) break
    }
  })()
  const gaps: number[] = []
  for (const node of [...running.nodes].reverse()) {
    const begin = performance.now()
    await node.stop()
    gaps.push(performance.now() - begin)
    await producer.send({ topic: 'orders', key: null, value: Buffer.from('between') })
    sent.push('between')
    await node.start()
    await eventually(async () => {
      const { topics } = await client.metadata(['orders'])
      for (const { isr } of topics[0]?.partitions ?? []) assert.equal(isr.length, 3)
    })
  }
  going = false
  await produce
  await Promise.all(sending)
  await consume
  assert.deepEqual(got.sort(), sent.sort())
  await consumer.close()
  assert.ok(Math.max(...gaps) < 2000, `a node took ${gaps.map(Math.round)} ms to stop`)
})
