import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { clusterView } from '../../src/client/cluster-view.ts'
import { Consumer } from '../../src/client/consumer.ts'
import { Producer } from '../../src/client/producer.ts'
import { eventually } from './kit.ts'
import { ThreeProcesses } from './three-processes.ts'

const nodes = new ThreeProcesses()

before(async () => {
  await nodes.start()
  await nodes.createTopic('kept')
  await eventually(async () => {
    const { quorum } = await clusterView(nodes.client)
    assert.equal(quorum.filter(({ voter }) => voter).length, 3)
  })
})

after(() => nodes.close())

test('kill -9 of the controller, of a leader, and of all: what was acknowledged is there, once, and writes go on', async () => {
  const { client, ids } = nodes
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
  await more()
  const { controller } = await clusterView(client)
  await nodes.kill(controller)
  await more()
  await nodes.restart(controller)
  await nodes.whole('kept')
  const { topics } = await client.metadata(['kept'])
  const leader = topics[0]?.partitions[0]?.leaderId ?? 0
  await nodes.kill(leader)
  await more()
  await nodes.restart(leader)
  await nodes.whole('kept')
  const gapOfOne = gap
  await Promise.all(ids.map(id => nodes.kill(id)))
  await Promise.all(ids.map(id => nodes.restart(id)))
  await more()
  going = false
  await Promise.all(writers)
  assert.deepEqual((await read(acknowledged.length)).sort(), acknowledged.sort())
  assert.ok(gapOfOne < 8000, `nothing was acknowledged for ${Math.round(gapOfOne)} ms`)
})

/** Everything, at least so many records. */
async function read(count: number): Promise<string[]> {
  const consumer = new Consumer(nodes.client, { autoOffsetReset: 'earliest' })
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
