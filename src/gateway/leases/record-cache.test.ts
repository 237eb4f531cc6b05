import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Cluster } from '../../client/cluster.ts'
import { Producer } from '../../client/producer.ts'
import { type RunningBroker, startBroker } from '../../index.ts'
import { nodeWorld } from '../../world/node.ts'
import { isGap, RecordCache } from './record-cache.ts'

let broker: RunningBroker
let cluster: Cluster

before(async () => {
  broker = await startBroker()
  cluster = new Cluster(nodeWorld, { bootstrap: [{ host: broker.host, port: broker.port }] })
  const producer = new Producer(cluster)
  for (let i = 0; i < 30; i++) await producer.send({ topic: 't', value: Buffer.alloc(1000, 65 + i) })
  await producer.close()
})

after(async () => {
  cluster.close()
  await broker.stop()
})

const letterAt = async (cache: RecordCache, offset: number) => {
  const found = await cache.read('t', 0, offset)
  return isGap(found) ? found : found.value![0]! - 65
}

test('neighbours are read once, also when they are asked for together', async () => {
  const cache = new RecordCache({ cluster: () => cluster })
  const offsets = Array.from({ length: 30 }, (_, i) => i)
  assert.deepEqual(await Promise.all(offsets.map(offset => letterAt(cache, offset))), offsets)
  assert.equal(cache.reads, 1)
})

test('what is kept stays within its bytes, the youngest; what went is read again', async () => {
  const cache = new RecordCache({ cluster: () => cluster, readBytes: 1, maxBytes: 3000 })
  for (const offset of [3, 9, 5, 3, 29, 0]) {
    assert.equal(await letterAt(cache, offset), offset)
    assert.ok(cache.size <= 3000)
  }
  assert.ok(cache.reads >= 5)
})

test('what is not there yet, or cannot be read, is an error, and nothing is remembered of it', async () => {
  const cache = new RecordCache({ cluster: () => cluster })
  await assert.rejects(async () => cache.read('t', 0, 30), /ends before 30/)
  await assert.rejects(async () => cache.read('nowhere', 0, 0))
  assert.equal(cache.size, 0)
})
