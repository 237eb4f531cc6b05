import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Admin } from '../../client/admin.ts'
import { Cluster } from '../../client/cluster.ts'
import { Producer } from '../../client/producer.ts'
import { type RunningBroker, startBroker } from '../../index.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { SettleRequest } from '../../shares/coordinator.ts'
import { nodeWorld } from '../../world/node.ts'
import { Puller } from './puller.ts'

let broker: RunningBroker
let cluster: Cluster
let topicId: string

before(async () => {
  broker = await startBroker()
  cluster = new Cluster(nodeWorld, { bootstrap: [{ host: broker.host, port: broker.port }] })
  const producer = new Producer(cluster)
  for (let i = 0; i < 10; i++) await producer.send({ topic: 't', partition: 0, value: Buffer.from(`v${i}`) })
  for (let i = 0; i < 40; i++) await producer.send({ topic: 't', partition: 0, value: Buffer.alloc(500_000, 'x') })
  await producer.close()
  topicId = (await cluster.findTopic('t')).topicId
  await new Admin(cluster).deleteRecords([{ topic: 't', partition: 0, offset: 5 }])
})

after(async () => {
  cluster.close()
  await broker.stop()
})

/** A puller whose coordinator hands out these offsets, once, or always. */
async function bench(offsets: readonly number[], reading: () => unknown = () => null, once = true) {
  let granted = offsets
  const settled: string[] = []
  const wanted: number[] = []
  const coordinator = {
    skipFails: false,
    acquire: async ({ wants }: { wants: readonly { max: number }[] }) => {
      wanted.push(wants[0]!.max)
      const records = granted
        .slice(0, wants[0]!.max)
        .map(offset => ({ partition: 0, offset, lease: 100 + offset, deliveryCount: 1 }))
      if (once) granted = []
      return { topicId, grants: [{ lockMs: 500, records }] }
    },
    settle: async ({ items, skipped, skippedOf }: SettleRequest) => {
      if (skipped.length > 0 && coordinator.skipFails) throw new KafkaError('NOT_COORDINATOR')
      for (const { what, offset } of items) settled.push(`${what} ${offset}`)
      for (const { from, to } of skipped) settled.push(`skip ${from}–${to} of ${skippedOf}`)
      return { error: 'NONE' as const, results: items.map(() => 'NONE' as const) }
    },
  }
  const gateway = {
    node: { leases: async () => coordinator },
    world: nodeWorld,
    stopping: new AbortController().signal,
    metrics: { answerBytes: 0 },
    client: {
      get reading() {
        return reading() ?? cluster
      },
    },
  }
  const puller = await Puller.open(gateway as never)
  const wish = { groupId: 'g', topic: 't', begin: 'earliest', max: 40, waitMs: 0, leaseMs: -1 } as const
  const pullAll = () => puller.pull({ ...wish, signal: null })
  const pull = async (signal: AbortSignal | null = null) => {
    const { records } = await puller.pull({ ...wish, signal })
    return records.map(({ record }) => record.offset)
  }
  const grant = (offsets: readonly number[]) => {
    granted = offsets
  }
  return { coordinator, grant, metrics: gateway.metrics, pull, pullAll, puller, settled, wanted }
}

test('the group is told what is not there any more', async () => {
  const { pull, settled } = await bench([1, 2, 6])
  assert.deepEqual(await pull(), [6])
  assert.deepEqual(settled, [`skip 1–5 of ${topicId}`])
})

test('who has records gets them, also when the group cannot be told what is not there', async () => {
  const { coordinator, pull } = await bench([1, 6])
  coordinator.skipFails = true
  assert.deepEqual(await pull(), [6])
  const nothing = await bench([1])
  nothing.coordinator.skipFails = true
  await assert.rejects(nothing.pull(), /NOT_COORDINATOR/)
})

test('what was read for a worker that has gone meanwhile goes back', async () => {
  const gone = new AbortController()
  const { pull, settled } = await bench([6, 7], () => gone.abort())
  assert.deepEqual(await pull(gone.signal), [])
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(settled, ['return 6', 'return 7'])
})

test('a pull gives so many bytes, and what is more goes back; fewer while others have much on its way, but always one', async () => {
  const offsets = Array.from({ length: 40 }, (_, i) => 10 + i)
  const { pullAll, puller, settled } = await bench(offsets, () => {}, false)
  const first = await pullAll()
  assert.deepEqual(
    first.records.map(({ record }) => record.offset),
    [10, 11, 12, 13],
  )
  assert.ok(first.bytes <= 2 * 1024 * 1024)
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(
    settled,
    offsets.slice(4).map(offset => `return ${offset}`),
  )
  const others = [first]
  while (others.at(-1)!.records.length > 1) others.push(await pullAll())
  const bytes = () => puller.load.givenBytes
  assert.ok(bytes() >= 32 * 1024 * 1024 && bytes() < 35 * 1024 * 1024, `${bytes()}`)
  for (const pulled of others) puller.given(pulled)
  assert.equal(bytes(), 0)
  assert.equal((await pullAll()).records.length, 4)
})

test('when something cannot be read, what was read is given, and the rest is not tried', async () => {
  const offsets = Array.from({ length: 40 }, (_, i) => 10 + i)
  let reads = 0
  const { pull, settled } = await bench(offsets, () => {
    if (++reads > 1) throw new KafkaError('LEADER_NOT_AVAILABLE')
  })
  assert.deepEqual(await pull(), [10])
  assert.ok(reads <= 16, `${reads}`)
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(
    settled,
    offsets.slice(1).map(offset => `return ${offset}`),
  )
})

test('leases of what has no leader go back before they end, and the pull asks again', async () => {
  const offsets = Array.from({ length: 40 }, (_, i) => 10 + i)
  let reads = 0
  const retry = async () => {
    await new Promise(resolve => setTimeout(resolve, 100))
    throw new KafkaError('LEADER_NOT_AVAILABLE')
  }
  const lost = { world: nodeWorld, retry } as never
  const { pullAll, settled } = await bench(offsets, () => (reads++ === 0 ? lost : null), false)
  const began = performance.now()
  const { records } = await pullAll()
  assert.ok(performance.now() - began < 1500, `${performance.now() - began} ms`)
  assert.deepEqual(
    settled.slice(0, 40),
    offsets.map(offset => `return ${offset}`),
  )
  assert.equal(records[0]?.record.offset, 10)
})

test('who pulls small records gets them together, whatever others leave', async () => {
  const small = await bench([6, 7, 8, 9], () => null, false)
  small.metrics.answerBytes = 64 * 1024 * 1024
  assert.deepEqual(await small.pull(), [6, 7, 8, 9])
  const large = await bench([9, 10, 11], () => null, false)
  large.metrics.answerBytes = 64 * 1024 * 1024
  assert.deepEqual(await large.pull(), [9])
  const first = await bench([10, 11], () => null, false)
  first.metrics.answerBytes = 64 * 1024 * 1024
  assert.deepEqual(await first.pull(), [10])
})

test('of large records so many are asked for as will fit, and of small ones all again', async () => {
  const large = Array.from({ length: 40 }, (_, i) => 10 + i)
  const { grant, pullAll, puller, wanted } = await bench(large, () => null, false)
  const counts: number[] = []
  const pull = async () => {
    const pulled = await pullAll()
    puller.given(pulled)
    counts.push(pulled.records.length)
  }
  for (let i = 0; i < 5; i++) await pull()
  assert.deepEqual(wanted, [40, 4, 4, 4, 4])
  assert.deepEqual(counts, [4, 4, 4, 4, 4])
  grant(Array.from({ length: 40 }, (_, i) => 5 + (i % 5)))
  for (let i = 0; i < 2; i++) await pull()
  assert.deepEqual(counts.slice(5), [4, 40])
})
