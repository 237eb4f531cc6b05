import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Admin } from '../../client/admin.ts'
import { Cluster } from '../../client/cluster.ts'
import { Producer } from '../../client/producer.ts'
import { type RunningBroker, startBroker } from '../../index.ts'
import { type ErrorName, KafkaError } from '../../protocol/errors.ts'
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

const place = async (topic: string) => ({ topic, topicId: (await cluster.findTopic(topic)).topicId, partition: 0 })

const letterAt = async (cache: RecordCache, offset: number) => {
  const found = await cache.read(await place('t'), offset)
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
  const known = await place('t')
  await assert.rejects(async () => cache.read(known, 30), /ends before 30/)
  await assert.rejects(async () => cache.read({ ...known, topic: 'nowhere' }, 0))
  assert.equal(cache.size, 0)
})

test('what cannot be read is given up by all who wait for it at once; what is broken, after two', async () => {
  const failing = async (name: ErrorName) => {
    let reads = 0
    const retry = async () => {
      reads++
      await new Promise(resolve => setImmediate(resolve))
      throw new KafkaError(name)
    }
    const cache = new RecordCache({ cluster: () => ({ world: nodeWorld, retry }) as never })
    const where = { topic: 't', topicId: 'id', partition: 0 }
    const found = await Promise.allSettled(Array.from({ length: 16 }, (_, offset) => cache.read(where, offset)))
    assert.ok(found.every(each => each.status === 'rejected' && each.reason.errorName === name))
    return reads
  }
  assert.equal(await failing('LEADER_NOT_AVAILABLE'), 1)
  assert.equal(await failing('NETWORK_EXCEPTION'), 1)
  // Others of the partition may be whole.
  assert.equal(await failing('CORRUPT_MESSAGE'), 2)
})

test('a topic that is made anew has other records', async () => {
  const admin = new Admin(cluster)
  const cache = new RecordCache({ cluster: () => cluster })
  const write = async (text: string) => {
    await admin.createTopics([{ name: 'again', partitions: 1 }])
    cluster.forget(['again'])
    const producer = new Producer(cluster)
    await producer.send({ topic: 'again', value: Buffer.from(text) })
    await producer.close()
    return place('again')
  }
  const textAt = async (where: Awaited<ReturnType<typeof place>>) => {
    const found = await cache.read(where, 0)
    return isGap(found) ? found : Buffer.from(found.value!).toString()
  }
  const former = await write('former')
  assert.equal(await textAt(former), 'former')
  await admin.deleteTopics(['again'])
  const present = await write('present')
  assert.equal(await textAt(present), 'present')
  const empty = new RecordCache({ cluster: () => cluster })
  await assert.rejects(async () => empty.read(former, 0), /made anew/)
  assert.equal(empty.size, 0)
})
