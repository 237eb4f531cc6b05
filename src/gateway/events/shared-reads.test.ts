import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Admin } from '../../client/admin.ts'
import { Cluster } from '../../client/cluster.ts'
import { Producer } from '../../client/producer.ts'
import { type RunningBroker, startBroker } from '../../index.ts'
import { nodeWorld } from '../../world/node.ts'
import { type Readers, SharedReads } from './shared-reads.ts'

let broker: RunningBroker
let kafka: Cluster
let readers: Readers
let t: { topic: string; topicId: string }

before(async () => {
  broker = await startBroker()
  kafka = new Cluster(nodeWorld, { bootstrap: [broker], retryBackoffMs: 10 })
  readers = { quick: kafka, patient: kafka }
  await new Admin(kafka).createTopics([{ name: 't', partitions: 1 }])
  const { topicId } = await kafka.topic('t')
  t = { topic: 't', topicId }
  const producer = new Producer(kafka)
  for (let i = 0; i < 20; i++) await producer.send({ topic: 't', value: Buffer.from(`${i}`) })
  await producer.close()
})

after(async () => {
  kafka.close()
  await broker.stop()
})

test('who asks for the same gets the same, and it is fetched once', async () => {
  const reads = new SharedReads()
  const pieces = await Promise.all(Array.from({ length: 100 }, () => reads.read(readers, t, 0, 5)))
  for (const piece of pieces) assert.equal(piece, pieces[0])
  assert.deepEqual([pieces[0]!.records.length, pieces[0]!.nextOffset], [15, 20])
  assert.equal(await reads.read(readers, t, 0, 5), pieces[0])
  assert.deepEqual([reads.asked, reads.fetched], [101, 1])
})

test('nothing is remembered of an empty piece, or of an error', async () => {
  const reads = new SharedReads()
  for (let i = 0; i < 2; i++) {
    assert.equal((await reads.read(readers, t, 0, 20)).records.length, 0)
    await assert.rejects(reads.read(readers, t, 0, 21), /OFFSET_OUT_OF_RANGE/)
  }
  assert.equal(reads.fetched, 4)
})

test('only the newest pieces are remembered', async () => {
  const reads = new SharedReads()
  for (let offset = 0; offset < 18; offset++) await reads.read(readers, t, 0, offset)
  await reads.read(readers, t, 0, 17)
  assert.equal(reads.fetched, 18)
  await reads.read(readers, t, 0, 0)
  assert.equal(reads.fetched, 19)
})

test('another topic of the name is not read', async () => {
  const reads = new SharedReads()
  const former = { topic: 't', topicId: 'AAECAwQFBgcICQoLDA0ODw' }
  await assert.rejects(reads.read(readers, former, 0, 5), /made anew/)
  assert.equal((await reads.read(readers, t, 0, 5)).records.length, 15)
})

test('of those who want a partition that cannot be read, few find out, and one asks for all until it is back', async () => {
  const gone = await startBroker()
  const client = (apiTimeoutMs: number) =>
    new Cluster(nodeWorld, { bootstrap: [gone], retryBackoffMs: 10, apiTimeoutMs })
  const both = { quick: client(200), patient: client(1500) }
  await new Admin(both.patient).createTopics([{ name: 'gone', partitions: 2 }])
  const { topicId } = await both.patient.topic('gone')
  const topic = { topic: 'gone', topicId }
  const reads = new SharedReads()
  await reads.read(both, topic, 0, 0)
  await gone.stop()
  let back: Promise<void> | undefined
  const read = async (offset: number) => {
    await reads.read(both, topic, 0, offset).finally(() => {
      back ??= reads.back(topic, 0)
    })
  }
  const asked = await Promise.allSettled(Array.from({ length: 100 }, (_, i) => read(i)))
  assert.ok(asked.every(({ status }) => status === 'rejected'))
  assert.ok(reads.fetched <= 9, `${reads.fetched}`)
  assert.equal(reads.back(topic, 1), undefined)
  await assert.rejects(async () => back, /ECONNREFUSED/)
  assert.equal(reads.back(topic, 0), undefined)
  await assert.rejects(reads.read(both, topic, 0, 0), /ECONNREFUSED/)
  assert.equal(reads.back(topic, 0) instanceof Promise, true)
  for (const cluster of [both.quick, both.patient]) cluster.close()
})
