import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Cluster } from '../../src/client/cluster.ts'
import { Consumer } from '../../src/client/consumer.ts'
import { Producer } from '../../src/client/producer.ts'
import { type RunningBroker, startBroker } from '../../src/index.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { GrpcClient, grpc, stands, take } from './grpc-kit.ts'

const { status } = grpc
const node: RunningBroker = await startBroker({
  config: { 'num.partitions': 2, 'log.retention.check.interval.ms': 200 },
})
const broker = new GrpcClient(node.bootstrap, 'broker.Broker')
const records = new GrpcClient(node.bootstrap, 'ottla.v1.Records')
const health = new GrpcClient(node.bootstrap, 'grpc.health.v1.Health')
const kafka = new Cluster(nodeWorld, { bootstrap: [{ host: node.host, port: node.port }] })
after(async () => {
  for (const client of [broker, records, health, kafka]) client.close()
  await node.stop()
})

const text = (bytes: unknown) => Buffer.from(bytes as Uint8Array).toString()
const body = (word: string) => Buffer.from(word)
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
const fails = (code: number) => (error: grpc.ServiceError) => {
  assert.equal(error.code, code, error.message)
  return true
}

test('what is published can be fetched by its id, and read by any Kafka client', async () => {
  const publish = broker.call('Publish')
  const first = await publish({ subject: 'news', body: body('one') })
  const second = await publish({ subject: 'news', body: body('two') })
  assert.deepEqual([first.id, second.id], [0, 1])
  assert.equal(text((await broker.call('Fetch')({ subject: 'news', id: 1 })).body), 'two')
  const consumer = new Consumer(kafka)
  await consumer.assign([{ topic: 'news', partition: 0, start: 'earliest' }])
  const found = await consumer.poll(5000)
  assert.deepEqual(
    found.map(({ value }) => text(value)),
    ['one', 'two'],
  )
  await consumer.close()
})

test('subscribers get what is published after them, by whatever door, each all of it', async () => {
  await broker.call('Publish')({ subject: 'feed', body: body('before') })
  const streams = [1, 2].map(() => broker.stream('Subscribe')({ subject: 'feed' }))
  await Promise.all(streams.map(stands))
  const waiting = streams.map(stream => take(stream, 3))
  await broker.call('Publish')({ subject: 'feed', body: body('a') })
  const producer = new Producer(kafka)
  await producer.send({ topic: 'feed', partition: 0, value: body('b') })
  await producer.send({ topic: 'feed', partition: 1, value: body('c') })
  for (const messages of await Promise.all(waiting)) {
    const words = messages.map(message => text(message.body))
    assert.deepEqual([...words].sort(), ['a', 'b', 'c'])
    assert.ok(words.indexOf('a') < words.indexOf('b'))
  }
  for (const stream of streams) {
    stream.on('error', () => {})
    stream.cancel()
  }
})

test('a message that has expired is not found, and no stream shows it', async () => {
  const { id } = await broker.call('Publish')({ subject: 'short', body: body('gone soon'), expirationSeconds: 1 })
  await broker.call('Publish')({ subject: 'short', body: body('stays') })
  assert.equal(text((await broker.call('Fetch')({ subject: 'short', id })).body), 'gone soon')
  await pause(1100)
  await assert.rejects(broker.call('Fetch')({ subject: 'short', id }), fails(status.NOT_FOUND))
  const stream = records.stream('Consume')({ topic: 'short', from: 'FROM_EARLIEST', maxRecords: 1 })
  const [batch] = await take(stream, 1)
  assert.equal(text(batch!.records[0].value), 'stays')
})

test('what was never there is not found', async () => {
  await broker.call('Publish')({ subject: 'sparse', body: body('x') })
  await assert.rejects(broker.call('Fetch')({ subject: 'sparse', id: 7 }), fails(status.NOT_FOUND))
  await assert.rejects(broker.call('Fetch')({ subject: 'nowhere', id: 0 }), fails(status.NOT_FOUND))
  await assert.rejects(broker.call('Fetch')({ subject: 'sparse', id: -1 }), fails(status.INVALID_ARGUMENT))
  await assert.rejects(broker.call('Publish')({ subject: 'no/slash' }), fails(status.INVALID_ARGUMENT))
  await assert.rejects(
    broker.call('Publish')({ subject: 'sparse', expirationSeconds: -1 }),
    fails(status.INVALID_ARGUMENT),
  )
})

test('a broadcast is in every partition, and once in every subscription', async () => {
  const stream = broker.stream('Subscribe')({ subject: 'all' })
  await stands(stream)
  const waiting = take(stream, 2)
  await broker.call('Broadcast')({ subject: 'all', body: body('hear') })
  await pause(50)
  await broker.call('Publish')({ subject: 'all', body: body('end') })
  assert.deepEqual(
    (await waiting).map(message => text(message.body)),
    ['hear', 'end'],
  )
  stream.on('error', () => {})
  stream.cancel()
  const copies = await take(records.stream('Consume')({ topic: 'all', from: 'FROM_EARLIEST', maxRecords: 3 }), 2)
  const found = copies.flatMap(batch => batch.records).filter(record => text(record.value) === 'hear')
  assert.deepEqual(found.map(({ partition }) => partition).sort(), [0, 1])
  const ids = new Set(found.map(({ headers }) => text(headers[0].value)))
  assert.equal(ids.size, 1)
})

test('IncIdx gives each number once, whoever asks', async () => {
  const others = new GrpcClient(node.bootstrap, 'broker.Broker')
  const asking = Array.from({ length: 100 }, (_, i) => (i % 2 ? broker : others).call('IncIdx')({ subject: 'orders' }))
  const numbers = (await Promise.all(asking)).map(answer => answer.newIdx)
  assert.deepEqual(
    numbers.sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i),
  )
  assert.equal((await broker.call('IncIdx')({ subject: 'other' })).newIdx, 0)
  others.close()
})

test('batches carry keys, headers, partitions, null and empty values there and back', async () => {
  const sent = [
    { partition: 1, key: body('k'), value: body('v'), headers: [{ key: 'h', value: body('x') }, { key: 'null' }] },
    { partition: 1, timestamp: 1_600_000_000_000 },
    { partition: 1, key: body(''), value: body('') },
  ]
  const { records: placed } = await records.call('Produce')({ topic: 'batches', records: sent })
  assert.deepEqual(
    placed.map(({ partition, offset, error }: { partition: number; offset: number; error: unknown }) => [
      partition,
      offset,
      error,
    ]),
    [
      [1, 0, null],
      [1, 1, null],
      [1, 2, null],
    ],
  )
  const stream = records.stream('Consume')({
    topic: 'batches',
    partitions: [{ partition: 1, offset: 0 }],
    maxRecords: 3,
  })
  const found = (await take(stream, 1))[0]!.records
  assert.deepEqual(
    found.map(({ offset, key, value }: { offset: number; key: Buffer | null; value: Buffer | null }) => [
      offset,
      key == null ? null : text(key),
      value == null ? null : text(value),
    ]),
    [
      [0, 'k', 'v'],
      [1, null, null],
      [2, '', ''],
    ],
  )
  assert.equal(found[1].timestamp, 1_600_000_000_000)
  const [header, nothing] = found[0].headers
  assert.deepEqual([header.key, text(header.value), nothing.key, nothing.value ?? null], ['h', 'x', 'null', null])
})

test('records that cannot be written are told from those that were', async () => {
  const large = Buffer.alloc(1_100_000)
  const answer = await records.call('Produce')({
    topic: 'batches',
    records: [
      { partition: 0, value: body('fits') },
      { partition: 1, value: large },
    ],
  })
  assert.deepEqual([answer.records[0].error, answer.records[1].error.reason], [null, 'MESSAGE_TOO_LARGE'])
  const alone = records.call('Produce')({ topic: 'batches', records: [{ partition: 9, value: body('x') }] })
  await assert.rejects(alone, fails(status.NOT_FOUND))
})

test('a stream of batches is answered in order', async () => {
  const call = records.duplex('ProduceStream')()
  const answers = take(call, 50)
  for (let i = 0; i < 50; i++) call.write({ topic: 'streamed', records: [{ partition: 0, value: body(String(i)) }] })
  call.end()
  const offsets = (await answers).map(answer => answer.records[0].offset)
  assert.deepEqual(
    offsets,
    Array.from({ length: 50 }, (_, i) => i),
  )
})

test('a stream ends early with its error, although the client would go on', async () => {
  const call = records.duplex('ProduceStream')()
  call.write({ topic: 'streamed', records: [] })
  call.on('data', () => {})
  const error = await new Promise<grpc.ServiceError>(resolve => call.once('error', resolve))
  assert.equal(error.code, status.INVALID_ARGUMENT)
})

test('a client that takes its records late gets all of them', async () => {
  const value = Buffer.alloc(10_000)
  const producer = new Producer(kafka)
  await Promise.all(Array.from({ length: 300 }, () => producer.send({ topic: 'much', partition: 0, value })))
  const stream = records.stream('Consume')({ topic: 'much', from: 'FROM_EARLIEST', maxRecords: 300 })
  await stands(stream)
  await pause(300)
  const offsets: number[] = []
  for await (const batch of stream) for (const { offset } of batch.records) offsets.push(offset)
  assert.deepEqual(
    offsets,
    Array.from({ length: 300 }, (_, i) => i),
  )
})

test('deadlines and cancellation end what they were for', async () => {
  const stream = broker.stream('Subscribe')({ subject: 'feed' })
  await stands(stream)
  stream.cancel()
  await assert.rejects(take(stream, 1), fails(status.CANCELLED))
  const late = new GrpcClient(node.bootstrap, 'ottla.v1.Records')
  await assert.rejects(
    late.call('Produce')({ topic: 'late', records: [{ value: body('x') }] }, -1),
    fails(status.DEADLINE_EXCEEDED),
  )
  late.close()
})

test('health: Check, List, Watch', async () => {
  assert.equal((await health.call('Check')({})).status, 'SERVING')
  assert.equal((await health.call('Check')({ service: 'broker.Broker' })).status, 'SERVING')
  await assert.rejects(health.call('Check')({ service: 'nobody' }), fails(status.NOT_FOUND))
  const { statuses } = await health.call('List')({})
  assert.deepEqual(Object.keys(statuses).sort(), ['', 'broker.Broker', 'ottla.v1.Leases', 'ottla.v1.Records'])
  const watch = health.stream('Watch')({})
  assert.equal((await take(watch, 1))[0]?.status, 'SERVING')
  const unknown = health.stream('Watch')({ service: 'nobody' })
  assert.equal((await take(unknown, 1))[0]?.status, 'SERVICE_UNKNOWN')
  for (const stream of [watch, unknown]) {
    stream.on('error', () => {})
    stream.cancel()
  }
})

test('errors carry what programs want to know', async () => {
  const error: grpc.ServiceError = await broker
    .call('Fetch')({ subject: 'nowhere', id: 0 })
    .then(
      () => assert.fail('it was found'),
      error => error,
    )
  const [details] = error.metadata.get('grpc-status-details-bin')
  assert.match(String(details), /UNKNOWN_TOPIC_OR_PARTITION/)
  assert.match(String(details), /google\.rpc\.ErrorInfo/)
})
