import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Relay, sourceOf } from './relay.ts'

const role = { leader: 1, leaderEpoch: 4, partitionEpoch: 9, replicas: [1, 2, 3, 4], isr: [2, 1, 3] }

test('from whom a follower copies', () => {
  const from = (node: number, chain: boolean, change = {}) => sourceOf({ ...role, ...change }, node, chain)
  assert.deepEqual(
    [1, 2, 3, 4].map(node => from(node, false)),
    [-1, 1, 1, 1],
  )
  // The leader is the head, wherever it stands in the ISR; who is not in sync stands behind the tail.
  assert.deepEqual(
    [1, 2, 3, 4].map(node => from(node, true)),
    [-1, 1, 2, 3],
  )
  assert.equal(from(2, true, { isr: [1] }), 1)
  assert.equal(from(2, true, { leader: -1 }), -1)
})

test('only news are passed on, and nothing of a former self', () => {
  const relay = new Relay(4)
  const report = (replicaEpoch: number, logEndOffset: number) =>
    relay.take({ replicaId: 3, replicaEpoch, logEndOffset })
  assert.equal(report(7, 10), true)
  assert.equal(report(7, 10), false)
  assert.equal(report(6, 20), false)
  assert.equal(report(7, 12), true)
  assert.equal(report(8, 5), true)
  assert.equal(relay.take({ replicaId: 4, replicaEpoch: 1, logEndOffset: 5 }), true)
  assert.deepEqual(relay.reports, [
    { replicaId: 3, replicaEpoch: 8, logEndOffset: 5 },
    { replicaId: 4, replicaEpoch: 1, logEndOffset: 5 },
  ])
})
