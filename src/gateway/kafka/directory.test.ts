import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cluster } from '../../client/cluster.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import { nodeWorld } from '../../world/node.ts'
import { Directory } from './directory.ts'

const id = 'AAAAAAAAAAAAAAAAAAAAAQ'
const other = 'AAAAAAAAAAAAAAAAAAAAAg'
const named = (name: string) => ({ name, topicId: ZERO_UUID })
const byId = (topicId: string) => ({ name: '', topicId })

const brokers = [1, 2, 3].map(nodeId => ({ nodeId, host: 'h', port: 9000 + nodeId, rack: null }))

/** One that nobody answers: it knows what it is told. */
function directory(limits = {}): Directory {
  const cluster = new Cluster(nodeWorld, { bootstrap: [{ host: '127.0.0.1', port: 1 }], apiTimeoutMs: 1 })
  return new Directory(cluster, limits)
}

/** Metadata in which each of `leaders` is a partition's leader and its epoch. */
function metadata(name: string, topicId: string, leaders: readonly (readonly [number, number])[], errorCode = 0) {
  const partitions = leaders.map(([leaderId, leaderEpoch], partitionIndex) => ({
    errorCode: 0,
    partitionIndex,
    leaderId,
    leaderEpoch,
    replicaNodes: [],
    isrNodes: [],
    offlineReplicas: [],
  }))
  const topic = { errorCode, name, topicId, isInternal: false, partitions, topicAuthorizedOperations: 0 }
  return { brokers, controllerId: 2, clusterId: 'c', topics: [topic] }
}

test('leaders are known by the name and by the id of a topic', () => {
  const known = directory()
  assert.equal(known.leader(named('t'), 0), null)
  known.learn(
    metadata('t', id, [
      [1, 0],
      [2, 0],
    ]),
  )
  assert.equal(known.leader(named('t'), 1), 2)
  assert.equal(known.leader(byId(id), 0), 1)
  assert.equal(known.leader(byId(id), 7), -1)
  assert.equal(known.leader(byId(other), 0), null)
  assert.deepEqual([known.controllerId, known.clusterId, known.brokers.size], [2, 'c', 3])
  known.forget(byId(id))
  assert.equal(known.knows(named('t')), false)
  assert.equal(known.size.partitions, 0)
})

test('what is older is no news, a topic made anew is', () => {
  const known = directory()
  known.learn(
    metadata('t', id, [
      [1, 5],
      [2, 5],
    ]),
  )
  known.learn(
    metadata('t', id, [
      [3, 4],
      [3, 6],
    ]),
  )
  assert.deepEqual([known.leader(named('t'), 0), known.leader(named('t'), 1)], [1, 3])
  known.learn(metadata('t', other, [[3, 0]]))
  assert.equal(known.leader(named('t'), 0), 3)
  assert.equal(known.knows(byId(id)), false)
  assert.equal(known.leader(byId(other), 0), 3)
  // Old versions tell neither ids nor epochs.
  known.learn(metadata('t', ZERO_UUID, [[2, -1]]))
  assert.equal(known.leader(byId(other), 0), 2)
  known.learn(metadata('t', ZERO_UUID, [], 3))
  assert.equal(known.knows(named('t')), false)
})

test('a leader that sends clients on is believed when it has news, and else doubted', () => {
  const known = directory()
  known.learn(metadata('t', id, [[1, 5]]))
  known.leaderMoved(named('t'), 0, { leaderId: 3, leaderEpoch: 6 })
  assert.equal(known.leader(byId(id), 0), 3)
  known.leaderMoved(named('t'), 0, { leaderId: 1, leaderEpoch: 6 })
  assert.equal(known.leader(named('t'), 0), null)
  for (const hint of [null, { leaderId: -1, leaderEpoch: 9 }, { leaderId: 77, leaderEpoch: 9 }]) {
    known.learn(metadata('t', id, [[1, 5]]))
    known.leaderMoved(named('t'), 0, hint)
    assert.equal(known.knows(named('t')), false)
  }
})

test('coordinators are learnt from both forms of the answer, and forgotten', () => {
  const known = directory()
  const found = { nodeId: 2, host: 'h', port: 1, errorCode: 0, errorMessage: null }
  const none = { nodeId: 0, host: '', port: 0, errorCode: 0, errorMessage: null, throttleTimeMs: 0 }
  known.learnCoordinators(0, '', { ...none, coordinators: [{ ...found, key: 'g' }] })
  known.learnCoordinators(0, 'old', { ...found, throttleTimeMs: 0, coordinators: [] })
  assert.deepEqual([known.coordinator('group', 'g'), known.coordinator('group', 'old')], [2, 2])
  assert.equal(known.coordinator('transaction', 'g'), null)
  known.learnCoordinators(0, '', { ...none, coordinators: [{ ...found, key: 'g', nodeId: -1, errorCode: 15 }] })
  assert.equal(known.coordinator('group', 'g'), null)
  known.forgetCoordinator('group', 'old')
  assert.equal(known.size.coordinators, 0)
})

test('the oldest is forgotten where there is too much', () => {
  const known = directory({ partitions: 5, coordinators: 2 })
  for (const name of ['a', 'b', 'c'])
    known.learn(
      metadata(name, ZERO_UUID, [
        [1, 0],
        [1, 0],
      ]),
    )
  assert.deepEqual([known.knows(named('a')), known.knows(named('b')), known.knows(named('c'))], [false, true, true])
  assert.equal(known.size.partitions, 4)
  // One that is larger than all that may be known is known alone.
  known.learn(
    metadata(
      'd',
      ZERO_UUID,
      Array.from({ length: 9 }, () => [1, 0] as const),
    ),
  )
  assert.deepEqual([known.knows(named('c')), known.knows(named('d')), known.size.partitions], [false, true, 9])
  for (const key of ['x', 'y', 'z'])
    known.learnCoordinators(0, key, {
      ...brokers[0]!,
      errorCode: 0,
      errorMessage: null,
      throttleTimeMs: 0,
      coordinators: [],
    })
  assert.equal(known.coordinator('group', 'x'), null)
  assert.equal(known.coordinator('group', 'z'), 1)
})

test('who cannot ask says so, and knows nothing', async () => {
  const known = directory()
  await known.lookUp([named('t'), byId(id)])
  assert.equal(known.knows(named('t')), false)
  assert.equal(await known.findCoordinator('group', 'g'), -1)
  assert.equal(await known.refresh(), false)
})
