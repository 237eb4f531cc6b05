import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Admin } from '../../src/client/admin.ts'
import type { Cluster } from '../../src/client/cluster.ts'
import { clusterView } from '../../src/client/cluster-view.ts'
import { Consumer } from '../../src/client/consumer.ts'
import { Producer } from '../../src/client/producer.ts'
import { type RunningOttla, scratch, startOttla } from '../cli/processes.ts'
import { clientOf, eventually, freePort } from './kit.ts'

const place = scratch()
const ids = [1, 2, 3]
const ports: number[] = []
const processes = new Map<number, RunningOttla>()
let client: Cluster

before(async () => {
  for (const _ of ids) ports.push(await freePort())
  await Promise.all(ids.map(id => start(id, id > 1)))
  client = clientOf(ports.map(port => `127.0.0.1:${port}`).join(','))
  await new Admin(client).createTopics([
    { name: 'kept', partitions: 3, replicationFactor: 3, configs: { 'min.insync.replicas': '2' } },
  ])
  await eventually(async () => assert.equal((await voters()).length, 3))
})

after(async () => {
  client?.close()
  for (const process of [...processes.values()].reverse()) await process.stop()
  place.remove()
})

async function start(id: number, joins: boolean): Promise<void> {
  const args = ['start', '--port', String(ports[id - 1]), '--data', `${place.path}/${id}`, '--set', `node.id=${id}`]
  const joining = joins ? ['--join', `127.0.0.1:${ports[0]}`] : []
  const env = { OTTLA_TOKEN: 'ottla_a-secret-for-three-processes', OTTLA_QUORUM_VOTER_PROBATION_MS: '0' }
  processes.set(id, await startOttla([...args, ...joining], { env }))
}

const voters = async () => {
  const { quorum } = await clusterView(client)
  return quorum.filter(({ voter }) => voter)
}

const whole = () =>
  eventually(async () => {
    const { topics } = await client.metadata(['kept'])
    for (const { isr, leaderId } of topics[0]?.partitions ?? [])
      assert.deepEqual([isr.length, leaderId >= 0], [3, true])
  }, 20_000)

test('kill -9 of the controller, of a leader, and of all: what was acknowledged is there, once, and writes go on', async () => {
  const producer = new Producer(client, { deliveryTimeoutMs: 30_000 })
  const acknowledged: string[] = []
  let going = true
  let last = performance.now()
  let gap = 0
  const writers = [0, 1, 2].map(async partition => {
    for (let i = 0; going; i++) {
      const text = `${partition}-${i}`
      await producer.send({ topic: 'kept', partition, key: null, value: Buffer.from(text) })
      acknowledged.push(text)
      gap = Math.max(gap, performance.now() - last)
      last = performance.now()
      await sleep(2)
    }
  })
  const more = async () => {
    const before = acknowledged.length
    await eventually(() => assert.ok(acknowledged.length > before + 100), 20_000)
  }
  const kill = (id: number) => processes.get(id)?.stop('SIGKILL')
  await more()
  const { controller } = await clusterView(client)
  await kill(controller)
  await more()
  await start(controller, false)
  await whole()
  const { topics } = await client.metadata(['kept'])
  const leader = topics[0]?.partitions[0]?.leaderId ?? 0
  await kill(leader)
  await more()
  await start(leader, false)
  await whole()
  const gapOfOne = gap
  await Promise.all(ids.map(kill))
  await Promise.all(ids.map(id => start(id, false)))
  await more()
  going = false
  await Promise.all(writers)
  assert.deepEqual((await read(acknowledged.length)).sort(), acknowledged.sort())
  assert.ok(gapOfOne < 8000, `nothing was acknowledged for ${Math.round(gapOfOne)} ms`)
})

/** Everything, at least so many records. */
async function read(count: number): Promise<string[]> {
  const consumer = new Consumer(client, { autoOffsetReset: 'earliest' })
  consumer.assign([0, 1, 2].map(partition => ({ topic: 'kept', partition })))
  const found: string[] = []
  for (let idle = 0; found.length < count && idle < 50; idle++) {
    const records = await consumer.poll(200)
    if (records.length > 0) idle = 0
    for (const { value } of records) found.push(Buffer.from(value!).toString())
  }
  await consumer.close()
  return found
}
