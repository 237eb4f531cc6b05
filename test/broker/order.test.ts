import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorName } from '../../src/protocol/errors.ts'
import { requestFrame } from '../../src/protocol/header.ts'
import { Fetch } from '../../src/protocol/messages/fetch.ts'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import { Produce } from '../../src/protocol/messages/produce.ts'
import { batch, fetch, fetchRequest, open, produceRequest, start, topic } from './kit.ts'

const broker = await start()
const named = { topics: [], allowAutoTopicCreation: false }

test('a Metadata behind a Fetch that waits is answered after it', async () => {
  const wire = await open(broker)
  const { name } = await topic(wire)
  const order: string[] = []
  const began = performance.now()
  const waiting = wire.ask(Fetch, 12, fetchRequest([{ topic: name }], { maxWaitMs: 150 }))
  const behind = wire.ask(Metadata, 12, named)
  await Promise.all([waiting.then(() => order.push('Fetch')), behind.then(() => order.push('Metadata'))])
  assert.deepEqual(order, ['Fetch', 'Metadata'])
  assert.ok(performance.now() - began >= 145)
})

test('a Produce behind a Fetch that waits for it is not held up by it', async () => {
  const wire = await open(broker)
  const { name } = await topic(wire)
  const began = performance.now()
  const waiting = fetch(wire, [{ topic: name }], { maxWaitMs: 5000 })
  await wire.ask(Produce, 9, produceRequest(name, batch(['now'])))
  assert.deepEqual((await waiting).partitions[0]!.values, ['now'])
  assert.ok(performance.now() - began < 3000)
})

test('many Fetches that wait on one connection are answered in turn, each with what it asked for', async () => {
  const wire = await open(broker)
  const { name } = await topic(wire)
  await wire.ask(Produce, 9, produceRequest(name, batch(['a', 'b', 'c'])))
  const fetches = Array.from({ length: 50 }, (_, i) =>
    fetch(wire, [{ topic: name, offset: i % 2 === 0 ? 0 : 3 }], { maxWaitMs: 2 }),
  )
  for (const [i, { partitions }] of (await Promise.all(fetches)).entries())
    assert.equal(partitions[0]!.values.length, i % 2 === 0 ? 3 : 0)
})

test('Produces in one go are appended in order', async () => {
  const wire = await open(broker)
  const { name } = await topic(wire)
  const answers = await Promise.all(
    Array.from({ length: 700 }, (_, i) => wire.ask(Produce, 9, produceRequest(name, batch([`${i}`])))),
  )
  assert.deepEqual(
    answers.map(({ responses }) => responses[0]!.partitionResponses[0]!.baseOffset),
    Array.from({ length: 700 }, (_, i) => i),
  )
})

test('Produces keep their order also when the first of them must wait for its codec', async () => {
  // Fresh: no codec has been loaded for this topic yet.
  const wire = await open(broker)
  const { name } = await topic(wire, { config: { 'compression.type': 'zstd' } })
  const answers = await Promise.all(
    ['first', 'second', 'third'].map(value => wire.ask(Produce, 9, produceRequest(name, batch([value])))),
  )
  assert.deepEqual(
    answers.map(({ responses }) => responses[0]!.partitionResponses[0]!.baseOffset),
    [0, 1, 2],
  )
  assert.deepEqual((await fetch(wire, [{ topic: name }])).partitions[0]!.values, ['first', 'second', 'third'])
})

test('Requests of a kind that nobody has asked for yet stay in order with those behind', async () => {
  const fresh = await start({ config: { 'auto.create.topics.enable': true } })
  const wire = await open(fresh)
  const created = wire.ask(Metadata, 12, { topics: [{ name: 'made' }], allowAutoTopicCreation: true })
  const [{ topics }] = await Promise.all([created, created])
  assert.equal(errorName(topics[0]!.errorCode), 'NONE')
  // Produce and Fetch are loaded for the first time, in one packet.
  const frames = [
    ...requestFrame(Produce, 9, 100, 'x', produceRequest('made', batch(['one']))),
    ...requestFrame(Fetch, 12, 101, 'x', fetchRequest([{ topic: 'made' }])),
    ...requestFrame(Produce, 9, 102, 'x', produceRequest('made', batch(['two']))),
  ]
  wire.socket.write(Buffer.concat(frames))
  for (const id of [100, 101, 102]) assert.equal((await wire.frame()).readInt32BE(0), id)
})

test('acks=0 is not answered', async () => {
  const wire = await open(broker)
  const { name } = await topic(wire)
  wire.tell(Produce, 9, produceRequest(name, batch(['quiet']), { acks: 0 }))
  // The next answer is that of the next request, or its correlation id would not fit.
  await wire.ask(Metadata, 12, named)
  const { partitions } = await fetch(wire, [{ topic: name }], { maxWaitMs: 1000 })
  assert.deepEqual(partitions[0]!.values, ['quiet'])
})

test('an error with acks=0 closes the connection, after the answers to what was asked before', async () => {
  const wire = await open(broker)
  const before = wire.ask(Metadata, 12, named)
  wire.tell(Produce, 9, produceRequest('there-is-none', batch(['lost']), { acks: 0 }))
  await before
  await wire.closed
})

test('a client that has closed its half still gets every answer', async () => {
  const wire = await open(broker)
  const { name } = await topic(wire)
  const produced = [1, 2, 3].map(i => wire.ask(Produce, 9, produceRequest(name, batch([`${i}`]))))
  const waiting = wire.ask(Fetch, 12, fetchRequest([{ topic: name, offset: 3 }], { maxWaitMs: 50 }))
  const last = wire.ask(Metadata, 12, named)
  wire.socket.end()
  await Promise.all([...produced, waiting, last])
  await wire.closed
})

test('more requests than are taken at one time, and then the end: each is answered', async () => {
  const wire = await open(broker)
  const { name } = await topic(wire)
  const waiting = wire.ask(Fetch, 12, fetchRequest([{ topic: name }], { maxWaitMs: 50 }))
  const behind = Array.from({ length: 1200 }, () => wire.ask(Metadata, 12, named))
  wire.socket.end()
  await Promise.all([waiting, ...behind])
  await wire.closed
})
