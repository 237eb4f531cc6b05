// What a node gives to all who come over HTTP and gRPC together, as its settings say; at each limit one more is told so, and a
// metric shows it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GrpcClient, grpc, stands } from './grpc-kit.ts'
import { ask, sleep, start } from './kit.ts'

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

test('what is kept, and what may be left, is what the settings say', async () => {
  const names = ['ottla_door_read_limit_bytes', 'ottla_event_kept_limit_bytes', 'ottla_event_unsent_limit_bytes']
  assert.deepEqual(await Promise.all(names.map(metric)), [2_000_000, 100_000, 200_000])
})
