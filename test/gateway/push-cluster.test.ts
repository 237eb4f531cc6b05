// The push door in a cluster of three: every node is as good as any other.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Admin } from '../../src/client/admin.ts'
import type { Cluster } from '../../src/client/cluster.ts'
import { readPartition } from '../../src/client/read-partition.ts'
import { type RunningCluster, startCluster } from '../../src/index.ts'
import { clientOf, eventually } from '../cluster/kit.ts'

let running: RunningCluster
let kafka: Cluster

before(async () => {
  running = await startCluster()
  kafka = clientOf(running.bootstrap)
})

after(async () => {
  kafka?.close()
  await running?.stop()
})

const portOf = (id: number) => running.nodes.find(node => node.id === id)!.port

async function newTopic(name: string, partitions: number): Promise<void> {
  await new Admin(kafka).createTopics([
    { name, partitions, replicationFactor: 3, configs: { 'min.insync.replicas': '2' } },
  ])
  await eventually(async () => {
    const { topics } = await kafka.metadata([name])
    assert.ok(topics[0]?.partitions.every(each => each.leaderId >= 0 && each.isr.length === 3))
  })
}

function post(id: number, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${portOf(id)}${path}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}

async function valuesOf(topic: string, partitions: number): Promise<string[]> {
  const values: string[] = []
  for (let partition = 0; partition < partitions; partition++) {
    const read = await readPartition(kafka, { topic, partition }, { offset: 0, maxRecords: 1e6, maxBytes: 1e8 })
    values.push(...read.records.map(each => Buffer.from(each.value!).toString()))
  }
  return values
}

test('every node takes records for every partition, and reads them', async () => {
  await newTopic('everywhere', 3)
  for (const { id } of running.nodes) {
    for (const partition of [0, 1, 2]) {
      const answer = await post(id, '/topics/everywhere/records', { partition, value: `${id}-${partition}` })
      assert.equal(answer.status, 200, await answer.text())
    }
  }
  assert.deepEqual(await valuesOf('everywhere', 3), ['1-0', '2-0', '3-0', '1-1', '2-1', '3-1', '1-2', '2-2', '3-2'])
  for (const { id } of running.nodes) {
    const answer = await fetch(`http://127.0.0.1:${portOf(id)}/topics/everywhere/records?partition=1&waitMs=1000`)
    const { records } = (await answer.json()) as { records: { value: string }[] }
    assert.deepEqual(
      records.map(each => each.value),
      ['1-1', '2-1', '3-1'],
    )
  }
})

test('/produce: the leader takes it, the others say where that is, or write it themselves', async () => {
  await newTopic('orders', 3)
  const body = { topic: 'orders', message: 'Your message here' }
  const answers = new Map<number, Response>()
  for (const { id } of running.nodes) answers.set(id, await post(id, '/produce', body))
  const [leader] = [...answers].find(([, { status }]) => status === 200)!
  for (const [id, answer] of answers) {
    if (id === leader) continue
    assert.equal(answer.status, 307)
    assert.equal(answer.headers.get('location'), `http://127.0.0.1:${portOf(leader)}/produce`)
    const forwarded = await post(id, '/produce?forward=true', body)
    assert.equal(forwarded.status, 200)
    const followed = await fetch(`http://127.0.0.1:${portOf(id)}/produce`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    assert.deepEqual([followed.status, followed.redirected], [200, true])
  }
  assert.deepEqual(await valuesOf('orders', 3), new Array(5).fill('Your message here'))
})

test('an idempotency key counts at every node, also when the one that wrote is gone', async () => {
  await newTopic('once', 3)
  const body = { records: [0, 1, 2].map(partition => ({ partition, value: `v${partition}` })) }
  const key = { 'idempotency-key': 'payment-4711' }
  const places = async (answer: Response) => {
    assert.equal(answer.status, 200)
    const { records } = (await answer.json()) as { records: { partition: number; offset: number; timestamp: number }[] }
    return records.map(each => [each.partition, each.offset, each.timestamp])
  }
  const first = await places(await post(1, '/topics/once/records', body, key))
  assert.deepEqual(await places(await post(2, '/topics/once/records', body, key)), first)
  await running.nodes[0]!.stop()
  assert.deepEqual(await places(await post(3, '/topics/once/records', body, key)), first)
  assert.deepEqual(await valuesOf('once', 3), ['v0', 'v1', 'v2'])
  await running.nodes[0]!.start()
})

test('a node stops and comes back while others push: what was acknowledged is there, and only once', async () => {
  await newTopic('through', 6)
  const acknowledged: string[] = []
  let stopped = false
  const push = async (id: number) => {
    for (let i = 0; !stopped; i++) {
      const value = `${id}-${i}`
      const answer = await post(id, '/topics/through/records', { value, partition: i % 6 })
      assert.equal(answer.status, 200, await answer.text())
      acknowledged.push(value)
    }
  }
  const pushing = [1, 2, 1, 2].map((id, lane) =>
    push(id).catch(error => Promise.reject(new Error(`lane ${lane}: ${error}`))),
  )
  const third = running.nodes[2]!
  await third.stop()
  await third.start()
  await eventually(() => assert.ok(acknowledged.length > 200))
  stopped = true
  await Promise.all(pushing)
  // Two lanes at each node write the same names. A new leader learns only by and by what is committed.
  await eventually(async () => {
    assert.deepEqual((await valuesOf('through', 6)).sort(), [...acknowledged].sort())
  })
})
