import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requestFrame } from '../../src/protocol/header.ts'
import { Fetch } from '../../src/protocol/messages/fetch.ts'
import { Metadata } from '../../src/protocol/messages/metadata.ts'
import { Produce } from '../../src/protocol/messages/produce.ts'
import {
  batch,
  fetch,
  fetchRequest,
  listener,
  open,
  produce,
  produceRequest,
  scratch,
  sleep,
  start,
  topic,
  until,
} from './kit.ts'

const named = { topics: [], allowAutoTopicCreation: false }

test('max.connections: one more is closed at once, and another may come when one has gone', async () => {
  const broker = await start({ config: { 'max.connections': 2 } })
  const [first, second, third] = [await open(broker), await open(broker), await open(broker)]
  await third.closed
  await Promise.all([first.ask(Metadata, 12, named), second.ask(Metadata, 12, named)])
  first.close()
  await sleep(20)
  await (await open(broker)).ask(Metadata, 12, named)
})

test('max.connections.per.ip counts each address by itself', async () => {
  const broker = await start({ host: '0.0.0.0', config: { 'max.connections.per.ip': 1 } })
  const first = await open(broker)
  await (await open(broker)).closed
  await first.ask(Metadata, 12, named)
  const { socket } = await open(broker)
  socket.destroy()
})

test('connections.max.idle.ms: who says nothing is let go, who waits for an answer is not', async () => {
  const broker = await start({ config: { 'connections.max.idle.ms': 200 } })
  const [silent, busy] = [await open(broker), await open(broker)]
  const { name } = await topic(busy)
  const waiting = fetch(busy, [{ topic: name }], { maxWaitMs: 900 })
  let closed = false
  void silent.closed.then(() => {
    closed = true
  })
  await waiting
  assert.equal(closed, true)
})

test('connections.max.idle.ms below zero lets nobody go', async () => {
  const wire = await open(await start({ config: { 'connections.max.idle.ms': -1 } }))
  await sleep(250)
  await wire.ask(Metadata, 12, named)
})

test('socket.request.max.bytes: a larger request ends the connection by its length alone', async () => {
  const logger = listener()
  const broker = await start({ logger, config: { 'socket.request.max.bytes': 10_000 } })
  const wire = await open(broker)
  const { name } = await topic(wire)
  assert.equal((await produce(wire, name, batch(['x'.repeat(9000)]))).error, 'NONE')
  wire.socket.write(Buffer.from([0x00, 0x00, 0x27, 0x11]))
  await wire.closed
  assert.match(logger.lines.join(), /10001 bytes; the limit is 10000/)
})

test('a declared length takes no memory', async () => {
  const broker = await start()
  const before = process.memoryUsage()
  const wires = await Promise.all(Array.from({ length: 100 }, () => open(broker)))
  for (const { socket } of wires) socket.write(Buffer.from([0x06, 0x40, 0x00, 0x00]))
  await sleep(100)
  const { external, arrayBuffers } = process.memoryUsage()
  // 100 times 100 MiB were declared.
  assert.ok(external - before.external < 20_000_000, `${external - before.external}`)
  assert.ok(arrayBuffers - before.arrayBuffers < 20_000_000, `${arrayBuffers - before.arrayBuffers}`)
  assert.equal(wires.filter(({ ended }) => ended).length, 0)
})

for (const [where, data] of [
  ['memory', 'memory'],
  ['files', scratch()],
] as const)
  test(`${where}: who never reads answers is not read from any more`, async () => {
    const broker = await start({ data, config: { 'tail.cache.bytes': 0 } })
    const writer = await open(broker)
    const { name } = await topic(writer)
    const large = batch(['x'.repeat(900_000)])
    for (let i = 0; i < 4; i++) await produce(writer, name, large)

    const wire = await open(broker)
    wire.socket.pause()
    const before = process.memoryUsage().arrayBuffers
    // Two thousand answers of 3.6 MB each.
    const ask = Buffer.concat(
      requestFrame(Fetch, 12, 1, 'x', fetchRequest([{ topic: name }], { partitionMaxBytes: 4_000_000 })),
    )
    for (let i = 0; i < 2000; i++) wire.socket.write(ask)
    let most = 0
    for (let i = 0; i < 20; i++) {
      await sleep(10)
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }
    // What it holds: an answer or two, and what the two kernels' buffers hold is not ours.
    assert.ok(most < 40_000_000, `${most} bytes for one connection`)
    // Nobody else is held up.
    assert.equal((await produce(writer, name, batch(['small']))).error, 'NONE')
    wire.close()
  })

test('requests that wait are bounded, for a connection and for all: the others are read later', async () => {
  const broker = await start({
    config: { 'queued.max.request.bytes': 3_000_000, 'socket.request.max.bytes': 2_000_000 },
  })
  const writer = await open(broker)
  const { name } = await topic(writer)
  const large = batch(['x'.repeat(900_000)])
  const wires = await Promise.all(Array.from({ length: 8 }, () => open(broker)))
  const answers = wires.flatMap(wire => [1, 2, 3].map(() => wire.ask(Produce, 9, produceRequest(name, large))))
  for (const { responses } of await Promise.all(answers))
    assert.equal(responses[0]!.partitionResponses[0]!.errorCode, 0)
  const { partitions } = await fetch(writer, [{ topic: name, offset: 24 }])
  assert.equal(partitions[0]!.highWatermark, 24)
})

test('a slow sender, byte by byte, is served like any other', async () => {
  const broker = await start()
  const wire = await open(broker)
  const frame = Buffer.concat(requestFrame(Metadata, 12, 77, 'slow', named))
  for (const byte of frame) {
    wire.socket.write(Buffer.from([byte]))
    await sleep(0)
  }
  assert.equal((await wire.frame()).readInt32BE(0), 77)
})

test('connections that end in the middle of a request leave no trace', async () => {
  const broker = await start({ config: { 'max.connections': 30 } })
  const frame = Buffer.concat(requestFrame(Metadata, 12, 1, 'half', named))
  for (let round = 0; round < 10; round++) {
    const wires = await Promise.all(Array.from({ length: 20 }, () => open(broker)))
    for (const [i, wire] of wires.entries()) {
      wire.socket.write(frame.subarray(0, i))
      if (i % 2 === 0) wire.socket.resetAndDestroy()
      else wire.socket.end()
    }
    await until(() => wires.every(({ socket, ended }) => socket.destroyed || ended))
    for (const wire of wires) wire.close()
    await sleep(5)
  }
  await (await open(broker)).ask(Metadata, 12, named)
})
