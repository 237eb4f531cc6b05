import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeWorld } from '../world/node.ts'
import type { TopicMetadata } from './cluster.ts'
import { murmur2, Partitioner, partitionOfKey } from './partitioner.ts'

/** From the tests of Apache Kafka's own `Utils.murmur2`. */
const hashes: readonly [string, number][] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
]

for (const [key, hash] of hashes) {
  test(`hashes ${key} like Java`, () => assert.equal(murmur2(Buffer.from(key)), hash))
}

function topic(leaders: readonly number[]): TopicMetadata {
  const partitions = leaders.map((leaderId, partition) => ({
    partition,
    leaderId,
    leaderEpoch: 0,
    replicas: [],
    isr: [],
  }))
  return { name: 't', topicId: '', isInternal: false, partitions }
}

test('a key always goes to the same partition', () => {
  const partitioner = new Partitioner(nodeWorld)
  for (const [key] of hashes) {
    const partition = partitionOfKey(Buffer.from(key), 7)
    assert.ok(partition >= 0 && partition < 7)
    assert.equal(partitioner.choose(topic([0, 0, 0, 0, 0, 0, 0]), Buffer.from(key), 10), partition)
  }
})

test('without a key it stays for a batch, moves on, and never picks a partition without a leader', () => {
  const partitioner = new Partitioner(nodeWorld)
  const led = topic([-1, 1, -1, 1, 1])
  const chosen = Array.from({ length: 3200 }, () => partitioner.choose(led, null, 1024))
  for (let i = 0; i < chosen.length; i += 16) assert.equal(new Set(chosen.slice(i, i + 16)).size, 1)
  assert.deepEqual([...new Set(chosen)].sort(), [1, 3, 4])
})

test('leaves a partition that lost its leader', () => {
  const partitioner = new Partitioner(nodeWorld)
  const before = partitioner.choose(topic([1, 1]), null, 1)
  const after = partitioner.choose(topic(before === 0 ? [-1, 1] : [1, -1]), null, 1)
  assert.notEqual(after, before)
})
