import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type RunningCluster, startCluster } from '../../src/index.ts'
import { GrpcClient, grpc, stands, take } from '../gateway/grpc-kit.ts'

// The five calls of a message broker in Go, by its own `.proto` file, against a cluster of three: any node answers.

const cluster: RunningCluster = await startCluster()
const clients = cluster.nodes.map(node => new GrpcClient(node.bootstrap, 'broker.Broker'))
const [one, two, three] = clients as [GrpcClient, GrpcClient, GrpcClient]
after(async () => {
  for (const client of clients) client.close()
  await cluster.stop()
})

const subject = 'orders'
const body = Buffer.from('hello')

test('Publish returns an id; Fetch returns the message with that id, from any node', async () => {
  const { id } = await one.call('Publish')({ subject, body, expirationSeconds: 0 })
  for (const client of clients) {
    const message = await client.call('Fetch')({ subject, id })
    assert.deepEqual(message.body, body)
  }
})

test('Subscribe returns a stream of messages, wherever they are published', async () => {
  const stream = two.stream('Subscribe')({ subject })
  await stands(stream)
  const messages = take(stream, 3)
  for (const client of clients) await client.call('Publish')({ subject, body, expirationSeconds: 60 })
  assert.deepEqual(
    (await messages).map(message => message.body),
    [body, body, body],
  )
  stream.on('error', () => {})
  stream.cancel()
})

test('Fetch of a message that has expired finds none', async () => {
  const { id } = await one.call('Publish')({ subject, body, expirationSeconds: 1 })
  await new Promise(resolve => setTimeout(resolve, 1100))
  await assert.rejects(three.call('Fetch')({ subject, id }), { code: grpc.status.NOT_FOUND })
})

test('Broadcast is acknowledged, and reaches subscribers at every node', async () => {
  const streams = clients.map(client => client.stream('Subscribe')({ subject: 'news' }))
  await Promise.all(streams.map(stands))
  const heard = streams.map(stream => take(stream, 1))
  const { ack } = await one.call('Broadcast')({ subject: 'news', body })
  assert.equal(ack, true)
  for (const messages of await Promise.all(heard)) assert.deepEqual(messages[0]?.body, body)
  for (const stream of streams) {
    stream.on('error', () => {})
    stream.cancel()
  }
})

test('IncIdx counts from 0, over all nodes, and goes on when a node is gone', async () => {
  const numbers: number[] = []
  const count = async (client: GrpcClient) => {
    const { newIdx } = await client.call('IncIdx')({ subject })
    numbers.push(newIdx)
  }
  for (let round = 0; round < 5; round++) for (const client of clients) await count(client)
  assert.deepEqual(
    numbers,
    Array.from({ length: 15 }, (_, i) => i),
  )
  await cluster.nodes[0]!.stop()
  for (let round = 0; round < 5; round++) for (const client of [two, three]) await count(client)
  // None is given twice, and they grow; one whose answer was lost is missing.
  assert.deepEqual(
    numbers,
    [...new Set(numbers)].sort((a, b) => a - b),
  )
  assert.equal(numbers.length, 25)
})
