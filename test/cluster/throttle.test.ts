import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Admin } from '../../src/client/admin.ts'
import type { Cluster } from '../../src/client/cluster.ts'
import { Producer } from '../../src/client/producer.ts'
import { type RunningCluster, startCluster } from '../../src/index.ts'
import { clientOf, eventually } from './kit.ts'

/** What is moved has a rate that can be set, and leaves replicas that keep up alone. */

const rate = 1_000_000
const bytes = 3_000_000
/** A fetch takes whole batches, up to `replica.fetch.max.bytes` at once; what it takes too much is rested for. */
const oneFetch = 1_200_000

let running: RunningCluster
let client: Cluster
let admin: Admin

before(async () => {
  running = await startCluster({ config: { 'replication.move.rate': rate } })
  client = clientOf(running.bootstrap)
  admin = new Admin(client)
})

after(async () => {
  client?.close()
  await running?.stop()
})

/** One partition with so many bytes, on node 1 only. */
async function filled(name: string): Promise<void> {
  await admin.createTopics([{ name, assignments: [[1]] }])
  const producer = new Producer(client, { maxBatchBytes: 50_000 })
  const values = Array.from({ length: bytes / 10_000 }, () => Buffer.alloc(10_000, 1))
  await Promise.all(values.map(value => producer.send({ topic: name, partition: 0, value })))
  await producer.close()
}

const moved = async (name: string) => {
  const { topics } = await client.metadata([name])
  return topics[0]?.partitions[0]?.isr.includes(2) === true
}

const move = (topic: string) => admin.reassign([{ topic, partition: 0, replicas: [1, 2] }])

const untilMoved = (name: string) => eventually(async () => assert.ok(await moved(name)), 30_000)

const set = (name: string, value: number) =>
  admin.alterConfigs({ type: 'broker', name: '1' }, [{ name, operation: 'set', value: String(value) }])

test('a move takes as long as its rate says, and acknowledgements do not wait for it', async () => {
  await admin.createTopics([{ name: 'live', assignments: [[1, 2]], configs: { 'min.insync.replicas': '2' } }])
  await filled('large')
  const producer = new Producer(client)
  const took: number[] = []
  let moving = true
  const writing = (async () => {
    while (moving) {
      const begun = performance.now()
      await producer.send({ topic: 'live', partition: 0, value: Buffer.alloc(100) })
      took.push(performance.now() - begun)
      await sleep(10)
    }
  })()
  const begun = performance.now()
  await move('large')
  await untilMoved('large')
  const ms = performance.now() - begun
  moving = false
  await writing
  await producer.close()
  const leastMs = ((bytes - oneFetch) * 1000) / rate
  assert.ok(ms >= leastMs, `${bytes} bytes moved in ${Math.round(ms)} ms, at ${rate} a second`)
  took.sort((a, b) => a - b)
  assert.ok(took.length > 20, `${took.length} acknowledgements meanwhile`)
  const slow = took[Math.floor(took.length * 0.9)]!
  assert.ok(slow < 200, `the slowest tenth of the acknowledgements took ${Math.round(slow)} ms and more`)
})

test('the rate can be changed while something moves, by our name or by Kafka’s', async () => {
  for (const [topic, name] of [
    ['own', 'replication.move.rate'],
    ['kafka', 'leader.replication.throttled.rate'],
  ] as const) {
    await filled(topic)
    await set(name, 50_000)
    await move(topic)
    await sleep(1500)
    assert.ok(!(await moved(topic)), `${name} is not heard of`)
    await set(name, 1_000_000_000)
    await untilMoved(topic)
  }
})
