// What Prometheus reads of a real broker.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { Admin } from '../../src/client/admin.ts'
import { Cluster } from '../../src/client/cluster.ts'
import { Consumer } from '../../src/client/consumer.ts'
import { commitOffsets } from '../../src/client/group-offsets.ts'
import { Producer } from '../../src/client/producer.ts'
import type { MetricsFormat } from '../../src/gateway/metrics/page.ts'
import { type ParsedFamily, parseMetrics } from '../../src/gateway/metrics/parse.test.kit.ts'
import { startCluster } from '../../src/index.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { Subscriber } from './event-source.ts'
import { ask, start } from './kit.ts'

type Families = ReadonlyMap<string, ParsedFamily>

async function scrape(url: string, format: MetricsFormat = 'prometheus'): Promise<Families> {
  const accept = format === 'openmetrics' ? 'application/openmetrics-text;version=1.0.0' : '*/*'
  const { status, text } = await ask(`${url}/metrics`, { headers: { accept } })
  assert.equal(status, 200)
  return parseMetrics(text, format)
}

/** The value of one series; undefined when there is none. */
function value(families: Families, name: string, labels: Record<string, string> = {}): number | undefined {
  const samples = families.get(name)?.samples ?? []
  const same = (own: Readonly<Record<string, string>>) =>
    JSON.stringify(Object.entries(own).sort()) === JSON.stringify(Object.entries(labels).sort())
  return samples.find(sample => sample.name === name && same(sample.labels))?.value
}

const labelsOf = (families: Families, name: string, label: string) =>
  families.get(name)?.samples.map(({ labels }) => labels[label])

let url = ''
let port = 0
before(async () => {
  const broker = await start()
  ;({ url, port } = broker)
})

async function withClient(port: number, use: (cluster: Cluster) => Promise<void>): Promise<void> {
  const cluster = new Cluster(nodeWorld, { bootstrap: [{ host: '127.0.0.1', port }], retryBackoffMs: 10 })
  try {
    await use(cluster)
  } finally {
    cluster.close()
  }
}

test('an empty node is read in both formats', async () => {
  for (const format of ['prometheus', 'openmetrics'] as const) {
    const families = await scrape(url, format)
    assert.equal(value(families, 'kafka_brokers'), 1)
    assert.equal(value(families, 'kafka_controller_kafkacontroller_activecontrollercount'), 1)
    assert.equal(value(families, 'ottla_connections_limit'), 2_147_483_647)
  }
})

test('topics, groups and what was done, by the names that dashboards use', async () => {
  await withClient(port, async cluster => {
    const topic = 'orders'
    await new Admin(cluster).createTopics([{ name: topic, partitions: 2 }])
    const producer = new Producer(cluster)
    for (let i = 0; i < 10; i++) await producer.send({ topic, partition: i % 2, value: Buffer.from(`${i}`) })
    await commitOffsets(cluster, 'readers', [{ topic, partition: 0, offset: 2 }, { topic, partition: 1, offset: 5 }]) // biome-ignore format: pairs
    const consumer = new Consumer(cluster, { groupId: 'members', autoOffsetReset: 'earliest' })
    consumer.subscribe([topic])
    for (let read = 0; read < 10; ) read += (await consumer.poll(500)).length
    const families = await scrape(url)
    const own = { topic, partition: '0' }
    const expected: [string, Record<string, string>, number][] = [
      ['kafka_topic_partitions', { topic }, 2],
      ['kafka_topic_partition_current_offset', own, 5],
      ['kafka_topic_partition_oldest_offset', own, 0],
      ['kafka_topic_partition_leader', own, 1],
      ['kafka_topic_partition_leader_is_preferred', own, 1],
      ['kafka_topic_partition_replicas', own, 1],
      ['kafka_topic_partition_in_sync_replica', own, 1],
      ['kafka_topic_partition_under_replicated_partition', own, 0],
      ['kafka_consumergroup_current_offset', { consumergroup: 'readers', ...own }, 2],
      ['kafka_consumergroup_lag', { consumergroup: 'readers', ...own }, 3],
      ['kafka_consumergroup_lag', { consumergroup: 'readers', topic, partition: '1' }, 0],
      ['kafka_consumergroup_lag_sum', { consumergroup: 'readers', topic }, 3],
      ['kafka_consumergroup_current_offset_sum', { consumergroup: 'readers', topic }, 7],
      ['kafka_consumergroup_members', { consumergroup: 'readers' }, 0],
      ['kafka_consumergroup_members', { consumergroup: 'members' }, 1],
      ['kafka_server_brokertopicmetrics_messagesin_total', { topic }, 10],
      ['kafka_server_brokertopicmetrics_messagesin_total', {}, 10],
      ['kafka_server_replicamanager_leadercount', {}, 3],
      ['kafka_server_replicamanager_underreplicatedpartitions', {}, 0],
      ['kafka_controller_kafkacontroller_globaltopiccount', {}, 2],
      ['kafka_log_log_logendoffset', own, 5],
      ['kafka_coordinator_group_groupmetadatamanager_numgroups', {}, 2],
    ]
    for (const [name, labels, wanted] of expected)
      assert.equal(value(families, name, labels), wanted, `${name} ${JSON.stringify(labels)}`)
    assert.ok(value(families, 'kafka_server_brokertopicmetrics_bytesout_total', { topic })! > 100)
    assert.equal(value(families, 'kafka_network_requestmetrics_requests_total', { request: 'Produce' }), 10)
    assert.ok(value(families, 'ottla_log_appended_batches_total')! >= 10)
    await consumer.close()
    await producer.close()
  })
})

test('streams of events are counted', async () => {
  await withClient(port, async cluster => {
    await new Admin(cluster).createTopics([{ name: 'streamed', partitions: 1 }])
    const subscriber = await Subscriber.open(`${url}/topics/streamed/events`)
    const producer = new Producer(cluster)
    await producer.send({ topic: 'streamed', value: Buffer.from('x') })
    await subscriber.got(1)
    const families = await scrape(url, 'openmetrics')
    assert.equal(value(families, 'ottla_event_streams'), 1)
    assert.equal(value(families, 'ottla_event_streams_limit'), 5000)
    assert.equal(families.get('ottla_event_deliveries')?.samples[0]?.value, 1)
    assert.ok(families.get('ottla_door_requests')?.samples.some(({ labels }) => labels.operation === 'GET /metrics'))
    subscriber.close()
    await producer.close()
  })
})

test('labels end at their limit, and sums stay right', async () => {
  const broker = await start({ config: { 'metrics.max.topics': 3, 'metrics.max.groups': 2 } })
  await withClient(broker.port, async cluster => {
    const names = ['t0', 'other', 't1', 't2', 't3', 't4']
    await new Admin(cluster).createTopics(names.map(name => ({ name, partitions: 1 })))
    const producer = new Producer(cluster)
    for (const topic of names) await producer.send({ topic, value: Buffer.from('x') })
    for (const group of ['g0', 'g1', 'g2', 'g3', 'other'])
      await commitOffsets(cluster, group, [{ topic: 't0', partition: 0, offset: 0 }])
    const families = await scrape(broker.url)
    assert.deepEqual(labelsOf(families, 'kafka_topic_partitions', 'topic'), ['t0', 't1', 't2'])
    const messages = 'kafka_server_brokertopicmetrics_messagesin_total'
    assert.deepEqual(labelsOf(families, messages, 'topic'), [undefined, 't0', 'other', 't1', 't2'])
    assert.equal(value(families, messages, { topic: 'other' }), 3)
    assert.equal(value(families, messages), 6)
    assert.deepEqual(labelsOf(families, 'kafka_consumergroup_lag', 'consumergroup'), ['g0', 'g1'])
    assert.deepEqual(labelsOf(families, 'kafka_consumergroup_lag_sum', 'consumergroup'), ['g0', 'g1', 'other'])
    assert.equal(value(families, 'kafka_consumergroup_lag_sum', { consumergroup: 'other', topic: 't0' }), 3)
    await producer.close()
  })
})

test('of a cluster each node shows its part, and the sum is the whole', async () => {
  const cluster = await startCluster({ nodes: 3 })
  try {
    await withClient(cluster.nodes[0]!.port, async client => {
      const topic = 'shared'
      await new Admin(client).createTopics([{ name: topic, partitions: 6, replicationFactor: 3 }])
      const producer = new Producer(client)
      for (let i = 0; i < 12; i++) await producer.send({ topic, partition: i % 6, value: Buffer.from('x') })
      const partitions = Array.from({ length: 6 }, (_, partition) => ({ topic, partition, offset: 1 }))
      await commitOffsets(client, 'readers', partitions)
      const all = await Promise.all(cluster.nodes.map(node => scrape(`http://127.0.0.1:${node.port}`)))
      const sum = (name: string) =>
        all
          .flatMap(families => families.get(name)?.samples ?? [])
          .reduce(
            (sum, { labels, value }) => sum + (labels.topic === topic || labels.topic === undefined ? value : 0),
            0,
          )
      assert.equal(sum('kafka_topic_partitions'), 6)
      assert.equal(sum('kafka_topic_partition_current_offset'), 12)
      assert.equal(sum('kafka_topic_partition_replicas'), 18)
      assert.equal(sum('kafka_consumergroup_lag'), 6)
      assert.equal(sum('kafka_consumergroup_lag_sum'), 6)
      assert.equal(sum('kafka_controller_kafkacontroller_activecontrollercount'), 1)
      await producer.close()
    })
  } finally {
    await cluster.stop()
  }
})
