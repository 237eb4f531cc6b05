import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cluster } from '../../src/client/cluster.ts'
import { Consumer } from '../../src/client/consumer.ts'
import { Producer } from '../../src/client/producer.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { ask, start } from './kit.ts'

const broker = await start()
const { url } = broker

test('a group: who reads what, how far it is, and where it goes on', async () => {
  await ask(`${url}/topics`, { body: { name: 'bills', partitions: 2 } })
  const cluster = new Cluster(nodeWorld, { bootstrap: [{ host: '127.0.0.1', port: broker.port }], clientId: 'biller' })
  const producer = new Producer(cluster)
  const began = Date.now()
  for (let i = 0; i < 10; i++) {
    await producer.send({ topic: 'bills', partition: i % 2, value: Buffer.from(`${i}`), timestamp: began + i })
  }
  const consumer = new Consumer(cluster, { groupId: 'billing', autoOffsetReset: 'earliest' })
  await consumer.subscribe(['bills'])
  let read = 0
  while (read < 10) read += (await consumer.poll(500)).length
  await consumer.commit()
  await producer.send({ topic: 'bills', partition: 1, value: Buffer.from('late') })

  const { json: all } = await ask(`${url}/groups`)
  assert.deepEqual(all.groups, [{ group: 'billing', state: 'Stable', type: 'classic', protocolType: 'consumer' }])
  const { json } = await ask(`${url}/groups/billing`)
  assert.equal(json.state, 'Stable')
  assert.equal(json.lag, 1)
  assert.equal(json.members.length, 1)
  assert.equal(json.members[0].client, 'biller')
  const { member } = json.members[0]
  assert.deepEqual(json.offsets, [
    { topic: 'bills', partition: 0, committed: 5, end: 5, lag: 0, member },
    { topic: 'bills', partition: 1, committed: 5, end: 6, lag: 1, member },
  ])

  const reset = (body: unknown) => ask(`${url}/groups/billing/reset`, { body })
  const preview = await reset({ to: 'earliest' })
  assert.equal(preview.status, 200, preview.text)
  assert.equal(preview.json.executed, false)
  const moves = (to0: number, to1: number) => [
    { topic: 'bills', partition: 0, from: 5, to: to0 },
    { topic: 'bills', partition: 1, from: 5, to: to1 },
  ]
  assert.deepEqual(preview.json.moves, moves(0, 0))
  const refused = await reset({ to: 'earliest', execute: true })
  assert.equal(refused.status, 409)
  assert.equal(refused.json.error, 'NON_EMPTY_GROUP')
  assert.equal((await ask(`${url}/groups/billing`, { method: 'DELETE' })).status, 409)

  await consumer.close()
  for (const [to, expected] of [
    ['latest', moves(5, 6)],
    ['current', moves(5, 5)],
    [{ offset: 3 }, moves(3, 3)],
    [{ offset: 100 }, moves(5, 6)],
    [{ by: -2 }, moves(3, 3)],
    [{ timestamp: began + 6 }, moves(3, 3)],
    [{ timestamp: began + 1_000_000 }, moves(5, 6)],
  ] as const)
    assert.deepEqual((await reset({ to })).json.moves, expected, JSON.stringify(to))
  for (const [body, status] of [
    [{}, 400],
    [{ to: 'soon' }, 400],
    [{ to: { offset: -1 } }, 400],
    [{ to: { offset: 1, timestamp: 1 } }, 400],
    [{ to: 'latest', partitions: [{ topic: 'none' }] }, 404],
    [{ to: 'latest', partitions: [{ topic: 'bills', partition: 9 }] }, 404],
    [{ to: 'latest', partitions: [{ topic: 'bills' }, { topic: 'bills', partition: 0 }] }, 400],
  ] as const)
    assert.equal((await reset(body)).status, status, JSON.stringify(body))

  const done = await reset({ to: { offset: 2 }, partitions: [{ topic: 'bills', partition: 1 }], execute: true })
  assert.deepEqual(done.json, {
    group: 'billing',
    executed: true,
    moves: [{ topic: 'bills', partition: 1, from: 5, to: 2 }],
  })
  const { json: after } = await ask(`${url}/groups/billing`)
  assert.equal(after.state, 'Empty')
  assert.equal(after.lag, 4)
  assert.equal((await ask(`${url}/groups/billing`, { method: 'DELETE' })).status, 204)
  assert.equal((await ask(`${url}/groups/billing`)).status, 404)
  await producer.close()
  cluster.close()
})
