// What a node gives to all who come over HTTP and gRPC together, as its settings say; at each limit one more is told so, and a
// metric shows it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GrpcClient, grpc, stands } from './grpc-kit.ts'
import { ask, Raw, sleep, start } from './kit.ts'

const node = await start({
  config: {
    'door.max.waiting': 2,
    'door.push.buffer.bytes': 1_048_576,
    'door.read.buffer.bytes': 2_000_000,
    'grpc.max.calls': 2,
    'grpc.max.message.bytes': 10_000,
    'http.event.kept.bytes': 100_000,
    'http.event.unsent.max.bytes': 200_000,
  },
})
const { url } = node

async function metric(name: string): Promise<number> {
  const { text } = await ask(`${url}/metrics`)
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 5000; !(await holds()); await sleep(10))
    assert.ok(performance.now() < end, `not so after 5 s: ${holds}`)
}

test('who waits for records: one more is told to come again', async () => {
  await ask(`${url}/topics`, { body: { name: 'quiet', partitions: 1 } })
  const wait = `${url}/topics/quiet/records?partition=0&offset=0&waitMs=20000`
  const aborter = new AbortController()
  const waiting = [1, 2].map(() => ask(wait, { signal: aborter.signal }))
  const gone = Promise.allSettled(waiting)
  await until(async () => (await metric('ottla_door_waiting')) === 2)
  const { status, headers } = await ask(wait)
  assert.equal(status, 429)
  assert.ok(headers.has('retry-after'))
  const numbers = ['ottla_door_waiting_limit', 'ottla_door_waiting_refused_total'].map(metric)
  assert.deepEqual(await Promise.all(numbers), [2, 1])
  aborter.abort()
  await gone
  await until(async () => (await metric('ottla_door_waiting')) === 0)
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
  const read = async (name: string) => {
    const { text } = await ask(`${own.url}/metrics`)
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
  }
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

test('answers that are left: one that is too much on top of them is a refusal', async () => {
  const own = await start({ config: { 'http.answer.unsent.max.bytes': 1_048_576 } })
  const { url, port } = own
  const headers = { 'content-type': 'application/octet-stream' }
  await ask(`${url}/topics/t/records`, { body: Buffer.alloc(60_000, 'x'), headers })
  const read = async (name: string) => {
    const { text } = await ask(`${url}/metrics`)
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
  }
  assert.equal(await read('ottla_door_answer_limit_bytes'), 1_048_576)
  const raws = await Promise.all(Array.from({ length: 12 }, () => Raw.open(port)))
  for (const raw of raws) {
    raw.socket.pause()
    raw.send(`GET /topics/t/records HTTP/1.1\r\nhost: localhost\r\n\r\n`.repeat(120))
  }
  // The page of metrics is an answer, too.
  await until(async () => !((await read('ottla_door_answers_refused_total')) === 0))
  for (const raw of raws) raw.close()
  await until(async () => (await read('ottla_door_answer_bytes')) < 100_000)
  assert.ok((await read('ottla_door_answers_refused_total')) > 0)
  assert.equal((await ask(`${url}/topics/t/records`)).status, 200)
})

test('what is kept, and what may be left, is what the settings say', async () => {
  const names = ['ottla_door_read_limit_bytes', 'ottla_event_kept_limit_bytes', 'ottla_event_unsent_limit_bytes']
  assert.deepEqual(await Promise.all(names.map(metric)), [2_000_000, 100_000, 200_000])
})
