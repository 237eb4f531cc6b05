// What a node gives to all who come over HTTP and gRPC together, as its settings say; at each limit one more is told so, and a
// metric shows it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GrpcClient, grpc, stands } from './grpc-kit.ts'
import { call, endHeaders, frame, hello, message, Type } from './http2-frames.ts'
import { ask, metricOf, Raw, start, until } from './kit.ts'

const node = await start({
  config: {
    'door.max.waiting': 3,
    'door.push.buffer.bytes': 1_048_576,
    'door.read.buffer.bytes': 2_000_000,
    'grpc.max.calls': 2,
    'grpc.max.message.bytes': 10_000,
    'http.event.kept.bytes': 100_000,
    'http.event.unsent.max.bytes': 200_000,
  },
})
const { url } = node

const metric = (name: string): Promise<number> => metricOf(url, name)

test('who waits for records: one more is told to come again', async () => {
  await ask(`${url}/topics`, { body: { name: 'quiet', partitions: 1 } })
  const wait = `${url}/topics/quiet/records?partition=0&offset=0&waitMs=20000`
  const aborter = new AbortController()
  const waiting = [1, 2, 3].map(() => ask(wait, { signal: aborter.signal }))
  const gone = Promise.allSettled(waiting)
  await until(async () => (await metric('ottla_door_waiting')) === 3)
  const { status, headers } = await ask(wait)
  assert.equal(status, 429)
  assert.ok(headers.has('retry-after'))
  const numbers = ['ottla_door_waiting_limit', 'ottla_door_waiting_refused_total'].map(metric)
  assert.deepEqual(await Promise.all(numbers), [3, 1])
  // Who finds something does not wait.
  await ask(`${url}/topics/quick/records`, { body: { value: 1 } })
  const found = await ask(`${url}/topics/quick/records?partition=0&waitMs=20000`)
  assert.deepEqual([found.status, found.json?.records?.length], [200, 1])
  aborter.abort()
  await gone
  await until(async () => (await metric('ottla_door_waiting')) === 0)
})

test('who waited for records gets a few of them, however many have come at once', async () => {
  await ask(`${url}/topics`, { body: { name: 'bursts', partitions: 1 } })
  const waiting = ask(`${url}/topics/bursts/records?offset=latest&waitMs=20000&maxRecords=1000&maxBytes=8000000`)
  await until(async () => (await metric('ottla_door_waiting')) === 1)
  const records = Array.from({ length: 40 }, () => ({ value: 'x'.repeat(10_000) }))
  await ask(`${url}/topics/bursts/records`, { body: { records } })
  const { status, json } = await waiting
  assert.deepEqual([status, json.records[0].offset, json.records.length, json.nextOffset], [200, 0, 7, 7])
})

test('records that wait to be written: what finds no room is told so', async () => {
  await ask(`${url}/topics`, { body: { name: 'busy', partitions: 1 } })
  const push = () => ask(`${url}/topics/busy/records`, { body: { value: 'x'.repeat(500_000) } })
  // One topic has half of the room: one such record at a time.
  const statuses = (await Promise.all(Array.from({ length: 12 }, push))).map(({ status }) => status)
  const refused = statuses.filter(status => status === 429).length
  assert.ok(refused > 0, statuses.join())
  assert.deepEqual([...new Set(statuses)].sort(), [200, 429])
  assert.equal(await metric('ottla_door_push_refused_total'), refused)
  assert.equal(await metric('ottla_door_push_limit_bytes'), 2 * 1_048_576)
  assert.equal((await push()).status, 200)
})

test('calls of gRPC, and how large their messages may be', async () => {
  const client = new GrpcClient(node.bootstrap, 'ottla.v1.Records')
  const streams = [1, 2].map(() => client.stream('Consume')({ topic: 'quiet' }))
  for (const stream of streams) stream.on('error', () => {})
  await Promise.all(streams.map(stands))
  const refused = (error: grpc.ServiceError) => error.code === grpc.status.RESOURCE_EXHAUSTED
  const produce = (bytes: number) =>
    client.call('Produce')({ topic: 'quiet', records: [{ value: Buffer.alloc(bytes) }] })
  await assert.rejects(produce(1), refused)
  const numbers = ['ottla_grpc_calls', 'ottla_grpc_calls_limit', 'ottla_grpc_calls_refused_total'].map(metric)
  assert.deepEqual(await Promise.all(numbers), [2, 2, 1])
  for (const stream of streams) stream.cancel()
  await until(async () => (await metric('ottla_grpc_calls')) === 0)
  await assert.rejects(produce(10_000), refused)
  assert.equal((await produce(9_000)).records.length, 1)
  client.close()
})

test('bodies that are held at one time: one more byte, and its request is told to come again', async () => {
  const own = await start({ config: { 'http.body.held.max.bytes': 100_000, 'http.request.max.bytes': 80_000 } })
  const read = (name: string) => metricOf(own.url, name)
  await ask(`${own.url}/topics`, { body: { name: 't', partitions: 1 } })
  const head = (length: number) =>
    `POST /topics/t/records HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/octet-stream\r\ncontent-length: ${length}\r\n\r\n`
  const [first, second, third] = await Promise.all([1, 2, 3].map(() => Raw.open(own.port)))
  first!.send(`${head(70_000)}${'x'.repeat(60_000)}`)
  second!.send(`${head(50_000)}${'x'.repeat(40_000)}`)
  await until(async () => (await read('ottla_door_body_bytes')) === 100_000)
  third!.send(`${head(1000)}x`)
  await until(async () => third!.got.includes('\r\n\r\n'))
  assert.match(third!.got, /^HTTP\/1\.1 503 .*retry-after: 1/s)
  assert.equal(await read('ottla_door_bodies_refused_total'), 1)
  assert.equal(await read('ottla_door_body_limit_bytes'), 100_000)
  // What is let go of is room for others.
  second!.close()
  await until(async () => (await read('ottla_door_body_bytes')) === 60_000)
  first!.send('x'.repeat(10_000))
  await until(async () => first!.got.includes('\r\n\r\n'))
  assert.match(first!.got, /^HTTP\/1\.1 200 /)
  assert.equal(await read('ottla_door_body_bytes'), 0)
  for (const raw of [first, third]) raw!.close()
})

test('messages of gRPC that are held take no room from bodies over HTTP', async () => {
  const { url, port } = await start({
    config: { 'http.body.held.max.bytes': 100_000, 'http.request.max.bytes': 80_000 },
  })
  const raws = await Promise.all([1, 2, 3].map(() => Raw.open(port)))
  const half = message(Buffer.alloc(60_000), { length: 4_000_000 })
  for (const raw of raws) {
    raw.send(Buffer.concat([hello, frame(Type.headers, endHeaders, 1, call('/ottla.v1.Records/Produce'))]))
    for (let from = 0; from < half.length; from += 16_000)
      raw.send(frame(Type.data, 0, 1, half.subarray(from, from + 16_000)))
  }
  await until(async () => (await metricOf(url, 'ottla_grpc_message_bytes')) >= 180_000)
  assert.ok((await metricOf(url, 'ottla_grpc_message_limit_bytes')) > 1_000_000)
  const headers = { 'content-type': 'application/octet-stream' }
  assert.equal((await ask(`${url}/topics/t/records`, { body: Buffer.alloc(70_000), headers })).status, 200)
  for (const raw of raws) raw.close()
  await until(async () => (await metricOf(url, 'ottla_grpc_message_bytes')) === 0)
})

/** Asks for much and takes nothing, until somebody is refused. */
async function leaveAnswers(url: string, port: number): Promise<Raw[]> {
  const headers = { 'content-type': 'application/octet-stream' }
  await ask(`${url}/topics/large/records`, { body: Buffer.alloc(60_000, 'x'), headers })
  const raws = await Promise.all(Array.from({ length: 12 }, () => Raw.open(port)))
  for (const raw of raws) {
    raw.socket.pause()
    raw.send(`GET /topics/large/records HTTP/1.1\r\nhost: localhost\r\n\r\n`.repeat(120))
  }
  // It may be the page of metrics that is refused.
  await until(async () => (await metricOf(url, 'ottla_door_answers_refused_total')) !== 0)
  return raws
}

test('answers that are left: one that is too much on top of them is a refusal', async () => {
  const own = await start({ config: { 'http.answer.unsent.max.bytes': 1_048_576 } })
  const { url, port } = own
  const read = (name: string) => metricOf(url, name)
  assert.equal(await read('ottla_door_answer_limit_bytes'), 1_048_576)
  const raws = await leaveAnswers(url, port)
  for (const raw of raws) raw.close()
  await until(async () => (await read('ottla_door_answer_bytes')) < 100_000)
  assert.ok((await read('ottla_door_answers_refused_total')) > 0)
  assert.equal((await ask(`${url}/topics/large/records`)).status, 200)
})

/** Records of a topic that has one partition. */
const countOf = async (at: string, topic: string): Promise<number> =>
  (await ask(`${at}/topics/${topic}`)).json.partitions[0].end

test('while clients leave too much, what has been done is told, and else nothing is done', async () => {
  const { url, port } = await start({ config: { 'http.answer.unsent.max.bytes': 1_048_576, 'num.partitions': 1 } })
  const read = (name: string) => metricOf(url, name)
  const batch = JSON.stringify({ records: Array.from({ length: 2000 }, (_, value) => ({ value })) })
  const headers = { 'content-type': 'application/json' }
  const push = (topic: string) => ask(`${url}/topics/${topic}/records`, { body: batch, headers })
  const refused = () => read('ottla_door_answers_refused_total')
  const raws = await leaveAnswers(url, port)
  // Its own answer is too much.
  const { status, json } = await push('t')
  assert.deepEqual([status, json.records?.length], [200, 2000])
  assert.equal(await countOf(url, 't'), 2000)
  // Those are refused until they are closed; pulls are not.
  await ask(`${url}/topics/huge/records`, { body: JSON.stringify({ value: 'x'.repeat(900_000) }), headers })
  const pull = (group: number) => `POST /topics/huge/pull?group=g${group} HTTP/1.1\r\nhost: localhost\r\n\r\n`
  for (let i = 0; i < 4; i++) {
    const raw = await Raw.open(port)
    raws.push(raw)
    raw.socket.pause()
    for (let j = 0; j < 30; j++) raw.send(pull(30 * i + j))
  }
  // The page itself may be refused: somebody was, by then.
  const before = (await refused()) || 1
  let done = 2000
  await until(async () => {
    const answer = await push('t')
    if (answer.status === 200) done += 2000
    else assert.equal(answer.status, 503)
    return answer.status === 503
  }, 10_000)
  for (const raw of raws) raw.close()
  await until(async () => (await read('ottla_door_answer_bytes')) < 100_000)
  assert.ok((await refused()) > before)
  assert.equal(await countOf(url, 't'), done)
})

test('behind an answer that is the last of its connection nothing is done', async () => {
  const { url, port } = await start({ config: { 'http.answer.unsent.max.bytes': 1_048_576, 'num.partitions': 1 } })
  for (const name of ['quiet', 't']) await ask(`${url}/topics`, { body: { name } })
  const headers = { 'content-type': 'application/octet-stream' }
  await ask(`${url}/topics/large/records`, { body: Buffer.alloc(60_000, 'x'), headers })
  // What is left behind somebody who waits stays left: no kernel takes a part of it.
  const get = (query: string) => `GET /topics/${query} HTTP/1.1\r\nhost: localhost\r\n\r\n`
  const raws = await Promise.all([1, 2, 3, 4, 5, 6].map(() => Raw.open(port)))
  for (const each of raws) each.send(get('quiet/records?partition=0&waitMs=60000') + get('large/records').repeat(7))
  await until(async () => (await metricOf(url, 'ottla_door_answers_refused_total')) !== 0, 20_000)
  // Eight are worked on at one time: the last has to wait until one of them is answered.
  const raw = await Raw.open(port)
  const push = `POST /topics/t/records HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{"value":1}`
  raw.send(`${get('large/records').repeat(8)}${push}`)
  assert.match(await raw.closed(20_000), /^HTTP\/1\.1 503 .*connection: close/s)
  for (const each of raws) each.close()
  assert.equal(await countOf(url, 't'), 0)
})

test('what is kept, and what may be left, is what the settings say', async () => {
  const names = ['ottla_door_read_limit_bytes', 'ottla_event_kept_limit_bytes', 'ottla_event_unsent_limit_bytes']
  assert.deepEqual(await Promise.all(names.map(metric)), [2_000_000, 100_000, 200_000])
})
