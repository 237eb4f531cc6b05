import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readMessages } from '../../src/protocol/batches/legacy.ts'
import { downConvert } from '../../src/protocol/batches/legacy-write.ts'
import type { CompressionType } from '../../src/protocol/compression/compression.ts'
import { Fetch } from '../../src/protocol/messages/fetch.ts'
import { FindCoordinator } from '../../src/protocol/messages/find-coordinator.ts'
import { OffsetCommit } from '../../src/protocol/messages/offset-commit.ts'
import { OffsetFetch } from '../../src/protocol/messages/offset-fetch.ts'
import { batch, fetch, fetchRequest, open, produce, start, topic } from './kit.ts'

const broker = await start()
const wire = await open(broker)

/** As clients before 0.11 wrote records. */
const messageSet = (values: string[], magic: 0 | 1, compression: CompressionType = 'none') =>
  downConvert(batch(values, { compression }), magic)

for (const [version, magic] of [
  [0, 0],
  [1, 0],
  [2, 1],
] as const)
  for (const compression of ['none', 'gzip', 'snappy', 'lz4'] as const)
    test(`Produce ${version}: a message set of magic ${magic}, ${compression}, becomes a batch`, async () => {
      const { name } = await topic(wire)
      for (const values of [['a', 'b'], ['c']]) {
        const answer = await produce(wire, name, messageSet(values, magic, compression), { version })
        assert.equal(answer.error, 'NONE')
      }
      assert.deepEqual((await fetch(wire, [{ topic: name }])).partitions[0]!.values, ['a', 'b', 'c'])
    })

test('Produce 2 with what is no message set: an error, and nothing is appended', async () => {
  const { name } = await topic(wire)
  const good = messageSet(['a'], 1)
  const flipped = Buffer.from(good)
  flipped[20]! ^= 1
  for (const bytes of [flipped, good.subarray(0, 20), Buffer.alloc(40), Buffer.alloc(5)])
    assert.notEqual((await produce(wire, name, bytes, { version: 2 })).error, 'NONE')
  assert.notEqual((await produce(wire, name, good, { version: 3 })).error, 'NONE')
  assert.equal((await fetch(wire, [{ topic: name }])).partitions[0]!.highWatermark, 0)
})

for (const [version, magic] of [
  [0, 0],
  [1, 0],
  [2, 1],
  [3, 1],
] as const)
  test(`Fetch ${version} gets messages of magic ${magic}, from the offset that it asked for`, async () => {
    const { name } = await topic(wire)
    for (const compression of ['none', 'gzip', 'snappy', 'lz4'] as const)
      await produce(wire, name, batch([`1 ${compression}`, `2 ${compression}`], { compression }))
    const answer = await wire.ask(Fetch, version, fetchRequest([{ topic: name, offset: 3 }], { version }))
    const { records, errorCode } = answer.responses[0]!.partitions[0]!
    assert.equal(errorCode, 0)
    assert.equal(records![16], magic)
    const read = [...readMessages(records!)].filter(({ offset }) => offset >= 3)
    assert.deepEqual(
      read.map(({ offset, value, timestamp }) => [offset, Buffer.from(value!).toString(), timestamp]),
      ['2 gzip', '1 snappy', '2 snappy', '1 lz4', '2 lz4'].map((value, i) => [3 + i, value, magic === 0 ? -1 : 1]),
    )
  })

test('zstd is kept from Fetches that do not know it', async () => {
  const { name } = await topic(wire)
  await produce(wire, name, batch(['packed'], { compression: 'gzip' }))
  const packed = await topic(wire, { config: { 'compression.type': 'zstd' } })
  assert.equal((await produce(wire, packed.name, batch(['packed']))).error, 'NONE')
  for (const version of [2, 4, 9]) {
    const { partitions } = await fetch(wire, [{ topic: packed.name }], { version })
    assert.deepEqual([partitions[0]!.error, partitions[0]!.bytes], ['UNSUPPORTED_COMPRESSION_TYPE', 0])
  }
  assert.equal((await fetch(wire, [{ topic: packed.name }], { version: 10 })).partitions[0]!.error, 'NONE')
  assert.equal((await produce(wire, name, batch(['x'], { compression: 'gzip' }), { version: 6 })).error, 'NONE')
})

for (const version of [0, 1, 2, 5, 8])
  test(`OffsetCommit ${version} and OffsetFetch ${Math.min(version, 7)} without a group of members`, async () => {
    const { name } = await topic(wire)
    const groupId = `simple-${version}`
    await wire.ask(FindCoordinator, 0, { key: groupId })
    const committed = await wire.ask(OffsetCommit, version, {
      groupId,
      topics: [{ name, partitions: [{ partitionIndex: 0, committedOffset: 17, committedMetadata: 'm' }] }],
    })
    assert.equal(committed.topics[0]!.partitions[0]!.errorCode, 0)
    const found = await wire.ask(OffsetFetch, Math.min(version, 7), {
      groupId,
      topics: [{ name, partitionIndexes: [0] }],
    })
    const { committedOffset, metadata, errorCode } = found.topics[0]!.partitions[0]!
    assert.deepEqual([committedOffset, metadata, errorCode], [17, 'm', 0])
  })
