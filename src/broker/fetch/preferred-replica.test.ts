import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BrokerState } from '../../cluster/state.ts'
import type { Partition } from '../../replication/partition.ts'
import { preferredReplica, selectsByRack } from './preferred-replica.ts'

/** Brokers 1 to 5 in the racks a, b, b, c, b; 5 is fenced. */
const brokers = new Map(
  ['a', 'b', 'b', 'c', 'b'].map((rack, index) => {
    const id = index + 1
    return [id, { id, rack, fenced: id === 5 } as BrokerState]
  }),
)

/** Led by 1, from offset 10 on; the followers are that far. */
function led(ends: Readonly<Record<number, number>>, isr = [1, 2, 3, 4, 5]): Partition {
  const followers = Object.entries(ends).map(([id, endOffset]) => ({ id: Number(id), endOffset }))
  // Of a partition only this is looked at.
  return { node: 1, log: { logStartOffset: 10 }, role: { isr }, leadership: { followers } } as unknown as Partition
}

test('a consumer is sent to the most complete copy in its rack', () => {
  const cases: [string, Partition, number, string, number][] = [
    ['the more complete one', led({ 2: 90, 3: 100 }), 50, 'b', 3],
    ['the first of equals', led({ 3: 100, 2: 100 }), 50, 'b', 2],
    ['not one that has not got so far', led({ 2: 90, 3: 100 }), 95, 'b', 3],
    ['nobody when nobody has', led({ 2: 90, 3: 100 }), 101, 'b', -1],
    ['nobody out of sync', led({ 2: 90, 3: 100 }, [1, 2]), 50, 'b', 2],
    ['nobody who is fenced', led({ 5: 100 }), 50, 'b', -1],
    ['the leader in its own rack', led({ 2: 100 }), 50, 'a', -1],
    ['nobody in a rack without copies', led({ 2: 100 }), 50, 'z', -1],
    ['the leader says what is gone', led({ 2: 100 }), 9, 'b', -1],
  ]
  for (const [what, partition, fetchOffset, rack, expected] of cases)
    assert.equal(preferredReplica(partition, fetchOffset, rack, brokers), expected, what)
})

test('which selectors look at racks', () => {
  assert.equal(selectsByRack('org.apache.kafka.common.replica.RackAwareReplicaSelector'), true)
  assert.equal(selectsByRack('org.apache.kafka.common.replica.LeaderSelector'), false)
  assert.equal(selectsByRack(null), false)
})
