import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batch, fetch, open, produce, start, topic } from './kit.ts'

const broker = await start({ config: { 'max.incremental.fetch.session.cache.slots': 2 } })
const wire = await open(broker)

test('a session answers with what changed, and nothing else (KIP-227)', async () => {
  const { name } = await topic(wire, { partitions: 3 })
  const places = [0, 1, 2].map(partition => ({ topic: name, partition }))
  const begun = await fetch(wire, places, { sessionEpoch: 0 })
  const { sessionId } = begun
  assert.notEqual(sessionId, 0)
  assert.equal(begun.partitions.length, 3)

  let epoch = 1
  const next = async (changes: Parameters<typeof fetch>[1], more: Parameters<typeof fetch>[2] = {}) => {
    const answer = await fetch(wire, changes, { sessionId, sessionEpoch: epoch++, ...more })
    assert.deepEqual([answer.error, answer.sessionId], ['NONE', sessionId])
    return answer.partitions.map(({ partition, values }) => [partition, values])
  }
  assert.deepEqual(await next([]), [])
  await produce(wire, name, batch(['one']), { partition: 1 })
  assert.deepEqual(await next([]), [[1, ['one']]])
  // It asks from the same place: the records come again until the client says that it is further.
  assert.deepEqual(await next([]), [[1, ['one']]])
  assert.deepEqual(await next([{ topic: name, partition: 1, offset: 1 }]), [])

  await produce(wire, name, batch(['zero']), { partition: 0 })
  await produce(wire, name, batch(['two']), { partition: 2 })
  assert.deepEqual(await next([], { forgotten: [{ topic: name, partitions: [0] }] }), [[2, ['two']]])
  assert.deepEqual(await next([{ topic: name, partition: 2, offset: 1 }]), [])
  // Forgotten, not lost.
  assert.deepEqual(await next([{ topic: name, partition: 0 }]), [[0, ['zero']]])

  const ended = await fetch(wire, [], { sessionId, sessionEpoch: -1 })
  assert.deepEqual([ended.error, ended.sessionId], ['NONE', 0])
  assert.equal((await fetch(wire, [], { sessionId, sessionEpoch: epoch })).error, 'FETCH_SESSION_ID_NOT_FOUND')
})

test('a session waits like any other Fetch, and is woken by one of its partitions', async () => {
  const { name } = await topic(wire, { partitions: 2 })
  const places = [0, 1].map(partition => ({ topic: name, partition }))
  const { sessionId } = await fetch(wire, places, { sessionEpoch: 0 })
  const waiting = fetch(wire, [], { sessionId, sessionEpoch: 1, maxWaitMs: 10_000 })
  await produce(await open(broker), name, batch(['woken']), { partition: 1 })
  const { partitions } = await waiting
  assert.deepEqual(
    partitions.map(({ partition, values }) => [partition, values]),
    [[1, ['woken']]],
  )
  await fetch(wire, [], { sessionId, sessionEpoch: -1 })
})

test('partitions that gave data come last the next time, so that none starves', async () => {
  const { name } = await topic(wire, { partitions: 2 })
  for (const partition of [0, 1]) await produce(wire, name, batch(['x'.repeat(500)]), { partition })
  const places = [0, 1].map(partition => ({ topic: name, partition }))
  const given = (answer: Awaited<ReturnType<typeof fetch>>) =>
    answer.partitions.filter(({ bytes }) => bytes > 0).map(({ partition }) => partition)
  const begun = await fetch(wire, places, { sessionEpoch: 0, maxBytes: 1 })
  assert.deepEqual(given(begun), [0])
  const { sessionId } = begun
  assert.deepEqual(given(await fetch(wire, [], { sessionId, sessionEpoch: 1, maxBytes: 1 })), [1])
  assert.deepEqual(given(await fetch(wire, [], { sessionId, sessionEpoch: 2, maxBytes: 1 })), [0])
  await fetch(wire, [], { sessionId, sessionEpoch: -1 })
})

test('a wrong epoch, a wrong id, and ids where there were names are refused', async () => {
  const { name } = await topic(wire)
  const { sessionId } = await fetch(wire, [{ topic: name }], { sessionEpoch: 0 })
  const error = async (options: object) => (await fetch(wire, [], options)).error
  assert.equal(await error({ sessionId, sessionEpoch: 5 }), 'INVALID_FETCH_SESSION_EPOCH')
  assert.equal(await error({ sessionId: sessionId ^ 1, sessionEpoch: 1 }), 'FETCH_SESSION_ID_NOT_FOUND')
  assert.equal(await error({ sessionId, sessionEpoch: 1, version: 13 }), 'FETCH_SESSION_TOPIC_ID_ERROR')
  // None of that has moved the session on.
  assert.equal(await error({ sessionId, sessionEpoch: 1 }), 'NONE')
  await fetch(wire, [], { sessionId, sessionEpoch: -1 })
})

test('more clients than slots: those without one are served in full each time', async () => {
  const { name } = await topic(wire)
  const sessions: number[] = []
  for (let i = 0; i < 3; i++) {
    const { error, sessionId, partitions } = await fetch(wire, [{ topic: name }], { sessionEpoch: 0 })
    assert.deepEqual([error, partitions.length], ['NONE', 1])
    sessions.push(sessionId)
  }
  assert.deepEqual(
    sessions.map(id => id === 0),
    [false, false, true],
  )
})
