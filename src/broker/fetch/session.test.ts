import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaError } from '../../protocol/errors.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import { type FetchPartition, FetchSessions } from './session.ts'

const dice = (...values: number[]) => ({ int: () => values.shift() ?? 0 })

function partition(topic: string, index: number, fetchOffset = 0): FetchPartition {
  return {
    topic,
    topicId: ZERO_UUID,
    partition: index,
    currentLeaderEpoch: -1,
    fetchOffset,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    downstream: null,
    fresh: true,
    maxBytes: 1_000,
    namedIn: 0,
    toldHighWatermark: -1,
    toldLogStartOffset: -1,
  }
}

const refused = (name: string) => (error: unknown) => error instanceof KafkaError && error.errorName === name

test('a session remembers partitions, takes changes, forgets what it is told to', () => {
  const sessions = new FetchSessions(10, dice(41))
  const session = sessions.open(false, 0)!
  assert.equal(session.id, 42)
  session.update([partition('a', 0), partition('a', 1), partition('b', 0)], [])
  session.update([partition('a', 1, 7)], [partition('b', 0)])
  assert.deepEqual(
    session.partitions().map(({ topic, partition, fetchOffset }) => [topic, partition, fetchOffset]),
    [
      ['a', 0, 0],
      ['a', 1, 7],
    ],
  )
})

test('who asks in a new term, or from further back, is told everything again', () => {
  const session = new FetchSessions(10, dice(1)).open(false, 0)!
  const told = () => session.partitions().map(each => [each.toldHighWatermark, each.toldLogStartOffset])
  const tell = (change: Partial<FetchPartition>) => {
    Object.assign(session.partitions()[0]!, { toldHighWatermark: 7, toldLogStartOffset: 1 })
    session.update([{ ...partition('t', 0, 7), currentLeaderEpoch: 3, ...change }], [])
  }
  session.update([{ ...partition('t', 0, 7), currentLeaderEpoch: 3 }], [])
  tell({ fetchOffset: 8 })
  assert.deepEqual(told(), [[7, 1]])
  tell({ fetchOffset: 6 })
  assert.deepEqual(told(), [[-1, -1]])
  tell({ currentLeaderEpoch: 4 })
  assert.deepEqual(told(), [[-1, -1]])
})

test('who gave data comes last the next time', () => {
  const session = new FetchSessions(10, dice(1)).open(false, 0)!
  const [a, b, c] = [partition('t', 0), partition('t', 1), partition('t', 2)]
  session.update([a, b, c], [])
  session.rotate(new Set([a]))
  assert.deepEqual(session.partitions(), [b, c, a])
})

test('epochs go up by one and wrap to 1', () => {
  const sessions = new FetchSessions(10, dice(1))
  const { id } = sessions.open(true, 0)!
  assert.equal(sessions.continue(id, 1, true, 0).epoch, 2)
  assert.throws(() => sessions.continue(id, 1, true, 0), refused('INVALID_FETCH_SESSION_EPOCH'))
  const session = sessions.continue(id, 2, true, 0)
  session.epoch = 0x7fffffff
  assert.equal(sessions.continue(id, 0x7fffffff, true, 0).epoch, 1)
})

test('an unknown session, and one that changes between names and ids, are refused', () => {
  const sessions = new FetchSessions(10, dice(1))
  const { id } = sessions.open(true, 0)!
  assert.throws(() => sessions.continue(id + 1, 1, true, 0), refused('FETCH_SESSION_ID_NOT_FOUND'))
  assert.throws(() => sessions.continue(id, 1, false, 0), refused('FETCH_SESSION_TOPIC_ID_ERROR'))
  sessions.close(id)
  assert.throws(() => sessions.continue(id, 1, true, 0), refused('FETCH_SESSION_ID_NOT_FOUND'))
})

test('when all slots are taken, only a session that was idle for two minutes makes room', () => {
  const sessions = new FetchSessions(2, dice(1, 2, 3, 4, 5))
  const first = sessions.open(false, 0)!
  const second = sessions.open(false, 0)!
  assert.equal(sessions.open(false, 119_999), null)
  const ofNode = sessions.open(false, 119_999, true)!
  sessions.close(ofNode.id)
  sessions.continue(first.id, 1, false, 119_999)
  assert.notEqual(sessions.open(false, 120_000), null)
  assert.throws(() => sessions.continue(second.id, 1, false, 120_000), refused('FETCH_SESSION_ID_NOT_FOUND'))
  assert.equal(sessions.count, 2)
  assert.equal(sessions.evictions, 1)
})

test('no slots: no sessions', () => {
  assert.equal(new FetchSessions(0, dice()).open(false, 0), null)
})

test('sessions together remember a bounded number of partitions; the one that goes beyond is closed', () => {
  const sessions = new FetchSessions(10, dice(1, 2, 3), 5)
  const [one, other] = [sessions.open(false, 0)!, sessions.open(false, 0)!]
  assert.equal(sessions.update(one, [partition('a', 0), partition('a', 1), partition('a', 2)], []), true)
  assert.equal(sessions.update(other, [partition('a', 0), partition('a', 1)], []), true)
  // The same ones again are no more.
  assert.equal(sessions.update(other, [partition('a', 0, 7), partition('a', 1, 7)], []), true)
  assert.equal(sessions.update(other, [partition('a', 2)], []), false)
  assert.throws(() => sessions.continue(other.id, 1, false, 0), refused('FETCH_SESSION_ID_NOT_FOUND'))
  // What it held is free, and so is what another forgets.
  assert.equal(sessions.update(one, [partition('b', 0), partition('b', 1)], [partition('a', 0)]), true)
  assert.equal(sessions.update(sessions.open(false, 0)!, [partition('c', 0)], []), true)
})

test('clients that name many partitions push out no other node; nodes have a limit of their own', () => {
  const sessions = new FetchSessions(10, dice(1, 2, 3, 4), 2)
  const [client, node] = [sessions.open(true, 0)!, sessions.open(true, 0, true)!]
  assert.equal(sessions.update(client, [partition('a', 0), partition('a', 1)], []), true)
  assert.equal(sessions.update(node, [partition('a', 0), partition('a', 1)], []), true)
  assert.equal(sessions.update(client, [partition('a', 2)], []), false)
  assert.equal(sessions.update(node, [partition('a', 2)], []), false)
  assert.equal(sessions.update(sessions.open(true, 0, true)!, [partition('a', 0), partition('a', 1)], []), true)
})

test('a partition knows the change that named it last: an answer to an earlier Fetch leaves it to the later one', () => {
  const session = new FetchSessions(10, dice(41)).open(false, 0)!
  session.update([partition('a', 0), partition('a', 1)], [])
  assert.equal(session.changes, 1)
  session.update([partition('a', 1, 7), partition('b', 0)], [])
  assert.deepEqual(
    session.partitions().map(({ topic, partition, namedIn }) => [topic, partition, namedIn]),
    [
      ['a', 0, 1],
      ['a', 1, 2],
      ['b', 0, 2],
    ],
  )
})
