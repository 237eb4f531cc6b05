import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { readMessages } from '../../src/protocol/batches/legacy.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { ListOffsets } from '../../src/protocol/messages/list-offsets.ts'
import { fetch, open, produce, start, topic } from './kit.ts'
import { oldMessage, packed, tiny } from './packed.ts'

// Small batches that unpack to very much. None may take the broker's time or memory with it: each test would take many
// times as long, and some all the memory, without the limits that it shows.

const broker = await start()
const wire = await open(broker)
const mebi = 1024 * 1024

test('600,000 records in 6 kB are not taken apart for an old consumer', async () => {
  const { name } = await topic(wire)
  assert.equal((await produce(wire, name, tiny(600_000))).error, 'NONE')
  for (const version of [0, 3]) {
    const { partitions } = await fetch(wire, [{ topic: name }], { version })
    assert.deepEqual([partitions[0]!.error, partitions[0]!.bytes], ['MESSAGE_TOO_LARGE', 0])
  }
  assert.ok((await fetch(wire, [{ topic: name }])).partitions[0]!.bytes > 0)
})

test('an old consumer gets some batches at a time, however many were read packed', async () => {
  const { name } = await topic(wire)
  for (let i = 0; i < 10; i++) await produce(wire, name, tiny(40_000))
  const [some] = (await fetch(wire, [{ topic: name }], { version: 3 })).partitions
  assert.equal(some!.error, 'NONE')
  assert.equal([...readMessages(some!.records!)].length, 80_000)
})

test('records that are none are an error for an old consumer, not the end of its connection', async () => {
  const { name } = await topic(wire)
  assert.equal((await produce(wire, name, packed(Buffer.alloc(mebi), 5))).error, 'NONE')
  for (const version of [0, 1, 2, 3])
    assert.equal((await fetch(wire, [{ topic: name }], { version })).partitions[0]!.error, 'CORRUPT_MESSAGE')
})

test('a timestamp that only the header has opens one batch, not all', async () => {
  const { name } = await topic(wire)
  for (let i = 0; i < 10; i++) await produce(wire, name, tiny(100_000))
  const large = await topic(wire)
  await produce(wire, large.name, tiny(600_000))
  for (const topicName of [name, large.name])
    for (const timestamp of [500, -3]) {
      const topics = [{ name: topicName, partitions: [{ partitionIndex: 0, timestamp }] }]
      const [found] = (await wire.ask(ListOffsets, 7, { replicaId: -1, topics })).topics[0]!.partitions
      assert.deepEqual([errorName(found!.errorCode), found!.offset], ['NONE', 0])
    }
})

test('old messages that unpack to very much, and messages in messages, are refused', async () => {
  const { name } = await topic(wire)
  const smallest = oldMessage(Buffer.alloc(0))
  let nested = smallest
  for (let depth = 0; depth < 20; depth++) nested = oldMessage(gzipSync(nested), 1)
  const bombs = [
    oldMessage(gzipSync(Buffer.alloc(34 * 200_000, smallest)), 1),
    oldMessage(gzipSync(Buffer.alloc(50 * mebi)), 1),
    nested,
  ]
  for (const bytes of bombs) {
    const { error } = await produce(wire, name, bytes, { version: 2 })
    assert.ok(['MESSAGE_TOO_LARGE', 'CORRUPT_MESSAGE'].includes(error), error)
  }
  assert.equal((await fetch(wire, [{ topic: name }])).partitions[0]!.highWatermark, 0)
})

test('a topic that packs anew refuses what unpacks to more than any batch may', async () => {
  const { name } = await topic(wire, { config: { 'compression.type': 'lz4' } })
  assert.equal((await produce(wire, name, packed(Buffer.alloc(80 * mebi)))).error, 'MESSAGE_TOO_LARGE')
  assert.equal((await fetch(wire, [{ topic: name }])).partitions[0]!.highWatermark, 0)
})
