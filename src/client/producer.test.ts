import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { baseSequence, producerId, recordCount } from '../protocol/batches/header.ts'
import { readRecords } from '../protocol/batches/records.ts'
import { ErrorCode, type ErrorName, KafkaError } from '../protocol/errors.ts'
import { InitProducerId } from '../protocol/messages/init-producer-id.ts'
import { Produce } from '../protocol/messages/produce.ts'
import { nodeWorld } from '../world/node.ts'
import { Cluster } from './cluster.ts'
import type { ClientOptions, ClientWorld } from './options.ts'
import { Producer, type ProducerOptions } from './producer.ts'
import { ScriptedBroker } from './testing.ts'

const stops: (() => unknown)[] = []
after(async () => {
  for (const stop of stops) await stop()
})

/** A batch as the broker got it. */
interface Got {
  readonly partition: number
  readonly producerId: number
  readonly sequence: number
  readonly count: number
  readonly values: string
}

type Verdict = ErrorName | 'silence' | 'hang up'

/**
 * A broker with the topic `t`. What it does with each Produce request in turn stands in `verdicts`; then it takes all.
 * Offsets are those of a log that keeps what was taken.
 */
async function setUp(
  verdicts: Verdict[],
  producing: Partial<ProducerOptions> = {},
  client: Partial<ClientOptions> = {},
  world: ClientWorld = nodeWorld,
): Promise<{ got: Got[]; producer: Producer; broker: ScriptedBroker; cluster: Cluster }> {
  const broker = (await ScriptedBroker.start(nodeWorld)).withTopic('t', 2)
  const got: Got[] = []
  const ends = [0, 0]
  let ids = 100
  broker.on(InitProducerId, () => ({ errorCode: 0, producerId: ids++, producerEpoch: 0 }))
  broker.on(Produce, request => {
    const verdict = verdicts.shift() ?? 'NONE'
    if (verdict === 'silence' || verdict === 'hang up') {
      got.push(...batchesOf(request))
      return verdict
    }
    const parts = request.topicData.flatMap(topic => topic.partitionData)
    got.push(...batchesOf(request))
    const partitionResponses = parts.map(({ index, records }) => {
      const baseOffset = ends[index]!
      if (verdict === 'NONE') ends[index]! += recordCount(records!, 0)
      return { index, errorCode: ErrorCode[verdict], baseOffset }
    })
    return { responses: [{ name: 't', topicId: 'BAAAAAAAAAAAAAAAAAAAAA', partitionResponses }] }
  })
  const options = { requestTimeoutMs: 500, retryBackoffMs: 5, retryBackoffMaxMs: 5, apiTimeoutMs: 1000, ...client }
  const cluster = new Cluster(world, { bootstrap: [broker.address], ...options })
  stops.push(
    () => cluster.close(),
    () => broker.stop(),
  )
  return { got, producer: new Producer(cluster, producing), broker, cluster }
}

function batchesOf(request: {
  topicData: { partitionData: { index: number; records: Uint8Array | null }[] }[]
}): Got[] {
  return request.topicData
    .flatMap(topic => topic.partitionData)
    .map(({ index, records }) => ({
      partition: index,
      producerId: producerId(records!, 0),
      sequence: baseSequence(records!, 0),
      count: recordCount(records!, 0),
      values: [...readRecords(records!)].map(each => Buffer.from(each.value!).toString()).join(''),
    }))
}

const send = (producer: Producer, value: string, partition = 0) =>
  producer.send({ topic: 't', partition, value: Buffer.from(value) })

const named = (name: ErrorName) => (error: unknown) => error instanceof KafkaError && error.errorName === name

test('what comes in one turn leaves in one batch; sequence numbers go on', async () => {
  const { got, producer } = await setUp([])
  const placed = await Promise.all(['a', 'b', 'c'].map(value => send(producer, value)))
  assert.deepEqual(
    placed.map(each => each.offset),
    [0, 1, 2],
  )
  assert.equal((await send(producer, 'd')).offset, 3)
  assert.equal((await send(producer, 'e', 1)).offset, 0)
  assert.deepEqual(got, [
    { partition: 0, producerId: 100, sequence: 0, count: 3, values: 'abc' },
    { partition: 0, producerId: 100, sequence: 3, count: 1, values: 'd' },
    { partition: 1, producerId: 100, sequence: 0, count: 1, values: 'e' },
  ])
})

for (const verdict of ['NOT_LEADER_OR_FOLLOWER', 'NOT_ENOUGH_REPLICAS', 'REQUEST_TIMED_OUT', 'hang up'] as const) {
  test(`after ${verdict} the same batch goes again`, async () => {
    const { got, producer } = await setUp([verdict, verdict])
    assert.equal((await send(producer, 'a')).offset, 0)
    assert.deepEqual(
      got.map(({ producerId, sequence, values }) => [producerId, sequence, values]),
      Array(3).fill([100, 0, 'a']),
    )
  })
}

test('what comes meanwhile waits, and stays in order', async () => {
  const { got, producer, broker } = await setUp(['NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS'])
  const first = send(producer, 'a')
  while (broker.count('Produce') < 1) await new Promise(setImmediate)
  const rest = ['b', 'c'].map(value => send(producer, value))
  assert.equal((await first).offset, 0)
  await Promise.all(rest)
  assert.deepEqual(
    got.map(({ sequence, values }) => [sequence, values]),
    [
      [0, 'a'],
      [0, 'a'],
      [0, 'a'],
      [1, 'bc'],
    ],
  )
})

test('a repetition that the broker knows already is a success', async () => {
  const { producer } = await setUp(['hang up', 'DUPLICATE_SEQUENCE_NUMBER'])
  await send(producer, 'a')
})

test('a batch that is too large is split; a single record is refused', async () => {
  const { got, producer } = await setUp(['MESSAGE_TOO_LARGE'])
  await Promise.all(['a', 'b', 'c', 'd'].map(value => send(producer, value)))
  assert.deepEqual(
    got.map(({ sequence, values }) => [sequence, values]),
    [
      [0, 'abcd'],
      [0, 'ab'],
      [2, 'cd'],
    ],
  )
  const one = await setUp(['MESSAGE_TOO_LARGE'])
  await assert.rejects(send(one.producer, 'a'), named('MESSAGE_TOO_LARGE'))
})

test('a broker that forgot us is met under a new identity', async () => {
  const { got, producer } = await setUp(['UNKNOWN_PRODUCER_ID'])
  await send(producer, 'a')
  assert.deepEqual(
    got.map(({ producerId, sequence }) => [producerId, sequence]),
    [
      [100, 0],
      [101, 0],
    ],
  )
})

test('but not with a batch that may be written already', async () => {
  const { got, producer } = await setUp(['hang up', 'OUT_OF_ORDER_SEQUENCE_NUMBER'])
  await assert.rejects(send(producer, 'a'), named('OUT_OF_ORDER_SEQUENCE_NUMBER'))
  await send(producer, 'b')
  assert.deepEqual(
    got.map(({ producerId, sequence, values }) => [producerId, sequence, values]),
    [
      [100, 0, 'a'],
      [100, 0, 'a'],
      [101, 0, 'b'],
    ],
  )
})

test('an error that will not go away is told at once, and the sequence numbers are used again', async () => {
  const { got, producer } = await setUp(['NONE', 'INVALID_RECORD'])
  await send(producer, 'a')
  await assert.rejects(send(producer, 'b'), named('INVALID_RECORD'))
  assert.equal((await send(producer, 'c')).offset, 1)
  assert.deepEqual(
    got.map(({ producerId, sequence, values }) => [producerId, sequence, values]),
    [
      [100, 0, 'a'],
      [100, 1, 'b'],
      [100, 1, 'c'],
    ],
  )
})

test('what cannot be delivered in time is given up; what follows is sent under a new identity', async () => {
  const verdicts: Verdict[] = Array(1000).fill('REQUEST_TIMED_OUT')
  const { got, producer } = await setUp(verdicts, { deliveryTimeoutMs: 400 })
  await assert.rejects(send(producer, 'a'), named('REQUEST_TIMED_OUT'))
  verdicts.length = 0
  await send(producer, 'b')
  assert.equal(got.at(-1)!.producerId, 101)
  assert.equal(got.at(-1)!.sequence, 0)
})

test('with acks 0 nobody waits for an answer', async () => {
  const { got, producer, broker } = await setUp(['silence', 'silence'], { acks: 0 })
  assert.equal((await send(producer, 'a')).offset, -1)
  assert.equal((await send(producer, 'b')).offset, -1)
  await producer.close()
  while (broker.count('Produce') < 2) await new Promise(resolve => setTimeout(resolve, 1))
  assert.deepEqual(
    got.map(({ producerId, values }) => [producerId, values]),
    [
      [-1, 'a'],
      [-1, 'b'],
    ],
  )
})

test('takes no more than fits, says when there is room again, and loses nothing', async () => {
  const { got, producer } = await setUp([], { bufferBytes: 1000, maxBatchBytes: 300 })
  const value = 'x'.repeat(100)
  const sent: Promise<unknown>[] = []
  let refused = 0
  for (let i = 0; i < 50; i++) {
    await producer.ready()
    sent.push(send(producer, value))
  }
  for (let i = 0; i < 50; i++) sent.push(send(producer, value).catch(() => refused++))
  await producer.close()
  await Promise.all(sent)
  assert.ok(refused > 20 && refused < 50, `${refused} refused`)
  assert.equal(
    got.reduce((sum, each) => sum + each.count, 0),
    100 - refused,
  )
  await assert.rejects(send(producer, 'late'), KafkaError)
})

test('a topic that does not exist is an error in the end', async () => {
  const { producer, broker } = await setUp([], {}, { apiTimeoutMs: 300 })
  await assert.rejects(
    producer.send({ topic: 'other', value: null }),
    (error: KafkaError) => error.errorName === 'UNKNOWN_TOPIC_OR_PARTITION',
  )
  assert.ok(broker.count('Metadata') > 1)
  assert.equal((await send(producer, 'a')).offset, 0)
})

test('a topic that does not exist holds up no other one', async () => {
  const { got, producer } = await setUp([], {}, { apiTimeoutMs: 100 })
  const lost = ['1', '2'].map(value => producer.send({ topic: 'other', value: Buffer.from(value) }))
  const failed = Promise.allSettled(lost)
  assert.equal((await send(producer, 'a')).offset, 0)
  assert.equal((await send(producer, 'b')).offset, 1)
  await failed
  assert.deepEqual(
    got.map(each => each.values),
    ['a', 'b'],
  )
})

test('records that are waited for together: each has its place or its error, in their order', async () => {
  const { producer } = await setUp(['INVALID_RECORD'], { bufferBytes: 1000 })
  const record = (value: string, partition = 0) => ({ topic: 't', partition, value: Buffer.from(value) })
  assert.deepEqual(await producer.sendAll([]), [])
  const none = await producer.sendAll([record('a'), record('b', 1)])
  assert.ok(none.every(named('INVALID_RECORD')))
  const all = await producer.sendAll([record('a'), record('b', 1), record('c')])
  assert.deepEqual(
    all.map(each => (each instanceof Error ? each : [each.partition, each.offset])),
    [
      [0, 0],
      [1, 0],
      [0, 1],
    ],
  )
  const many = await producer.sendAll(Array.from({ length: 50 }, () => record('x'.repeat(100))))
  const refused = many.filter(each => each instanceof KafkaError && each.errorName === 'THROTTLING_QUOTA_EXCEEDED')
  assert.ok(refused.length > 20 && refused.length < 50, `${refused.length} refused`)
  await producer.close()
  assert.ok((await producer.sendAll([record('late')]))[0] instanceof KafkaError)
})

test('what is not written when the client is closed fails at once', async () => {
  const { producer, cluster } = await setUp(['silence'])
  const sent = [send(producer, 'a'), send(producer, 'b')]
  await new Promise(resolve => setTimeout(resolve, 20))
  sent.push(send(producer, 'c'))
  cluster.close()
  const from = performance.now()
  for (const result of await Promise.allSettled(sent)) assert.equal(result.status, 'rejected')
  await producer.close()
  assert.ok(performance.now() - from < 400)
})

test('partitions that are idle are forgotten when there are many, and begin anew under another identity', async () => {
  const { got, producer } = await setUp([], { maxIdlePartitions: 1 })
  const place = async (partition: number) =>
    (await producer.send({ topic: 't', partition, value: Buffer.from('v') })).offset
  assert.deepEqual([await place(0), await place(0), await place(1), await place(0)], [0, 1, 0, 2])
  assert.deepEqual(
    got.map(each => [each.partition, each.producerId, each.sequence]),
    [
      [0, 100, 0],
      [0, 100, 1],
      [1, 101, 0],
      [0, 102, 0],
    ],
  )
})

test('who sends while a batch is about to be built takes no identity from it', async () => {
  let then = (): void => {}
  const soon = (run: () => void): void =>
    nodeWorld.timers.soon(() => {
      run()
      then()
    })
  const world = { ...nodeWorld, timers: { ...nodeWorld.timers, soon } }
  const { got, producer } = await setUp([], { maxIdlePartitions: 1 }, {}, world)
  await producer.send({ topic: 't', partition: 0, value: Buffer.from('a') })
  let other: Promise<unknown> | null = null
  // The first has been taken up and is not built yet; this one forgets who is idle.
  then = () => {
    other ??= producer.send({ topic: 't', partition: 1, value: Buffer.from('c') })
  }
  await producer.send({ topic: 't', partition: 0, value: Buffer.from('b') })
  await other
  assert.deepEqual(
    got.map(each => [each.partition, each.producerId, each.sequence]),
    [
      [0, 100, 0],
      [0, 100, 1],
      [1, 101, 0],
    ],
  )
})

test('a partition that does not exist is an error in the end', async () => {
  const { producer } = await setUp([], { deliveryTimeoutMs: 30 })
  await assert.rejects(send(producer, 'a', 9), KafkaError)
})
