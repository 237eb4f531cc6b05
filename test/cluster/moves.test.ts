import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Admin } from '../../src/client/admin.ts'
import type { Cluster } from '../../src/client/cluster.ts'
import { Consumer } from '../../src/client/consumer.ts'
import { Producer } from '../../src/client/producer.ts'
import { type RunningCluster, startCluster } from '../../src/index.ts'
import { IncrementalAlterConfigs } from '../../src/protocol/messages/incremental-alter-configs.ts'
import { UnregisterBroker } from '../../src/protocol/messages/unregister-broker.ts'
import { clientOf, eventually } from './kit.ts'

/** Partitions move while records come: nothing is lost, doubled or out of order. */

let running: RunningCluster
let client: Cluster

before(async () => {
  running = await startCluster({ config: { 'min.insync.replicas': 2, 'leader.imbalance.check.interval.seconds': 1 } })
  client = clientOf(running.bootstrap)
})

after(async () => {
  client?.close()
  await running?.stop()
})

/** A writer of numbers, each partition its own, that goes on until it is told to stop. */
class Load {
  readonly topic: string
  readonly partitions: number
  #sent = 0
  #going = true
  readonly #done: Promise<void>

  constructor(topic: string, partitions: number) {
    this.topic = topic
    this.partitions = partitions
    this.#done = this.#run()
  }

  async #run(): Promise<void> {
    const producer = new Producer(client, { deliveryTimeoutMs: 30_000 })
    const sending: Promise<unknown>[] = []
    while (this.#going) {
      for (let partition = 0; partition < this.partitions; partition++) {
        const value = Buffer.from(String(this.#sent).padEnd(100))
        sending.push(producer.send({ topic: this.topic, partition, value }))
      }
      this.#sent++
      await new Promise(resolve => setTimeout(resolve, 2))
    }
    await Promise.all(sending)
    await producer.close()
  }

  /** Stops it, and reads everything there is. */
  async check(): Promise<void> {
    this.#going = false
    await this.#done
    assert.ok(this.#sent > 20, 'too little was written to mean anything')
    const reader = new Consumer(client, { autoOffsetReset: 'earliest' })
    await reader.assign(Array.from({ length: this.partitions }, (_, partition) => ({ topic: this.topic, partition })))
    const got = Array.from({ length: this.partitions }, () => [] as number[])
    const total = this.#sent * this.partitions
    for (let count = 0, idle = 0; count < total && idle < 50; ) {
      const records = await reader.poll(100)
      for (const { partition, value } of records) got[partition]!.push(Number(Buffer.from(value!).toString()))
      count += records.length
      idle = records.length === 0 ? idle + 1 : 0
    }
    await reader.close()
    const expected = Array.from({ length: this.#sent }, (_, index) => index)
    for (const [partition, numbers] of got.entries()) {
      assert.deepEqual(numbers, expected, `partition ${partition} of ${this.topic}`)
    }
  }
}

const partitionsOf = async (topic: string) => (await client.metadata([topic])).topics[0]?.partitions ?? []

/** How many copies each node has. */
async function copies(topic: string): Promise<Map<number, number>> {
  const counts = new Map<number, number>()
  for (const { replicas } of await partitionsOf(topic)) {
    for (const id of replicas) counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return counts
}

async function inSync(topic: string): Promise<void> {
  for (const { replicas, isr } of await partitionsOf(topic)) {
    assert.deepEqual([...isr].sort(), [...replicas].sort())
  }
}

async function set(broker: number, value: string): Promise<void> {
  const connection = await client.controller()
  const configs = [{ name: 'balance.state', configOperation: 0, value }]
  const resources = [{ resourceType: 4, resourceName: String(broker), configs }]
  const { responses } = await connection.request(IncrementalAlterConfigs, { resources, validateOnly: false })
  assert.equal(responses[0]?.errorMessage ?? null, null)
}

for (const topology of ['isr', 'chain']) {
  test(`partitions move where they are told to, under load: ${topology}`, async () => {
    const admin = new Admin(client)
    const name = `moved-${topology}`
    const configs = { 'replication.topology': topology }
    await admin.createTopics([{ name, partitions: 3, replicationFactor: 2, configs }])
    const load = new Load(name, 3)
    for (const replicas of [
      [3, 1],
      [2, 3],
      [1, 2, 3],
      [2, 1],
    ]) {
      await admin.reassign([0, 1, 2].map(partition => ({ topic: name, partition, replicas })))
      await eventually(async () => {
        for (const partition of await partitionsOf(name)) {
          assert.deepEqual(partition.replicas, replicas)
          assert.equal(partition.leaderId, replicas[0])
        }
        await inSync(name)
      }, 30_000)
    }
    await load.check()
  })
}

test('a topic changes its topology under load', async () => {
  const admin = new Admin(client)
  await admin.createTopics([{ name: 'relinked', partitions: 3, replicationFactor: 3 }])
  const load = new Load('relinked', 3)
  for (const value of ['chain', 'isr', 'chain']) {
    await new Promise(resolve => setTimeout(resolve, 150))
    await admin.alterConfigs({ type: 'topic', name: 'relinked' }, [
      { name: 'replication.topology', operation: 'set', value },
    ])
  }
  await load.check()
  await inSync('relinked')
})

test('a fourth node gets its share under load, and gives it back when it is drained', async () => {
  const admin = new Admin(client)
  await admin.createTopics([{ name: 'shared', partitions: 8, replicationFactor: 3 }])
  const load = new Load('shared', 8)
  const { id } = await running.add()
  await eventually(async () => {
    assert.ok(((await copies('shared')).get(id) ?? 0) >= 5, 'it has no share yet')
    await inSync('shared')
  }, 30_000)
  await set(id, 'draining')
  await eventually(async () => {
    for (const { name, partitions } of (await client.metadata(null)).topics) {
      for (const part of partitions) {
        assert.ok(!part.replicas.includes(id), `${name} is on it still: ${JSON.stringify(part)}`)
      }
    }
    await inSync('shared')
  }, 30_000)
  await running.nodes.find(node => node.id === id)!.stop()
  const connection = await client.controller()
  await eventually(async () => {
    assert.equal((await connection.request(UnregisterBroker, { brokerId: id })).errorCode, 0)
  })
  await load.check()
})
