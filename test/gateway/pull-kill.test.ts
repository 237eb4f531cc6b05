// kill -9 of the node that coordinates a lease group, under workers at the others.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '../cluster/kit.ts'
import { ThreeProcesses } from '../cluster/three-processes.ts'

const nodes = new ThreeProcesses({
  OTTLA_SHARE_COORDINATOR_STATE_TOPIC_NUM_PARTITIONS: '1',
  OTTLA_GROUP_SHARE_DELIVERY_COUNT_LIMIT: '10',
})

before(async () => {
  await nodes.start()
  await nodes.createTopic('jobs')
  await nodes.whole('jobs')
})

after(() => nodes.close())

async function post(id: number, path: string, body?: unknown) {
  const init = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const answer = await fetch(`http://127.0.0.1:${nodes.ports[id - 1]}${path}`, { method: 'POST', ...init })
  return { status: answer.status, json: (await answer.json()) as { records: { value: number; leaseId: string }[] } }
}

async function coordinator(): Promise<number> {
  const { topics } = await nodes.client.metadata(['__share_group_state'])
  return topics[0]!.partitions[0]!.leaderId
}

test('nobody has what another one has, and every record is done', async () => {
  const count = 600
  for (let i = 0; i < count; i += 50) {
    const records = Array.from({ length: 50 }, (_, j) => ({ value: i + j, key: String(i + j) }))
    assert.equal((await post(1, '/topics/jobs/records', { records })).status, 200)
  }
  const [first] = (await post(1, '/topics/jobs/pull?group=w&waitMs=5000&leaseMs=60000')).json.records
  await nodes.whole('__share_group_state')
  const killed = await coordinator()
  const alive = nodes.ids.filter(id => id !== killed)
  const done = new Set<number>()
  const held = new Map<number, number>()
  const leaseMs = 5000
  let turn = 0
  let last = performance.now()
  let gap = 0
  const worker = async () => {
    while (done.size < count - 1) {
      const asked = performance.now()
      const pulled = await post(alive[turn++ % 2]!, `/topics/jobs/pull?group=w&max=2&waitMs=300&leaseMs=${leaseMs}`)
      assert.equal(pulled.status, 200, JSON.stringify(pulled.json))
      for (const { value, leaseId } of pulled.json.records) {
        assert.ok((held.get(value) ?? 0) <= performance.now(), `${value} is held by another worker`)
        assert.ok(!done.has(value), `${value} was done before`)
        assert.notEqual(value, first!.value)
        gap = Math.max(gap, performance.now() - last)
        last = performance.now()
        held.set(value, asked + leaseMs)
        if (turn % 50 === 7) continue
        const { status } = await post(alive[turn % 2]!, `/topics/jobs/leases/${leaseId}/ack`)
        assert.ok(status === 200 || status === 409, String(status))
        if (status === 200) done.add(value)
        held.delete(value)
      }
    }
  }
  const workers = Promise.all(Array.from({ length: 8 }, worker))
  await eventually(() => assert.ok(done.size > count / 4), 60_000)
  await nodes.kill(killed)
  await workers
  assert.ok(!done.has(first!.value))
  // A lease of the one that was killed is as good as any.
  assert.equal((await post(alive[0]!, `/topics/jobs/leases/${first!.leaseId}/ack`)).status, 200)
  assert.ok(gap < 20_000, `nothing was handed out for ${Math.round(gap)} ms`)
  if (process.env.SAY_GAP) console.log('gap', gap)
})
