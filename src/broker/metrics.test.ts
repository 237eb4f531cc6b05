import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BrokerMetrics, bucketOf, durationBounds } from './metrics.ts'

test('each duration is counted under the first bound that is not below it', () => {
  const expected = (ms: number) => {
    const index = durationBounds.findIndex(bound => ms <= bound)
    return index < 0 ? durationBounds.length : index
  }
  const around = durationBounds.flatMap(bound => [bound - 0.001, bound, bound + 0.001])
  for (const ms of [0, -1, ...around, 1e6, 1e12]) assert.equal(bucketOf(ms), expected(Math.max(0, ms)), `${ms}`)
})

test('what is produced and fetched is counted by topic', () => {
  const metrics = new BrokerMetrics()
  metrics.produced('t', 100, 3)
  metrics.produced('t', 50, 1)
  metrics.fetched('t', 0, false)
  metrics.fetched('t', 40, false)
  metrics.fetched('t', 70, true)
  assert.deepEqual(metrics.topics.get('t'), {
    produceRequests: 2,
    fetchRequests: 1,
    messagesIn: 4,
    bytesIn: 150,
    bytesOut: 40,
    replicationBytesOut: 70,
  })
  metrics.forgetTopic('t')
  assert.equal(metrics.topics.size, 0)
})

test('requests are counted by API and by how long they took', () => {
  const metrics = new BrokerMetrics()
  for (const ms of [0.1, 3, 3, 1e9]) metrics.observe(1, ms)
  const { requests, totalMs, maxMs, durations } = metrics.apis.get(1)!
  assert.deepEqual([requests, totalMs, maxMs], [4, 1e9 + 6.1, 1e9])
  assert.deepEqual([durations[0], durations[4], durations[durationBounds.length]], [1, 2, 1])
})
