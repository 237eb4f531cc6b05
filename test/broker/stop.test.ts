import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBroker } from '../../src/index.ts'
import { JoinGroup } from '../../src/protocol/messages/join-group.ts'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import { batch, fetch, open, produce, scratch, sleep, start, topic } from './kit.ts'

const named = { topics: [], allowAutoTopicCreation: false }

test('a broker that stops finishes what is in flight, lets go who waits, and keeps the data', async () => {
  const data = scratch()
  const broker = await start({ data, config: { 'group.initial.rebalance.delay.ms': 60_000 } })
  const [writer, reader, member] = [await open(broker), await open(broker), await open(broker)]
  const { name } = await topic(writer)
  const join = {
    groupId: 'g',
    sessionTimeoutMs: 30_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('m') }],
  }
  const joining = member.ask(JoinGroup, 3, join)
  await produce(writer, name, batch(['first']))
  const parked = fetch(reader, [{ topic: name, offset: 1 }], { maxWaitMs: 60_000, minBytes: 1_000_000 })
  const behind = fetch(reader, [{ topic: name, offset: 1 }], { maxWaitMs: 60_000, minBytes: 1_000_000 })
  await sleep(200)
  const produced = Promise.allSettled(
    Array.from({ length: 20 }, (_, i) => produce(writer, name, batch([`value ${i}`]))),
  )
  await sleep(1)
  const began = performance.now()
  await Promise.all([broker.stop(), writer.closed, reader.closed, member.closed])
  const took = performance.now() - began
  // Who waits would do so for a minute; how quick it is on a machine of one's own is no matter for a test.
  assert.ok(took < 20_000, `${took} ms`)

  // The Fetches that waited got what there was, the member an answer that sends it looking for the coordinator.
  assert.equal((await parked).error, 'NONE')
  assert.equal((await behind).error, 'NONE')
  assert.ok([14, 15, 16].includes((await joining).errorCode))
  const acked = (await produced).filter(({ status }) => status === 'fulfilled').length

  const again = await start({ data })
  const later = await open(again)
  const { partitions } = await fetch(later, [{ topic: name }])
  const expected = ['first', ...Array.from({ length: acked }, (_, i) => `value ${i}`)]
  assert.deepEqual(partitions[0]!.values.slice(0, acked + 1), expected)
  assert.equal((await produce(later, name, batch(['on']))).error, 'NONE')
  await again.stop()
})

test('a client that takes no answers does not hold up the end for long', async () => {
  const broker = await start()
  const wire = await open(broker)
  const { name } = await topic(wire)
  await produce(wire, name, batch(['x'.repeat(900_000)]))
  const deaf = await open(broker)
  deaf.socket.pause()
  for (let i = 0; i < 20; i++) void fetch(deaf, [{ topic: name }]).catch(() => {})
  await sleep(50)
  const stopped = broker.stop()
  await sleep(20)
  deaf.close()
  await stopped
})

test('stop may be called twice, and a stopped broker takes nobody', async () => {
  const broker = await start()
  await Promise.all([broker.stop(), broker.stop()])
  await assert.rejects(open(broker), /ECONNREFUSED/)
})

test('a second broker on the same folder is told so in one sentence', async () => {
  const data = scratch()
  const first = await start({ data })
  await assert.rejects(startBroker({ data }), (error: Error) => {
    assert.doesNotMatch(error.message, /\n/)
    assert.match(error.message, /in use|another|already/i)
    assert.ok(error.message.includes(data), error.message)
    return true
  })
  // The first does not mind.
  await (await open(first)).ask(Metadata, 12, named)
  await first.stop()
  await (await startBroker({ data })).stop()
})

test('a port in use is told in one sentence, and the folder is free again', async () => {
  const { port } = await start()
  const data = scratch()
  await assert.rejects(startBroker({ port, data }), (error: Error) => {
    assert.doesNotMatch(error.message, /\n/)
    assert.match(error.message, new RegExp(`${port}|EADDRINUSE`))
    return true
  })
  await (await startBroker({ data })).stop()
})

test('twenty brokers in one process know nothing of each other', async () => {
  const brokers = await Promise.all(Array.from({ length: 20 }, () => start()))
  assert.equal(new Set(brokers.map(({ port }) => port)).size, 20)
  const seen = await Promise.all(
    brokers.map(async (broker, i) => {
      const wire = await open(broker)
      await topic(wire, { name: 'same' })
      await produce(wire, 'same', batch([`${i}`]))
      const { clusterId, topics } = await wire.ask(Metadata, 12, { topics: null })
      assert.equal(topics.length, 1)
      return { clusterId, values: (await fetch(wire, [{ topic: 'same' }])).partitions[0]!.values }
    }),
  )
  assert.equal(new Set(seen.map(({ clusterId }) => clusterId)).size, 20)
  assert.deepEqual(
    seen.map(({ values }) => values),
    Array.from({ length: 20 }, (_, i) => [`${i}`]),
  )
  await Promise.all(brokers.map(broker => broker.stop()))
})
