import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fetch } from '../../src/protocol/messages/fetch.ts'
import { batch, deleteTopic, fetch, fetchRequest, open, produce, scratch, sleep, start, topic } from './kit.ts'

const brokers = { memory: await start(), files: await start({ data: scratch() }) }
const unknownId = 'AAAAAAAAAAAAAAAAAAAAAQ'

async function timed<T>(what: Promise<T>): Promise<[T, number]> {
  const began = performance.now()
  return [await what, performance.now() - began]
}

for (const [where, broker] of Object.entries(brokers)) {
  test(`${where}: an empty partition is answered after maxWait, not before`, async () => {
    const wire = await open(broker)
    const { name } = await topic(wire)
    const [answer, took] = await timed(fetch(wire, [{ topic: name }], { maxWaitMs: 100 }))
    assert.deepEqual(answer.partitions[0]!.values, [])
    assert.ok(took >= 98, `${took} ms`)
    const [, atOnce] = await timed(fetch(wire, [{ topic: name }], { maxWaitMs: 5000, minBytes: 0 }))
    assert.ok(atOnce < 2000)
  })

  test(`${where}: a Fetch that waits is woken by a Produce of another client`, async () => {
    const [reader, writer] = [await open(broker), await open(broker)]
    const { name } = await topic(writer, { partitions: 2 })
    const places = [{ topic: name }, { topic: name, partition: 1 }]
    const waiting = timed(fetch(reader, places, { maxWaitMs: 10_000 }))
    await sleep(10)
    await produce(writer, name, batch(['wake up']), { partition: 1 })
    const [{ partitions }, took] = await waiting
    assert.deepEqual(
      partitions.map(({ values }) => values),
      [[], ['wake up']],
    )
    assert.ok(took < 5000)
  })

  test(`${where}: minBytes is waited for, over all partitions`, async () => {
    const [reader, writer] = [await open(broker), await open(broker)]
    const { name } = await topic(writer, { partitions: 2 })
    let answered = false
    const waiting = fetch(reader, [{ topic: name }, { topic: name, partition: 1 }], {
      maxWaitMs: 10_000,
      minBytes: 600,
    })
    void waiting.then(() => {
      answered = true
    })
    await produce(writer, name, batch(['x'.repeat(300)]))
    await sleep(20)
    assert.equal(answered, false)
    await produce(writer, name, batch(['x'.repeat(300)]), { partition: 1 })
    assert.equal((await waiting).partitions.filter(({ bytes }) => bytes > 300).length, 2)
  })

  test(`${where}: maxBytes holds for all partitions together, yet the first batch comes however large it is`, async () => {
    const wire = await open(broker)
    const { name } = await topic(wire, { partitions: 3 })
    for (const partition of [0, 1, 2])
      for (const _ of [0, 1, 2]) await produce(wire, name, batch(['x'.repeat(1000)]), { partition })
    const places = [0, 1, 2].map(partition => ({ topic: name, partition }))
    const counts = async (options: object) =>
      (await fetch(wire, places, options)).partitions.map(({ values }) => values.length)
    assert.deepEqual(await counts({}), [3, 3, 3])
    assert.deepEqual(await counts({ maxBytes: 1 }), [1, 0, 0])
    assert.deepEqual(await counts({ partitionMaxBytes: 1 }), [1, 1, 1])
    const some = await counts({ maxBytes: 4500 })
    assert.equal(some[0], 3)
    assert.ok(some[1]! + some[2]! <= 2, `${some}`)
    // The large batch stands in the way of nobody: from where it ends, reading goes on.
    const next = await fetch(wire, [{ topic: name, offset: 1 }], { maxBytes: 1 })
    assert.equal(next.partitions[0]!.values.length, 1)
  })

  test(`${where}: an offset out of range is said at once, also by a Fetch that would wait`, async () => {
    const wire = await open(broker)
    const { name } = await topic(wire)
    for (const offset of [-1, 1, 2 ** 40]) {
      const [answer, took] = await timed(fetch(wire, [{ topic: name, offset }], { maxWaitMs: 5000 }))
      assert.equal(answer.partitions[0]!.error, 'OFFSET_OUT_OF_RANGE')
      assert.ok(took < 2000)
    }
  })

  test(`${where}: topics by id`, async () => {
    const wire = await open(broker)
    const { name, topicId } = await topic(wire)
    await produce(wire, name, batch(['by id']))
    for (const version of [13, 15, 18]) {
      const { partitions } = await fetch(wire, [{ topicId }, { topicId: unknownId }, { topicId, partition: 9 }], {
        version,
      })
      assert.deepEqual(
        partitions.map(({ error, values }) => [error, values]),
        [
          ['NONE', ['by id']],
          ['UNKNOWN_TOPIC_ID', []],
          ['UNKNOWN_TOPIC_OR_PARTITION', []],
        ],
      )
    }
  })

  test(`${where}: a topic that is deleted wakes those who wait for it, with an error`, async () => {
    const wire = await open(broker)
    const { name, topicId } = await topic(wire)
    const [one, other] = [await open(broker), await open(broker)]
    const byName = timed(fetch(one, [{ topic: name }], { maxWaitMs: 10_000 }))
    const byId = timed(fetch(other, [{ topicId }], { version: 13, maxWaitMs: 10_000 }))
    await sleep(10)
    await deleteTopic(wire, name)
    const [[named, tookOne], [known, tookOther]] = await Promise.all([byName, byId])
    assert.equal(named.partitions[0]!.error, 'UNKNOWN_TOPIC_OR_PARTITION')
    assert.equal(known.partitions[0]!.error, 'UNKNOWN_TOPIC_ID')
    assert.ok(Math.max(tookOne, tookOther) < 5000)
  })

  test(`${where}: an id never reads the topic that came after it under the same name`, async () => {
    const wire = await open(broker)
    const { name, topicId } = await topic(wire)
    const options = { version: 13, sessionEpoch: 0 }
    const { sessionId } = await fetch(wire, [{ topicId }], options)
    await deleteTopic(wire, name)
    const second = await topic(wire, { name })
    assert.notEqual(second.topicId, topicId)
    await produce(wire, name, batch(['of the second']))
    const { partitions } = await fetch(wire, [], { ...options, sessionId, sessionEpoch: 1 })
    assert.deepEqual(
      partitions.map(({ error, values }) => [error, values]),
      [['UNKNOWN_TOPIC_ID', []]],
    )
  })
}

test('a replica that nobody knows is no replica: it moves nothing and reads nothing', async () => {
  const wire = await open(brokers.memory)
  const { name } = await topic(wire)
  await produce(wire, name, batch(['secret']))
  for (const version of [0, 4, 11, 12, 15, 18]) {
    const request = fetchRequest([], { version, replicaId: 1 })
    const topics = [
      {
        ...(version < 13 ? { topic: name } : {}),
        partitions: [{ partition: 0, fetchOffset: 1, partitionMaxBytes: 1000 }],
      },
    ]
    const answer = await wire.ask(Fetch, version, { ...request, ...(version < 13 ? { topics } : {}) })
    if (version >= 7) assert.equal(answer.errorCode, 31)
    assert.deepEqual(answer.responses, [])
  }
  const { partitions } = await fetch(wire, [{ topic: name }])
  assert.equal(partitions[0]!.highWatermark, 1)
})

test('a client that goes away while it waits leaves nothing behind', async () => {
  const wire = await open(brokers.memory)
  const { name } = await topic(wire)
  const leaving = await open(brokers.memory)
  const lost = fetch(leaving, [{ topic: name }], { maxWaitMs: 60_000 })
  await sleep(10)
  leaving.close()
  await assert.rejects(lost)
  assert.equal((await produce(wire, name, batch(['on']))).error, 'NONE')
})
