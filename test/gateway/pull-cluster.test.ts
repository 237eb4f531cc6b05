// Lease groups in a cluster of three: workers at every node, while the group's coordinator goes and comes.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Admin } from '../../src/client/admin.ts'
import type { Cluster } from '../../src/client/cluster.ts'
import { type ClusterNode, type RunningCluster, startCluster } from '../../src/index.ts'
import { clientOf, eventually } from '../cluster/kit.ts'

let running: RunningCluster
let kafka: Cluster

before(async () => {
  running = await startCluster({ config: { 'group.share.delivery.count.limit': 10 } })
  kafka = clientOf(running.bootstrap)
})

after(async () => {
  kafka?.close()
  await running?.stop()
})

async function newTopic(name: string): Promise<void> {
  const configs = { 'min.insync.replicas': '2' }
  await new Admin(kafka).createTopics([{ name, partitions: 3, replicationFactor: 3, configs }])
  await whole(name)
}

const whole = (name: string) =>
  eventually(async () => {
    const { topics } = await kafka.metadata([name])
    assert.ok(topics[0]?.partitions.every(each => each.leaderId >= 0 && each.isr.length === 3))
  }, 20_000)

interface Leased {
  readonly value: unknown
  readonly leaseId: string
  readonly partition: number
  readonly offset: number
}

async function post(node: ClusterNode, path: string, body?: unknown): Promise<{ status: number; json: never }> {
  const init = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const answer = await fetch(`http://127.0.0.1:${node.port}${path}`, { method: 'POST', ...init })
  return { status: answer.status, json: (await answer.json()) as never }
}

async function pull(node: ClusterNode, topic: string, query = ''): Promise<readonly Leased[]> {
  const { status, json } = await post(node, `/topics/${topic}/pull?group=workers${query}`)
  assert.equal(status, 200, JSON.stringify(json))
  return (json as { records: readonly Leased[] }).records
}

async function coordinatorOf(): Promise<ClusterNode> {
  const { topics } = await kafka.metadata(['__share_group_state'])
  return running.nodes.find(({ id }) => id === topics[0]?.partitions[0]?.leaderId)!
}

test('any node hands out, and any other one takes the answer', async () => {
  await newTopic('anywhere')
  const [one, two, three] = running.nodes as [ClusterNode, ClusterNode, ClusterNode]
  for (const [i, node] of running.nodes.entries())
    assert.equal((await post(node, '/topics/anywhere/records', { value: i, partition: i })).status, 200)
  const got: Leased[] = []
  for (const node of running.nodes) got.push(...(await pull(node, 'anywhere', '&waitMs=2000')))
  assert.deepEqual(got.map(({ value }) => value).sort(), [0, 1, 2])
  for (const [i, node] of [three, one, two].entries())
    assert.equal((await post(node, `/topics/anywhere/leases/${got[i]!.leaseId}/ack`)).status, 200)
  for (const node of running.nodes) assert.deepEqual(await pull(node, 'anywhere'), [])
})

test('who waits at one node gets what is written at another, soon', async () => {
  const waits: number[] = []
  for (const node of running.nodes) {
    const waiting = pull(node, 'anywhere', '&waitMs=10000')
    await sleep(100)
    const before = performance.now()
    await post(running.nodes[0]!, '/topics/anywhere/records', { value: 'x' })
    const [record] = await waiting
    waits.push(performance.now() - before)
    assert.equal((await post(node, `/topics/anywhere/leases/${record!.leaseId}/ack`)).status, 200)
  }
  assert.ok(
    waits.every(ms => ms < 2000),
    String(waits),
  )
})

test('who does not want to wait does not wait behind others who do', async () => {
  const coordinator = await coordinatorOf()
  for (const node of running.nodes) {
    const waiting = pull(node, 'anywhere', '&waitMs=6000')
    await sleep(200)
    const before = performance.now()
    assert.deepEqual(await pull(node, 'anywhere'), [])
    assert.deepEqual(await pull(node, 'anywhere', '&waitMs=100'), [])
    const ms = performance.now() - before
    assert.ok(ms < 1500, `${node === coordinator ? 'at the coordinator' : 'elsewhere'}: ${ms} ms`)
    const { json } = await post(node, '/topics/anywhere/records', { value: 'y' })
    assert.ok(json)
    const [record] = await waiting
    await post(node, `/topics/anywhere/leases/${record!.leaseId}/ack`)
  }
})

test('dead letters lie in partitions of the same numbers, wherever those are led', async () => {
  await newTopic('sick')
  for (const partition of [0, 1, 2])
    await post(running.nodes[0]!, '/topics/sick/records', { value: `bad ${partition}`, partition })
  const rejected: string[] = []
  while (rejected.length < 3)
    for (const { value, leaseId } of await pull(running.nodes[1]!, 'sick', '&max=3&waitMs=2000')) {
      assert.equal((await post(running.nodes[2]!, `/topics/sick/leases/${leaseId}/reject`)).status, 200)
      rejected.push(String(value))
    }
  for (const partition of [0, 1, 2])
    await eventually(async () => {
      const url = `http://127.0.0.1:${running.nodes[0]!.port}/topics/sick.dlq/records?partition=${partition}`
      const { records } = (await (await fetch(url)).json()) as { records?: { value: string }[] }
      assert.deepEqual(
        records?.map(({ value }) => value),
        [`bad ${partition}`],
      )
    }, 60_000)
})

test('a lease outlives its coordinator: nobody else gets the record, and it can be acknowledged', async () => {
  await newTopic('kept')
  const coordinator = await coordinatorOf()
  const others = running.nodes.filter(node => node !== coordinator)
  await post(others[0]!, '/topics/kept/records', { value: 'x' })
  const [record] = await pull(others[0]!, 'kept', '&waitMs=2000&leaseMs=20000')
  await coordinator.stop()
  assert.deepEqual(await pull(others[1]!, 'kept', '&waitMs=1000'), [])
  assert.equal((await post(others[1]!, `/topics/kept/leases/${record!.leaseId}/ack`)).status, 200)
  await coordinator.start()
  await whole('__share_group_state')
})

test('workers at every node, some of which die, and a coordinator that goes: every record is done once', async () => {
  await newTopic('crowd')
  await whole('crowd')
  const count = 300
  for (let i = 0; i < count; i += 50) {
    const records = Array.from({ length: 50 }, (_, j) => ({ value: i + j, key: String(i + j) }))
    assert.equal((await post(running.nodes[0]!, '/topics/crowd/records', { records })).status, 200)
  }
  const stopped = await coordinatorOf()
  const nodes = running.nodes.filter(node => node !== stopped)
  const done = new Map<unknown, number>()
  /** When its worker's lease of it ends, by the worker's own clock. */
  const held = new Map<unknown, number>()
  const leaseMs = 4000
  let pulls = 0
  const worker = async (at: number) => {
    while (done.size < count) {
      const node = nodes[(at + pulls++) % nodes.length]!
      const asked = performance.now()
      for (const { value, leaseId } of await pull(node, 'crowd', `&waitMs=500&leaseMs=${leaseMs}&max=2`)) {
        const until = held.get(value) ?? 0
        assert.ok(until <= performance.now(), `${value} is held by another worker for ${until - performance.now()} ms`)
        assert.ok(!done.has(value), `${value} was done before`)
        held.set(value, asked + leaseMs)
        // Some workers die with what they have.
        if (pulls % 40 === 7) continue
        const { status } = await post(nodes[(at + pulls) % nodes.length]!, `/topics/crowd/leases/${leaseId}/ack`)
        // 409: it took too long, and somebody else does it.
        if (status === 200) done.set(value, (done.get(value) ?? 0) + 1)
        else assert.equal(status, 409)
        held.delete(value)
      }
    }
  }
  const workers = Promise.all(Array.from({ length: 12 }, (_, at) => worker(at)))
  await eventually(() => assert.ok(done.size > count / 4), 60_000)
  await stopped.stop()
  await workers
  assert.deepEqual(
    [...done.keys()].map(Number).sort((one, other) => one - other),
    Array.from({ length: count }, (_, i) => i),
  )
  await stopped.start()
})

test('a partition without a leader keeps nobody for long, and nothing of others from him', async () => {
  const coordinator = await coordinatorOf()
  const stopped = running.nodes.find(node => node !== coordinator)!
  const node = running.nodes.find(each => each !== coordinator && each !== stopped)!
  await new Admin(kafka).createTopics([
    { name: 'lonely', assignments: [[stopped.id], [node.id]] },
    { name: 'lost', assignments: [[stopped.id]] },
  ])
  const write = (topic: string, partition: number, count: number) => {
    const records = Array.from({ length: count }, (_, i) => ({ value: `${partition} ${i}`, partition }))
    return post(node, `/topics/${topic}/records`, { records })
  }
  for (const answer of [await write('lonely', 0, 20), await write('lost', 0, 20), await write('lonely', 1, 5)])
    assert.equal(answer.status, 200)
  // Their offsets are known to the group; their records to nobody here.
  for (const topic of ['lonely', 'lost'])
    for (const { leaseId } of await pull(coordinator, topic, '&max=2&waitMs=2000'))
      await post(coordinator, `/topics/${topic}/leases/${leaseId}/release?delayMs=0`)
  await stopped.stop()
  const asked = performance.now()
  const got = (await pull(node, 'lonely', '&max=100&waitMs=20000')).filter(({ partition }) => partition === 1)
  assert.ok(got.length > 0, 'nothing of the other partition')
  assert.ok(performance.now() - asked < 12_000, `${performance.now() - asked} ms`)
  const began = performance.now()
  const { status } = await post(node, '/topics/lost/pull?group=workers&max=20')
  assert.equal(status, 503)
  assert.ok(performance.now() - began < 20_000, `${performance.now() - began} ms`)
  const looked = performance.now()
  const large = await fetch(`http://127.0.0.1:${node.port}/topics/lost/records?offset=0&maxBytes=8388608`)
  assert.equal(large.status, 503)
  assert.ok(performance.now() - looked < 12_000, `${performance.now() - looked} ms`)
})
