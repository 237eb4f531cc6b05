import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { Admin } from '../../src/client/admin.ts'
import { Cluster } from '../../src/client/cluster.ts'
import { readPartition } from '../../src/client/read-partition.ts'
import { type RunningBroker, startBroker } from '../../src/index.ts'
import type { KafkaRecord } from '../../src/protocol/batches/records.ts'
import { nodeWorld } from '../../src/world/node.ts'

let broker: RunningBroker
let base: string
let kafka: Cluster

before(async () => {
  broker = await startBroker({ config: { 'http.request.max.bytes': 1_000_000 } })
  base = `http://127.0.0.1:${broker.port}`
  kafka = new Cluster(nodeWorld, { bootstrap: [broker], retryBackoffMs: 10 })
})

after(async () => {
  kafka.close()
  await broker.stop()
})

let topics = 0

async function newTopic(partitions = 1, configs: Record<string, string> = {}): Promise<string> {
  const name = `topic-${topics++}`
  await new Admin(kafka).createTopics([{ name, partitions, configs }])
  return name
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any shape, which each test knows.
  readonly json: any
}

async function ask(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(base + path, init)
  const text = await response.text()
  const type = response.headers.get('content-type') ?? ''
  const json = /json$/.test(type) ? JSON.parse(text) : text
  return { status: response.status, type, headers: response.headers, json }
}

const post = (
  path: string,
  type: string,
  body: NonNullable<RequestInit['body']>,
  headers: Record<string, string> = {},
) => ask(path, { method: 'POST', headers: { 'content-type': type, ...headers }, body })
const push = (topic: string, body: unknown, query = '', headers: Record<string, string> = {}) =>
  post(`/topics/${topic}/records${query}`, 'application/json', JSON.stringify(body), headers)

/** As a Kafka client sees it. */
async function stored(topic: string, partition = 0): Promise<readonly KafkaRecord[]> {
  return (await readPartition(kafka, { topic, partition }, { offset: 0, maxRecords: 1e6, maxBytes: 1e8 })).records
}

const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString())
const shown = ({ key, value, headers }: KafkaRecord) => ({
  key: text(key),
  value: text(value),
  headers: Object.fromEntries(headers.map(each => [each.key, text(each.value)])),
})
const valuesOf = async (topic: string, partition = 0) => (await stored(topic, partition)).map(each => text(each.value))

test('one record: its place comes back, and a Kafka client finds it there', async () => {
  const topic = await newTopic(3)
  const body = {
    key: 'user-7',
    value: { hello: 'world' },
    headers: { trace: 'abc' },
    partition: 2,
    timestamp: 1234567890123,
  }
  const { status, json } = await push(topic, body)
  assert.equal(status, 200)
  assert.deepEqual(json, { topic, partition: 2, offset: 0, timestamp: 1234567890123 })
  const [record] = await stored(topic, 2)
  assert.deepEqual(shown(record!), { key: 'user-7', value: '{"hello":"world"}', headers: { trace: 'abc' } })
  assert.equal(record!.timestamp, 1234567890123)
})

test('a key goes where every Kafka client would send it', async () => {
  const topic = await newTopic(8)
  const { json } = await push(topic, { key: 'foobar', value: 1 })
  // murmur2 of foobar is −790332482.
  assert.equal(json.partition, (-790332482 & 0x7fffffff) % 8)
})

test('a topic that does not exist is made, as the broker is configured', async () => {
  const { status, json } = await push('made-by-push', { value: 'first' })
  assert.deepEqual([status, json.offset], [200, 0])
  assert.deepEqual(await valuesOf('made-by-push'), ['first'])
})

test('a batch: a place for each, in order', async () => {
  const topic = await newTopic(2)
  const records = Array.from({ length: 1000 }, (_, i) => ({ value: `v${i}`, partition: i % 2 }))
  const { status, json } = await push(topic, { records })
  assert.equal(status, 200)
  assert.equal(json.records.length, 1000)
  for (const [i, place] of json.records.entries()) {
    assert.deepEqual([place.partition, place.offset], [i % 2, i >> 1])
  }
  assert.deepEqual(
    await valuesOf(topic, 1),
    Array.from({ length: 500 }, (_, i) => `v${2 * i + 1}`),
  )
})

test('of a batch that is partly refused each record tells its fate; when none is written, the status does', async () => {
  const topic = await newTopic(1, { 'cleanup.policy': 'compact' })
  const alone = await push(topic, { value: 'no key' })
  assert.deepEqual([alone.status, alone.type, alone.json.error], [400, 'application/problem+json', 'INVALID_RECORD'])
  const all = await push(topic, { records: [{ value: 'a' }, { value: 'b' }] })
  assert.deepEqual([all.status, all.json.error, all.json.records.length], [400, 'INVALID_RECORD', 2])
  const wide = await newTopic(2)
  const some = await push(wide, {
    records: [
      { value: 'a', partition: 0 },
      { value: 'b', partition: 7 },
    ],
  })
  assert.equal(some.status, 207)
  assert.deepEqual([some.json.failed, some.json.records[0].offset], [1, 0])
  assert.equal(some.json.records[1].error.status, 404)
  assert.match(some.json.records[1].error.detail, /no partition 7; it has 2/)
})

test('acks=0 does not wait, and says so; acks=1 and all do', async () => {
  const topic = await newTopic()
  const none = await push(topic, { value: 0 }, '?acks=0')
  assert.deepEqual([none.status, none.json.partition, none.json.offset], [202, 0, null])
  while ((await stored(topic)).length < 1) await new Promise(resolve => setTimeout(resolve, 5))
  assert.equal((await push(topic, { value: 1 }, '?acks=1')).json.offset, 1)
  assert.equal((await push(topic, { value: 2 }, '?acks=all')).json.offset, 2)
  assert.equal((await push(topic, { value: 3 }, '?acks=2')).status, 400)
})

test('bytes: the body is the value', async () => {
  const topic = await newTopic(2)
  const path = `/topics/${topic}/records?key=k&partition=1`
  const value = Buffer.from([0, 255, 10, 13])
  const { status } = await post(path, 'application/octet-stream', value, { 'ottla-header-trace': 'abc' })
  assert.equal(status, 200)
  const [record] = await stored(topic, 1)
  assert.deepEqual(Buffer.from(record!.value!), value)
  assert.deepEqual([text(record!.key), shown(record!).headers], ['k', { trace: 'abc' }])
})

test('lines: a record each, counted by partition', async () => {
  const topic = await newTopic(2)
  const lines = Array.from({ length: 5000 }, (_, i) => JSON.stringify({ value: i, partition: i % 2 }))
  const { status, json } = await post(`/topics/${topic}/records`, 'application/x-ndjson', lines.join('\n'))
  assert.equal(status, 200)
  assert.deepEqual(json, {
    topic,
    written: 5000,
    failed: 0,
    partitions: [
      { partition: 0, records: 2500, firstOffset: 0, lastOffset: 2499 },
      { partition: 1, records: 2500, firstOffset: 0, lastOffset: 2499 },
    ],
  })
  assert.deepEqual((await valuesOf(topic, 1)).slice(0, 2), ['1', '3'])
})

test('a line that is wrong is told by its number; the others are written', async () => {
  const topic = await newTopic()
  const body = '{"value":1}\nnot json\n\n{"value":2}\n{"key":"k"}\n'
  const { status, json } = await post(`/topics/${topic}/records`, 'application/x-ndjson', body)
  assert.equal(status, 207)
  assert.deepEqual([json.written, json.failed], [2, 2])
  assert.deepEqual(
    json.errors.map((each: { line: number }) => each.line),
    [2, 4],
  )
  assert.equal(json.errors[1].error.detail, 'value is missing; null deletes the key')
  const none = await post(`/topics/${topic}/records`, 'application/x-ndjson', 'nope')
  assert.deepEqual([none.status, none.json.failed], [400, 1])
})

test('with Accept each line is answered by a line, while the body still comes', async () => {
  const topic = await newTopic()
  const headers = { 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' }
  const answers: string[] = []
  await new Promise<void>((resolve, reject) => {
    const sending = request(`${base}/topics/${topic}/records`, { method: 'POST', headers }, response => {
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        answers.push(...chunk.trimEnd().split('\n'))
        if (answers.length === 1) sending.write('{"value":\n')
        if (answers.length === 2) sending.end('{"value":"last"}')
      })
      response.on('end', resolve)
    })
    sending.on('error', reject)
    sending.write('{"value":"first"}\n')
  })
  const [first, wrong, last] = answers.map(each => JSON.parse(each))
  assert.deepEqual([answers.length, first.offset, wrong.line, wrong.error.status, last.offset], [3, 0, 2, 400, 1])
})

test('a client that goes in the middle of its lines has written what was whole', async () => {
  const topic = await newTopic()
  const headers = { 'content-type': 'application/x-ndjson', 'content-length': '1000' }
  const sending = request(`${base}/topics/${topic}/records`, { method: 'POST', headers })
  const gone = new Promise(resolve => sending.on('error', resolve))
  sending.write('{"value":"whole"}\n{"value":"ha')
  while ((await stored(topic)).length < 1) await new Promise(resolve => setTimeout(resolve, 5))
  sending.destroy()
  await gone
  assert.equal((await push(topic, { value: 'next' })).json.offset, 1)
  assert.deepEqual(await valuesOf(topic), ['whole', 'next'])
})

test('CloudEvents in all three modes', async () => {
  const topic = await newTopic()
  const path = `/topics/${topic}/records`
  const ce = { 'ce-id': '1', 'ce-source': '/shop', 'ce-specversion': '1.0', 'ce-type': 'made', 'ce-partitionkey': 'k' }
  const binary = await post(path, 'application/json', '{"n":1}', ce)
  assert.equal(binary.status, 200)
  const event = { specversion: '1.0', id: '2', source: '/shop', type: 'made', data: 2 }
  assert.equal((await post(path, 'application/cloudevents+json', JSON.stringify(event))).json.offset, 1)
  const batch = await post(path, 'application/cloudevents-batch+json; charset=utf-8', JSON.stringify([event, event]))
  assert.deepEqual(
    batch.json.records.map((each: { offset: number }) => each.offset),
    [2, 3],
  )
  const [first, second] = (await stored(topic)).map(shown)
  assert.deepEqual([first?.key, first?.value, first?.headers.ce_type], ['k', '{"n":1}', 'made'])
  assert.deepEqual([first?.headers['content-type'], second?.value], ['application/json', JSON.stringify(event)])
  assert.match(second?.headers['content-type'] ?? '', /^application\/cloudevents\+json/)
})

test('what cannot be understood is a problem that says what would be', async () => {
  const topic = await newTopic()
  const path = `/topics/${topic}/records`
  const cases: [Promise<Answer>, number, RegExp][] = [
    [post(path, 'image/png', 'hi'), 415, /records come as application\/json.*not as image\/png/],
    [post(path, 'text/plain', 'hi'), 415, /text\/plain, which any web page may send/],
    [push(topic, { valu: 1 }), 400, /valu is not known here/],
    [push(topic, { value: 1, partition: 'x' }), 400, /partition must be a whole number/],
    [push(topic, { value: 1 }, '?partition=x'), 400, /partition must be a whole number/],
    [push(topic, { value: 1 }, '?ack=all'), 400, /no query parameter ack.*acks/],
    [push(topic, { value: 1, partition: 1 }), 404, /no partition 1; it has 1/],
    [push('__consumer_offsets', { value: 1 }), 400, /internal topic/],
    [push('no%20name', { value: 1 }), 400, /topic must match/],
    [post(path, 'application/json', Buffer.from([0x22, 0xff, 0x22])), 400, /not UTF-8/],
    [push(topic, { value: 'x'.repeat(1_000_000) }), 413, /1000000 bytes/],
    [post(path, 'application/x-ndjson', `{"value":"${'x'.repeat(1_100_000)}"}`), 413, /A line may have/],
  ]
  for (const [asking, status, detail] of cases) {
    const answer = await asking
    assert.equal(answer.status, status, String(detail))
    assert.equal(answer.type, 'application/problem+json')
    assert.match(answer.json.detail, detail)
  }
  assert.deepEqual(await stored(topic), [])
})

test('a record above the limit of its topic is refused as too large', async () => {
  const topic = await newTopic(1, { 'max.message.bytes': '1000' })
  const { status, json } = await push(topic, { value: 'x'.repeat(2000) })
  assert.deepEqual([status, json.error], [413, 'MESSAGE_TOO_LARGE'])
})

test('a request that comes twice with its idempotency key is written once, and answered alike', async () => {
  const topic = await newTopic(3)
  const body = { records: [{ value: 1 }, { key: 'a', value: 2 }, { partition: 2, value: 3 }, { value: 4 }] }
  const key = { 'idempotency-key': 'order-17' }
  const first = await push(topic, body, '', key)
  await new Promise(resolve => setTimeout(resolve, 5))
  const [second, third] = await Promise.all([push(topic, body, '', key), push(topic, body, '', key)])
  assert.equal(first.status, 200)
  assert.deepEqual(second.json, first.json)
  assert.deepEqual(third.json, first.json)
  const all = await Promise.all([0, 1, 2].map(partition => stored(topic, partition)))
  assert.equal(all.flat().length, 4)
  for (const { partition, offset, timestamp } of first.json.records)
    assert.equal(all[partition]!.find(record => record.offset === offset)!.timestamp, timestamp)
})

test('a request that comes twice is answered with the times that it asked for, and those of the broker', async () => {
  const again = async (topic: string, body: unknown) => {
    const key = { 'idempotency-key': 'twice' }
    const { json } = await push(topic, body, '', key)
    await new Promise(resolve => setTimeout(resolve, 5))
    assert.deepEqual((await push(topic, body, '', key)).json, json)
    return json.records.map(({ timestamp }: { timestamp: number }) => timestamp)
  }
  const body = { records: [{ value: 1, timestamp: 7 }, { value: 2 }, { value: 3, timestamp: 9 }] }
  const [first, second, third] = await again(await newTopic(), body)
  assert.deepEqual([first, third], [7, 9])
  assert.ok(Math.abs(Date.now() - second) < 60_000)
  assert.deepEqual(await again(await newTopic(), { records: body.records.slice(0, 1) }), [7])
  const [same, ...others] = await again(await newTopic(1, { 'message.timestamp.type': 'LogAppendTime' }), body)
  assert.ok(same > 1_000_000_000_000)
  assert.deepEqual(others, [same, same])
})

test('an idempotency key that is used for something else is refused, and so is one without acks', async () => {
  const topic = await newTopic()
  const key = { 'idempotency-key': 'k' }
  assert.equal((await push(topic, { value: 1 }, '', key)).json.offset, 0)
  const other = await push(topic, { value: 2 }, '', key)
  assert.deepEqual([other.status, other.json.type], [422, 'urn:ottla:problem:idempotency-key-reused'])
  assert.equal((await push(topic, { value: 1 }, '', { 'idempotency-key': 'another' })).json.offset, 1)
  assert.equal((await push(topic, { value: 1 }, '?acks=1', key)).status, 400)
  assert.equal((await stored(topic)).length, 2)
})

test('reading: from an offset, a time, the beginning or the end, in pieces', async () => {
  const topic = await newTopic()
  const records = Array.from({ length: 10 }, (_, i) => ({ value: { i }, timestamp: 1000 + i }))
  await push(topic, { records })
  const read = async (query: string) => (await ask(`/topics/${topic}/records?${query}`)).json
  const numbers = (json: { records: { value: { i: number } }[] }) => json.records.map(each => each.value.i)
  const all = await read('')
  assert.deepEqual(numbers(all), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  assert.deepEqual([all.nextOffset, all.highWatermark, all.logStartOffset], [10, 10, 0])
  assert.deepEqual(all.records[3], {
    topic,
    partition: 0,
    offset: 3,
    timestamp: 1003,
    key: null,
    value: { i: 3 },
    headers: {},
  })
  const piece = await read('offset=4&maxRecords=2')
  assert.deepEqual([numbers(piece), piece.nextOffset], [[4, 5], 6])
  assert.deepEqual(numbers(await read('timestamp=1008')), [8, 9])
  assert.deepEqual(numbers(await read('timestamp=2000')), [])
  const end = await read('offset=latest')
  assert.deepEqual([numbers(end), end.nextOffset], [[], 10])
  assert.deepEqual(numbers(await read('maxBytes=1')), [0])
  assert.equal((await read('offset=4&maxRecords=1&valueFormat=string')).records[0].value, '{"i":4}')
  const beyond = await ask(`/topics/${topic}/records?offset=11`)
  assert.deepEqual([beyond.status, beyond.json.error], [416, 'OFFSET_OUT_OF_RANGE'])
  assert.equal((await ask(`/topics/${topic}/records?offset=1&timestamp=1`)).status, 400)
})

test('a large answer comes in pieces, as the reader takes it, and is whole', async () => {
  const topic = await newTopic()
  const value = 'x'.repeat(10_000)
  for (let i = 0; i < 10; i++) await push(topic, { records: new Array(60).fill({ value }) })
  const { status, json } = await ask(`/topics/${topic}/records?maxRecords=10000&maxBytes=8000000`)
  assert.deepEqual([status, json.records.length, json.nextOffset], [200, 600, 600])
  assert.ok(
    json.records.every(
      (each: { value: string; offset: number }, i: number) => each.value === value && each.offset === i,
    ),
  )
})

test('reading waits for a first record, and no longer than asked', async () => {
  const topic = await newTopic()
  const waiting = ask(`/topics/${topic}/records?waitMs=10000`)
  const none = await ask(`/topics/${topic}/records?waitMs=30`)
  assert.deepEqual([none.status, none.json.records, none.json.nextOffset], [200, [], 0])
  await push(topic, { value: 'here' })
  assert.equal((await waiting).json.records[0].value, 'here')
})

test('reading neither makes topics nor guesses partitions', async () => {
  assert.equal((await ask('/topics/not-there/records')).status, 404)
  const topic = await newTopic(2)
  const { status, json } = await ask(`/topics/${topic}/records`)
  assert.deepEqual([status, json.detail], [400, `${topic} has 2 partitions: say which one (partition=0 to 1)`])
  assert.equal((await ask(`/topics/${topic}/records?partition=2`)).status, 404)
})

test('who waits when the node stops is let go at once', async () => {
  const other = await startBroker()
  const at = `http://127.0.0.1:${other.port}/topics/t/records`
  await fetch(at, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"value":1}' })
  const waiting = fetch(`${at}?offset=latest&waitMs=60000`)
  await new Promise(resolve => setTimeout(resolve, 50))
  const from = performance.now()
  await other.stop()
  assert.equal((await waiting).status, 503)
  assert.ok(performance.now() - from < 20_000)
})
