import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Admin } from '../../client/admin.ts'
import { Cluster } from '../../client/cluster.ts'
import type { ClientOptions, ClientWorld } from '../../client/options.ts'
import { Producer } from '../../client/producer.ts'
import { type RunningBroker, startBroker } from '../../index.ts'
import { buildBatch } from '../../protocol/batches/build.ts'
import { recordsAt, stampCrc } from '../../protocol/batches/header.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { Produce } from '../../protocol/messages/produce.ts'
import { silent } from '../../world/logger.ts'
import { nodeWorld } from '../../world/node.ts'
import { EventDesk, type EventLimits, TooManyStreams } from './desk.ts'
import { eventsOf } from './encode.ts'
import type { Hub } from './hub.ts'
import type { EventStream } from './stream.ts'

let broker: RunningBroker
let kafka: Cluster
let producer: Producer

const client = (options: Partial<ClientOptions> = {}) =>
  new Cluster(nodeWorld, { bootstrap: [broker], retryBackoffMs: 10, ...options })

before(async () => {
  broker = await startBroker()
  kafka = client()
  producer = new Producer(kafka)
})

after(async () => {
  await producer.close()
  kafka.close()
  await broker.stop()
})

const limits: EventLimits = {
  streams: 10,
  heartbeatMs: 60_000,
  stallMs: 60_000,
  unsentBytes: 1_000_000,
  keptBytes: 1_000_000,
}

function desk(more: Partial<EventLimits> = {}, world: ClientWorld = nodeWorld, mostClients = 100) {
  let clients = 0
  const open = (options: Partial<ClientOptions>) => {
    if (clients === mostClients) throw new KafkaError('THROTTLING_QUOTA_EXCEEDED', 'no more clients')
    const cluster = new Cluster(world, { bootstrap: [broker], retryBackoffMs: 10, ...options })
    clients++
    const close = () => {
      clients--
      cluster.close()
    }
    return { cluster, close }
  }
  const made = new EventDesk({ world, logger: silent, limits: { ...limits, ...more }, open })
  return { desk: made, clients: () => clients }
}

/** A subscriber that takes everything at once, or nothing. */
class Taker implements EventStream {
  unsent = 0
  text = ''
  closed = false
  readonly #takes: boolean
  #onClose = () => {}

  constructor(takes = true) {
    this.#takes = takes
  }

  write(bytes: Uint8Array): void {
    if (this.#takes) this.text += Buffer.from(bytes).toString()
    else this.unsent += bytes.length
  }

  onDrain(): void {}

  onClose(run: () => void): void {
    this.#onClose = run
  }

  end(): void {
    this.closed = true
  }

  destroy(): void {
    this.closed = true
    this.#onClose()
  }

  get events(): number {
    return this.text.split('\ndata: ').length - 1
  }
}

let topics = 0
async function newTopic(): Promise<string> {
  const name = `t${topics++}`
  await new Admin(kafka).createTopics([{ name, partitions: 1 }])
  return name
}

const wish = (topic: string) => ({ topic, codec: eventsOf('json') })

async function until(what: () => boolean): Promise<void> {
  for (const end = performance.now() + 5000; !what(); await new Promise(resolve => setTimeout(resolve, 5)))
    assert.ok(performance.now() < end, `not so after 5 s: ${what}`)
}

test('all subscribers of a topic share one reader, which goes with the last of them', async () => {
  const { desk: shared, clients } = desk()
  const topic = await newTopic()
  const takers = [new Taker(), new Taker(), new Taker()]
  const made = await Promise.all(takers.map(taker => shared.subscribe(wish(topic), async () => ({ from: null }), () => taker))) // biome-ignore format: one line
  assert.deepEqual([shared.streams, shared.hubs, shared.behind], [3, 1, 0])
  await producer.send({ topic, value: Buffer.from('x') })
  await until(() => takers.every(({ events }) => events === 1))
  assert.equal(shared.counters.delivered, 3)
  for (const subscription of made) subscription.close()
  assert.deepEqual([shared.streams, shared.hubs], [0, 0])
  await until(() => clients() <= 1)
  shared.close()
  assert.equal(clients(), 0)
})

test('one stream more than there may be is refused, also while others are being prepared', async () => {
  const { desk: small } = desk({ streams: 2 })
  const topic = await newTopic()
  const asked = await Promise.allSettled(
    [1, 2, 3].map(() => small.subscribe(wish(topic), async () => ({ from: null }), () => new Taker())), // biome-ignore format: one line
  )
  assert.deepEqual(asked.map(({ status }) => status), ['fulfilled', 'fulfilled', 'rejected']) // biome-ignore format: one line
  assert.ok((asked[2] as PromiseRejectedResult).reason instanceof TooManyStreams)
  assert.equal(small.refused, 1)
  small.close()
})

test('who comes when the reader of the topic ends is not left with it', async () => {
  const { desk: made } = desk()
  const topic = await newTopic()
  const readers = new Set<unknown>()
  const start = async (hub: Hub) => {
    readers.add(hub)
    if (readers.size === 1) hub.close()
    return { from: null }
  }
  const taker = new Taker()
  await made.subscribe(wish(topic), start, () => taker)
  assert.equal(readers.size, 2)
  await producer.send({ topic, value: Buffer.from('x') })
  await until(() => taker.events === 1)
  made.close()
})

test('a topic that is not there leaves nothing behind', async () => {
  const { desk: empty, clients } = desk()
  await assert.rejects(empty.subscribe(wish('nowhere'), async () => ({ from: null }), () => new Taker()), /UNKNOWN_TOPIC/) // biome-ignore format: one line
  await assert.rejects(
    empty.subscribeGroup({ topic: 'nowhere', format: 'json', keys: null }, 'g', 'latest', () => new Taker()),
    /UNKNOWN_TOPIC/,
  )
  assert.deepEqual([empty.streams, empty.hubs, clients()], [0, 0, 0])
})

test('who finds no room for what a stream needs is told so before it begins, and leaves nothing behind', async () => {
  const topic = await newTopic()
  await producer.send({ topic, value: Buffer.from('x') })
  for (const most of [0, 1, 2]) {
    const { desk: full, clients } = desk({}, nodeWorld, most)
    let opened = false
    const open = () => {
      opened = true
      return new Taker()
    }
    await assert.rejects(
      full.subscribe(wish(topic), async () => ({ from: [0] }), open),
      /no more clients/,
    )
    assert.deepEqual([opened, full.streams, clients()], [false, 0, 0])
  }
})

test('a batch that is broken within ends the stream of who stands before it, after a while', async () => {
  let later = 0
  const clock = { now: () => nodeWorld.clock.now(), mono: () => nodeWorld.clock.mono() + later }
  const { desk: patient } = desk({}, { ...nodeWorld, clock })
  const topic = await newTopic()
  await producer.send({ topic, value: Buffer.from('x') })
  const records = buildBatch({ records: [{ timestamp: 1, value: Buffer.from('y') }] })
  // The record says that it is longer than the batch; nobody who looks at batches from without sees that.
  records[recordsAt] = 0x7e
  stampCrc(records, 0)
  const { topicId } = await kafka.topic(topic)
  const connection = await kafka.leader(topic, 0)
  const topicData = [{ name: topic, topicId, partitionData: [{ index: 0, records }] }]
  const { responses } = await connection.request(Produce, { acks: -1, timeoutMs: 5000, topicData })
  assert.equal(responses[0]!.partitionResponses[0]!.errorCode, 0)
  const taker = new Taker()
  await patient.subscribe(wish(topic), async () => ({ from: [0] }), () => taker) // biome-ignore format: one line
  await until(() => patient.reads.fetched > 2)
  assert.equal(taker.closed, false)
  later = 61_000
  await until(() => taker.closed)
  assert.deepEqual([patient.failed, patient.streams], [1, 0])
  patient.close()
})

test('when all streams hold too much, those go first that took nothing for longest', async () => {
  const { desk: tight } = desk({ unsentBytes: 150_000 })
  const topic = await newTopic()
  const good = new Taker()
  const bad = [new Taker(false), new Taker(false), new Taker(false)]
  for (const taker of [...bad, good]) await tight.subscribe(wish(topic), async () => ({ from: null }), () => taker) // biome-ignore format: one line
  const value = Buffer.alloc(10_000, 'x')
  await Promise.all(Array.from({ length: 50 }, () => producer.send({ topic, value })))
  await until(() => good.events === 50)
  // Each bad one holds what a stream may hold, and a little more; the three of them are above the limit.
  await until(() => tight.cut > 0)
  assert.ok(tight.unsentBytes <= 150_000, `${tight.unsentBytes}`)
  assert.equal(good.closed, false)
  assert.equal(bad.filter(({ closed }) => closed).length, tight.cut)
  assert.ok(tight.cut < 3)
  tight.close()
})

test('who takes nothing for too long is cut', async () => {
  const { desk: impatient } = desk({ stallMs: 100 })
  const topic = await newTopic()
  const taker = new Taker(false)
  await impatient.subscribe(wish(topic), async () => ({ from: null }), () => taker) // biome-ignore format: one line
  await producer.send({ topic, value: Buffer.alloc(100_000, 'x') })
  await until(() => taker.closed)
  assert.deepEqual([impatient.cut, impatient.streams], [1, 0])
  impatient.close()
})

test('records that are looked at and not given take their time, too', async () => {
  const soon: (() => void)[] = []
  const timers = { ...nodeWorld.timers, after: nodeWorld.timers.after.bind(nodeWorld.timers), soon: (run: () => void) => void soon.push(run) } // biome-ignore format: one line
  const { desk: still } = desk({ streams: 40 }, { ...nodeWorld, timers })
  const topic = await newTopic()
  const count = 1000
  await producer.sendAll(Array.from({ length: count }, () => ({ topic, key: Buffer.from('k'), value: null })))
  const keys = new Set(['another'])
  const all = Array.from({ length: 40 }, () => new Taker())
  for (const taker of all) await still.subscribe({ ...wish(topic), keys }, async () => ({ from: [0] }), () => taker) // biome-ignore format: one line
  // Half a megabyte of events, or some ten thousand records, in one turn.
  await until(() => still.behind < 40 && still.reads.fetched > 0)
  await new Promise(resolve => setTimeout(resolve, 100))
  assert.ok(still.behind >= 25, `${still.behind}`)
  await until(() => {
    for (const run of soon.splice(0)) run()
    return still.behind === 0
  })
  still.close()
})

test('who comes while the node stops is let go', async () => {
  const { desk: stopping, clients } = desk()
  const topic = await newTopic()
  const taker = new Taker()
  const coming = stopping.subscribe(
    wish(topic),
    async () => {
      stopping.close()
      return { from: null }
    },
    () => taker,
  )
  assert.equal((await coming).over, true)
  assert.deepEqual([taker.closed, stopping.streams, stopping.hubs, clients()], [true, 0, 0, 0])
  await assert.rejects(
    stopping.subscribe(wish(topic), async () => ({ from: null }), () => new Taker()), // biome-ignore format: one line
    TooManyStreams,
  )
})
