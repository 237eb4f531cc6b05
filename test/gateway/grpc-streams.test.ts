// Streams of gRPC: all of a topic share one reader, each is paced by its own window, and cut when it takes nothing.
import assert from 'node:assert/strict'
import { connect, constants } from 'node:http2'
import { test } from 'node:test'
import { Cluster } from '../../src/client/cluster.ts'
import { Producer } from '../../src/client/producer.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { type Answer, GrpcClient, grpc, stands, take } from './grpc-kit.ts'
import { ask, sleep, start } from './kit.ts'

const { status } = grpc
const config = { 'num.partitions': 3, 'http.event.stall.ms': 3000 }
const node = await start({ config })
const text = (bytes: unknown) => Buffer.from(bytes as Uint8Array).toString()

async function metric(name: string): Promise<number> {
  const { text } = await ask(`${node.url}/metrics`)
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  for (const end = performance.now() + ms; !(await holds()); await sleep(20))
    assert.ok(performance.now() < end, `${ms} ms were not enough until ${what}`)
}

/** Runs with a producer, and what it takes. */
async function producing(run: (producer: Producer) => Promise<void>): Promise<void> {
  const kafka = new Cluster(nodeWorld, { bootstrap: [{ host: '127.0.0.1', port: node.port }] })
  const producer = new Producer(kafka)
  try {
    await run(producer)
  } finally {
    await producer.close()
    kafka.close()
  }
}

const create = (name: string, configs = {}) => ask(`${node.url}/topics`, { body: { name, partitions: 3, configs } })

test('200 streams of one topic cost one reader, and each gets everything in order', async () => {
  await create('news')
  const clients = Array.from({ length: 4 }, () => ({
    records: new GrpcClient(node.bootstrap, 'ottla.v1.Records', { 'grpc.use_local_subchannel_pool': 1 }),
    broker: new GrpcClient(node.bootstrap, 'broker.Broker', { 'grpc.use_local_subchannel_pool': 1 }),
  }))
  const streams = Array.from({ length: 200 }, (_, i) => {
    const { records, broker } = clients[i % 4]!
    return i % 2 === 0
      ? records.stream('Consume')({ topic: 'news', maxRecords: 30 })
      : broker.stream('Subscribe')({ subject: 'news' })
  })
  await Promise.all(streams.map(stands))
  // One reader for each kind of message, and two clients for all who are behind.
  assert.ok((await metric('ottla_door_waiting')) <= 4, `${await metric('ottla_door_waiting')} clients of the cluster`)
  assert.deepEqual([await metric('ottla_event_streams'), await metric('ottla_event_topics')], [200, 2])
  const connections = await metric('ottla_connections')
  const got = streams.map((stream, i) => take(stream, i % 2 === 0 ? Number.POSITIVE_INFINITY : 30))
  await producing(async producer => {
    for (let i = 0; i < 30; i++) await producer.send({ topic: 'news', partition: i % 3, value: Buffer.from(String(i)) })
    assert.ok((await metric('ottla_connections')) <= connections + 3)
  })
  for (const [i, answers] of (await Promise.all(got)).entries()) {
    const values = i % 2 === 0 ? answers.flatMap(({ records }) => records.map(({ value }: Answer) => value)) : answers.map(({ body }) => body) // biome-ignore format: one line
    const numbers = values.map(value => Number(text(value)))
    for (const partition of [0, 1, 2])
      assert.deepEqual(
        numbers.filter(number => number % 3 === partition),
        Array.from({ length: 10 }, (_, n) => n * 3 + partition),
      )
  }
  for (const stream of streams) stream.on('error', () => {}).cancel()
  await until('all are gone', async () => (await metric('ottla_event_streams')) === 0)
  await until('no reader is left', async () => (await metric('ottla_door_waiting')) === 0)
  for (const { records, broker } of clients) for (const client of [records, broker]) client.close()
})

test('a stream begins exactly where it says, in the partitions that it names', async () => {
  await create('places')
  await producing(async producer => {
    for (let i = 0; i < 30; i++)
      await producer.send({ topic: 'places', partition: i % 3, value: Buffer.from(String(i)), timestamp: 1000 + i })
  })
  const client = new GrpcClient(node.bootstrap, 'ottla.v1.Records')
  const read = async (request: object) => {
    const stream = client.stream('Consume')({ topic: 'places', ...request })
    const answers = await take(stream, Number.POSITIVE_INFINITY)
    const found = answers.flatMap(({ records }) => records)
    return found.map(({ partition, offset, value }) => [partition, offset, Number(text(value))])
  }
  assert.deepEqual(await read({ partitions: [{ partition: 1, offset: 8 }], maxRecords: 2 }), [
    [1, 8, 25],
    [1, 9, 28],
  ])
  const late = await read({ partitions: [{ partition: 0 }, { partition: 2 }], fromTimestamp: 1025, maxRecords: 3 })
  assert.deepEqual(late.sort(), [
    [0, 9, 27],
    [2, 8, 26],
    [2, 9, 29],
  ])
  assert.equal((await read({ from: 'FROM_EARLIEST', maxRecords: 30 })).length, 30)
  assert.equal((await read({ from: 'FROM_EARLIEST', maxRecords: 7 })).length, 7)
  const fails = (code: number) => (error: grpc.ServiceError) => error.code === code
  await assert.rejects(read({ partitions: [{ partition: 3 }] }), fails(status.NOT_FOUND))
  await assert.rejects(read({ partitions: [{ partition: 0, offset: 11 }] }), fails(status.OUT_OF_RANGE))
  // What was there before a stream of the latest is not in it, however many share its reader.
  const streams = [1, 2].map(() => client.stream('Consume')({ topic: 'places', maxRecords: 1 }))
  await stands(streams[0]!)
  await producing(async producer => {
    await producer.send({ topic: 'places', partition: 0, value: Buffer.from('30') })
    const third = client.stream('Consume')({ topic: 'places', maxRecords: 1 })
    await stands(third)
    await producer.send({ topic: 'places', partition: 0, value: Buffer.from('31') })
    const [answer] = await take(third, 1)
    assert.equal(text(answer!.records[0].value), '31')
  })
  for (const stream of streams) stream.on('error', () => {}).cancel()
  client.close()
})

test('who takes nothing is sent nothing more, and is cut; others do not notice', async () => {
  await create('flood')
  const client = new GrpcClient(node.bootstrap, 'ottla.v1.Records')
  const good = client.stream('Consume')({ topic: 'flood' })
  let count = 0
  good.on('data', ({ records }) => {
    count += records.length
  })
  good.on('error', () => {})
  await stands(good)
  // A client whose window stays as it was.
  const session = connect(node.url, { settings: { initialWindowSize: 65_535 } })
  const stream = session.request({
    ':method': 'POST',
    ':path': '/ottla.v1.Records/Consume',
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  const message = Buffer.from([0x0a, 5, ...Buffer.from('flood')])
  stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]))
  stream.pause()
  stream.on('error', () => {})
  await new Promise(resolve => stream.once('response', resolve))
  const value = Buffer.alloc(10_000)
  await producing(async producer => {
    await Promise.all(Array.from({ length: 100 }, (_, i) => producer.send({ topic: 'flood', partition: i % 3, value })))
  })
  await until('the good one has everything', () => count === 100)
  assert.ok((await metric('ottla_event_unsent_bytes')) < 300_000)
  await until('the bad one is cut', () => stream.closed)
  assert.equal(stream.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM)
  assert.equal(await metric('ottla_event_streams_cut_total'), 1)
  assert.equal(await metric('ottla_event_streams'), 1)
  session.destroy()
  good.cancel()
  client.close()
})

test('streams end with UNAVAILABLE when the node stops, and are found by name when their topic is gone', async () => {
  const other = await start({ config })
  await ask(`${other.url}/topics`, { body: { name: 'gone', partitions: 1 } })
  await ask(`${other.url}/topics`, { body: { name: 'stays', partitions: 1 } })
  const client = new GrpcClient(other.bootstrap, 'ottla.v1.Records')
  const ending = (topic: string) => {
    const stream = client.stream('Consume')({ topic })
    const error = new Promise<grpc.ServiceError>(resolve => stream.once('error', resolve))
    stream.on('data', () => {})
    return { stands: stands(stream), error }
  }
  const [gone, stays] = [ending('gone'), ending('stays')]
  await Promise.all([gone.stands, stays.stands])
  await ask(`${other.url}/topics/gone`, { method: 'DELETE' })
  assert.equal((await gone.error).code, status.NOT_FOUND)
  await other.stop()
  assert.equal((await stays.error).code, status.UNAVAILABLE)
  client.close()
})
