// Server-sent events over HTTP, from a real broker.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Admin } from '../../src/client/admin.ts'
import { Cluster } from '../../src/client/cluster.ts'
import { GroupAdmin } from '../../src/client/group-admin.ts'
import { Producer, type RecordToSend } from '../../src/client/producer.ts'
import { nodeWorld } from '../../src/world/node.ts'
import { Subscriber } from './event-source.ts'
import { ask, sleep, start } from './kit.ts'

let url = ''
let kafka: Cluster
let admin: Admin
let producer: Producer
const subscribers = new Set<Subscriber>()

before(async () => {
  const broker = await start({ config: { 'http.event.heartbeat.ms': 300, 'http.event.stall.ms': 1500 } })
  url = broker.url
  kafka = new Cluster(nodeWorld, { bootstrap: [broker], retryBackoffMs: 10 })
  admin = new Admin(kafka)
  producer = new Producer(kafka)
})

after(async () => {
  for (const subscriber of subscribers) subscriber.close()
  await producer.close()
  kafka.close()
})

let topics = 0

async function newTopic(partitions = 1, configs: Record<string, string> = {}): Promise<string> {
  const name = `events-${topics++}`
  await admin.createTopics([{ name, partitions, configs }])
  return name
}

async function subscribe(
  topic: string,
  query = '',
  lastEventId: string | null = null,
  base = url,
): Promise<Subscriber> {
  const subscriber = await Subscriber.open(`${base}/topics/${topic}/events${query}`, lastEventId)
  subscribers.add(subscriber)
  return subscriber
}

const send = (topic: string, value: string, more: Partial<RecordToSend> = {}) =>
  producer.send({ topic, value: Buffer.from(value), ...more })

/** `v0` to `v<count − 1>`, spread over the partitions. */
async function fill(topic: string, count: number, partitions = 1, from = 0): Promise<void> {
  const sent = Array.from({ length: count }, (_, i) =>
    send(topic, `v${from + i}`, { partition: (from + i) % partitions }),
  )
  await Promise.all(sent)
}

const values = (subscriber: Subscriber) => subscriber.records.map(({ value }) => value)
const numbers = (from: number, count: number) => Array.from({ length: count }, (_, i) => `v${from + i}`)
const sorted = (texts: unknown[]) => [...texts].sort((a, b) => Number(String(a).slice(1)) - Number(String(b).slice(1)))

test('what is produced comes as an event', async () => {
  const topic = await newTopic()
  await send(topic, 'before')
  const subscriber = await subscribe(topic)
  assert.equal(subscriber.status, 200)
  assert.equal(subscriber.headers['content-type'], 'text/event-stream')
  assert.match(subscriber.headers['cache-control'] ?? '', /no-store/)
  assert.equal(subscriber.headers['x-accel-buffering'], 'no')
  assert.equal(subscriber.headers['content-encoding'], undefined)
  const headers = [{ key: 'h', value: Buffer.from('x') }]
  const { timestamp } = await send(topic, '{"a": 1}', { key: Buffer.from('k'), headers, timestamp: 1234 })
  assert.deepEqual(await subscriber.got(1), [
    { topic, partition: 0, offset: 1, timestamp, key: 'k', value: { a: 1 }, headers: { h: 'x' } },
  ])
  assert.match(subscriber.lastEventId, /^2@[\w-]{4}$/)
  assert.ok(subscriber.parser.retryMs! >= 1000 && subscriber.parser.retryMs! < 2000)
})

test('a stream has an id before its first event', async () => {
  const topic = await newTopic(3)
  await fill(topic, 4, 3)
  const subscriber = await subscribe(topic)
  await subscriber.until(() => subscriber.lastEventId !== '')
  assert.match(subscriber.lastEventId, /^2,1,1@/)
  subscriber.close()
  await fill(topic, 3, 3, 4)
  const again = await subscribe(topic, '', subscriber.lastEventId)
  await again.got(3)
  assert.deepEqual(sorted(values(again)), numbers(4, 3))
})

test('from the beginning, from a time, from now', async () => {
  const topic = await newTopic(2)
  for (let i = 0; i < 6; i++) await send(topic, `v${i}`, { partition: i % 2, timestamp: 1000 * (i + 1) })
  const [all, late, never, now] = await Promise.all([
    subscribe(topic, '?from=earliest'),
    subscribe(topic, '?from=4000'),
    subscribe(topic, `?from=${new Date(60_000).toISOString()}`),
    subscribe(topic, '?from=latest'),
  ])
  await all.got(6)
  await late.got(3)
  await fill(topic, 2, 2, 6)
  for (const subscriber of [never, now]) {
    await subscriber.got(2)
    assert.deepEqual(sorted(values(subscriber)), numbers(6, 2))
  }
  assert.deepEqual(sorted((await all.got(8)).map(({ value }) => value)), numbers(0, 8))
  assert.deepEqual(sorted((await late.got(5)).map(({ value }) => value)), numbers(3, 5))
})

test('every id of a stream leads to the rest of it, without gap or repeat', async () => {
  const topic = await newTopic(3)
  const live = await subscribe(topic)
  await fill(topic, 30, 3)
  await live.got(30)
  const behind = await subscribe(topic, '?from=earliest')
  await behind.got(30)
  for (const stream of [live, behind])
    for (const [i, { lastEventId }] of stream.events.entries()) {
      if (i % 7 !== 0) continue
      const seen = stream.records.slice(0, i + 1).map(({ value }) => value)
      const again = await subscribe(
        topic,
        i % 2 === 0 ? '' : `?lastEventId=${lastEventId}`,
        i % 2 === 0 ? lastEventId : null,
      )
      await again.got(29 - i)
      await sleep(20)
      assert.deepEqual(sorted([...seen, ...values(again)]), numbers(0, 30), lastEventId)
      again.close()
    }
})

test('a subscriber who comes while others are served misses nothing and gets nothing twice', async () => {
  const topic = await newTopic(2)
  const first = await subscribe(topic)
  let sent = 0
  const sending = (async () => {
    for (; sent < 200; sent++) await send(topic, `v${sent}`, { partition: sent % 2 })
  })()
  const joined: Subscriber[] = []
  for (let i = 0; i < 10; i++) {
    await sleep(10)
    joined.push(await subscribe(topic, '?from=earliest'))
  }
  await sending
  for (const subscriber of [first, ...joined]) {
    await subscriber.got(200)
    assert.deepEqual(sorted(values(subscriber)), numbers(0, 200))
    for (const partition of [0, 1]) {
      const offsets = subscriber.records.filter(record => record.partition === partition).map(({ offset }) => offset)
      assert.deepEqual(
        offsets,
        numbers(0, 100).map((_, offset) => offset),
      )
    }
  }
})

test('only the keys that were asked for, and an id that moves all the same', async () => {
  const topic = await newTopic()
  const [some, none] = await Promise.all([subscribe(topic, '?key=a&key=%C3%A4'), subscribe(topic, '?key=z')])
  for (const key of ['a', 'b', 'ä', 'a']) await send(topic, `of ${key}`, { key: Buffer.from(key) })
  await send(topic, 'without')
  assert.deepEqual(
    (await some.got(3)).map(({ key }) => key),
    ['a', 'ä', 'a'],
  )
  await none.until(() => /^5@/.test(none.lastEventId))
  assert.equal(none.events.length, 0)
  const behind = await subscribe(topic, '?key=b&from=earliest')
  assert.deepEqual(
    (await behind.got(1)).map(({ key }) => key),
    ['b'],
  )
  await behind.until(() => /^5@/.test(behind.lastEventId))
})

test('values as text or base64', async () => {
  const topic = await newTopic()
  await send(topic, '{"a":1}')
  const [text, base64] = await Promise.all([
    subscribe(topic, '?from=earliest&valueFormat=string'),
    subscribe(topic, '?from=earliest&valueFormat=base64'),
  ])
  assert.equal((await text.got(1))[0]!.value, '{"a":1}')
  assert.deepEqual((await base64.got(1))[0]!.value, { base64: Buffer.from('{"a":1}').toString('base64') })
})

test('a silent stream shows that it is alive', async () => {
  const subscriber = await subscribe(await newTopic())
  await subscriber.until(() => subscriber.parser.comments >= 2)
  assert.equal(subscriber.events.length, 0)
})

test('what has expired is not given out', async () => {
  const topic = await newTopic()
  const live = await subscribe(topic)
  const headers = [{ key: 'ottla-expires-at', value: Buffer.from('1000') }]
  await send(topic, 'dead', { headers })
  await send(topic, 'alive')
  assert.deepEqual(
    (await live.got(1)).map(({ value }) => value),
    ['alive'],
  )
  const behind = await subscribe(topic, '?from=earliest')
  assert.deepEqual(
    (await behind.got(1)).map(({ value }) => value),
    ['alive'],
  )
})

test('what is gone is told', async () => {
  const topic = await newTopic()
  await fill(topic, 10)
  await admin.deleteRecords([{ topic, partition: 0, offset: 6 }])
  const subscriber = await subscribe(topic, '', '2')
  await subscriber.got(4)
  assert.deepEqual(subscriber.notices, [`gap {"topic":"${topic}","partition":0,"expected":2,"offset":6}`])
  assert.deepEqual(values(subscriber), numbers(6, 4))
})

test('an id of records that the topic never had begins again with the oldest', async () => {
  const topic = await newTopic()
  await fill(topic, 2)
  const subscriber = await subscribe(topic, '', '1000')
  await subscriber.got(2)
  assert.deepEqual(subscriber.notices, [`gap {"topic":"${topic}","partition":0,"expected":1000,"offset":0}`])
})

test('an id of a former topic of that name begins again with the oldest', async () => {
  const topic = await newTopic()
  await fill(topic, 3)
  const before = await subscribe(topic, '?from=earliest')
  await before.got(3)
  await admin.deleteTopics([topic])
  await before.until(() => before.ended, 20_000)
  await admin.createTopics([{ name: topic, partitions: 2 }])
  kafka.forget([topic])
  await fill(topic, 10, 2, 3)
  const again = await subscribe(topic, '', before.lastEventId)
  await again.got(10)
  assert.deepEqual(again.notices, [`gap {"topic":"${topic}","partition":0,"expected":3,"offset":0}`])
  assert.deepEqual(sorted(values(again)), numbers(3, 10))
})

test('partitions that are added are read from their beginning', async () => {
  const topic = await newTopic(1)
  const subscriber = await subscribe(topic)
  await fill(topic, 1)
  await admin.createPartitions(topic, 3)
  kafka.forget([topic])
  await sleep(100)
  await fill(topic, 2, 3, 1)
  await subscriber.got(3, 20_000)
  assert.deepEqual(sorted(values(subscriber)), numbers(0, 3))
  assert.match(subscriber.lastEventId, /^1,1,1@/)
  const again = await subscribe(topic, '', '1')
  await again.got(2)
  assert.deepEqual(sorted(values(again)), numbers(1, 2))
})

test('a topic that is deleted ends its streams', async () => {
  const topic = await newTopic()
  const subscriber = await subscribe(topic)
  await admin.deleteTopics([topic])
  await subscriber.until(() => subscriber.ended, 20_000)
  assert.equal((await ask(`${url}/topics/${topic}/events`)).status, 404)
})

test('who does not read is sent nothing more, is cut, and goes on with its last id', async () => {
  const topic = await newTopic(2)
  const [slow, quick] = [await subscribe(topic), await subscribe(topic)]
  slow.pause()
  const value = Buffer.alloc(20_000, 'x')
  for (let i = 0; i < 700; i++) {
    await producer.ready()
    void producer.send({ topic, partition: i % 2, value, key: Buffer.from(String(i)) })
  }
  await producer.flush()
  await quick.got(700, 60_000)
  const metrics = async () => (await ask(`${url}/metrics`)).text
  const cut = async () => Number(/^ottla_event_streams_cut_total (\d+)$/m.exec(await metrics())![1])
  for (let i = 0; (await cut()) < 1; i++) {
    assert.ok(i < 100, 'it is not cut')
    assert.ok(Number(/^ottla_event_unsent_bytes (\d+)$/m.exec(await metrics())![1]) < 1_000_000)
    await sleep(50)
  }
  slow.resume()
  await slow.until(() => slow.ended)
  const keys = slow.records.map(({ key }) => Number(key))
  assert.ok(keys.length < 700, `${keys.length}`)
  const again = await subscribe(topic, '', slow.lastEventId)
  await again.got(700 - keys.length, 60_000)
  const all = [...keys, ...again.records.map(({ key }) => Number(key))].sort((a, b) => a - b)
  assert.deepEqual(
    all,
    numbers(0, 700).map((_, i) => i),
  )
})

test('what is wrong is said', async () => {
  const topic = await newTopic(2)
  const of = async (query: string, lastEventId = '') => {
    const headers = lastEventId === '' ? {} : { 'last-event-id': lastEventId }
    const { status, json } = await ask(`${url}/topics/${topic}/events${query}`, { headers })
    return `${status} ${json.detail}`
  }
  assert.match(await of('?from=yesterday'), /^400 .*earliest/)
  assert.match(await of('?to=3'), /^400 .*to/)
  assert.match(await of('', '1,x'), /^400 .*last event id/)
  assert.match(await of('', '1,2,3'), /^400 .*3 partitions.* has 2/)
  assert.match(await of('?group=g&from=1000'), /^400 .*earliest/)
  assert.match(await of('?valueFormat=xml'), /^400/)
  assert.equal((await ask(`${url}/topics/nowhere/events`)).status, 404)
  assert.equal((await ask(`${url}/topics/nowhere/events?group=g`)).status, 404)
})

test('a topic with too many partitions for an id is read by groups only', async () => {
  const topic = await newTopic(1001)
  const { status, json } = await ask(`${url}/topics/${topic}/events`)
  assert.deepEqual([status, /1001 partitions; .* with a group/.test(json.detail)], [400, true])
})

test('a HEAD says what a GET would be', async () => {
  const { status, headers } = await ask(`${url}/topics/${await newTopic()}/events`, { method: 'HEAD' })
  assert.equal(status, 200)
  assert.equal(headers.get('content-type'), 'text/event-stream')
})

test('no more streams than there may be', async () => {
  const broker = await start({ config: { 'http.max.event.streams': 2 } })
  const own = new Cluster(nodeWorld, { bootstrap: [broker], retryBackoffMs: 10 })
  await new Admin(own).createTopics([{ name: 't', partitions: 1 }])
  own.close()
  const open = () => subscribe('t', '', null, broker.url)
  const [first, second] = [await open(), await open()]
  const third = await open()
  assert.deepEqual([first.status, second.status, third.status], [200, 200, 503])
  assert.equal(third.headers['retry-after'], '5')
  first.close()
  await sleep(50)
  assert.equal((await open()).status, 200)
})

test('a node that stops ends its streams', async () => {
  const broker = await start()
  const own = new Cluster(nodeWorld, { bootstrap: [broker], retryBackoffMs: 10 })
  await new Admin(own).createTopics([{ name: 't', partitions: 1 }])
  own.close()
  const subscriber = await subscribe('t', '', null, broker.url)
  const begun = performance.now()
  await broker.stop()
  await subscriber.until(() => subscriber.ended)
  assert.ok(performance.now() - begun < 2500, `${performance.now() - begun} ms`)
})

test('a group shares the partitions, and commits only what is acknowledged', async () => {
  const topic = await newTopic(4)
  await fill(topic, 40, 4)
  const groups = new GroupAdmin(kafka)
  const first = await subscribe(topic, '?group=workers')
  await first.got(40)
  assert.deepEqual(first.notices, [`assigned {"topic":"${topic}","partitions":[0,1,2,3]}`])
  assert.deepEqual(await groups.offsets('workers'), [])
  // Of the first twenty it is done with all, of the rest with none.
  const acknowledge = (id: string) => ask(`${url}/topics/${topic}/events/ack?group=workers`, { body: { id } })
  const half = first.events.filter(({ type }) => type === 'message')[19]!
  const { status, json } = await acknowledge(half.lastEventId)
  assert.equal(status, 200)
  const committed = await groups.offsets('workers')
  assert.deepEqual(
    committed.map(({ partition, offset }) => ({ partition, offset })),
    json.offsets,
  )
  assert.equal(
    committed.reduce((sum, { offset }) => sum + offset, 0),
    20,
  )
  assert.equal((await groups.describe('workers')).members.length, 1)

  // A second one takes half of the partitions; what was not acknowledged comes again, to whoever has it now.
  const second = await subscribe(topic, '?group=workers')
  await first.until(() => first.notices.length === 2 && second.notices.length === 1)
  const at = first.events.findLastIndex(({ type }) => type === 'assigned')
  const anew = () => [...first.events.slice(at + 1), ...second.events.filter(({ type }) => type === 'message')]
  await first.until(() => anew().length >= 20)
  const shared = [first.notices[1]!, second.notices[0]!].map(
    text => JSON.parse(text.slice('assigned '.length)).partitions,
  )
  assert.deepEqual(shared.flat().sort(), [0, 1, 2, 3])
  assert.deepEqual(
    shared.map(({ length }) => length),
    [2, 2],
  )
  const late = await acknowledge(half.lastEventId)
  assert.equal(late.status, 409)
  assert.match(late.json.detail, /shared out anew/)
  for (const subscriber of [first, second]) assert.equal((await acknowledge(subscriber.lastEventId)).status, 200)
  assert.equal(
    (await groups.offsets('workers')).reduce((sum, { offset }) => sum + offset, 0),
    40,
  )

  // One goes; the other has all of them again, and no record twice that was acknowledged.
  const before = first.events.length
  second.close()
  await first.until(() => first.notices.length === 3)
  await fill(topic, 4, 4, 40)
  await first.until(() => first.events.length >= before + 5)
  await sleep(50)
  const last = first.events.slice(before).filter(({ type }) => type === 'message')
  assert.deepEqual(sorted(last.map(({ data }) => JSON.parse(data).value)), numbers(40, 4))
})

test('acknowledgements that make no sense', async () => {
  const topic = await newTopic()
  const acknowledge = (body: unknown, query = '?group=g') => ask(`${url}/topics/${topic}/events/ack${query}`, { body })
  assert.equal((await acknowledge({ id: '0:1;1;m' }, '')).status, 400)
  assert.equal((await acknowledge({ id: '15,0' })).status, 400)
  assert.equal((await acknowledge({})).status, 400)
  assert.equal((await acknowledge({ id: '0:1;1;nobody' })).status, 404)
})
