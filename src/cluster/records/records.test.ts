import assert from 'node:assert/strict'
import { test } from 'node:test'
import { uuid } from '../testing.ts'
import { decodeRecord, encodeRecord, type RecordOf } from './records.ts'

const topicId = uuid('t')
const change = { type: 'PartitionChangeRecord', partitionId: 0, topicId } as const

function written(record: RecordOf<'PartitionRecord'> | RecordOf<'PartitionChangeRecord'>, level: number) {
  const bytes = encodeRecord(record, level)
  return { version: bytes[2], record: decodeRecord(bytes) as typeof record }
}

test('who is eligible is in the log at every level, and who no longer is', () => {
  for (const level of [7, 17, 22, 23, 30]) {
    for (const eligibleLeaderReplicas of [[3], []]) {
      const { version, record } = written({ ...change, isr: [], eligibleLeaderReplicas, directories: [topicId] }, level)
      assert.equal(version, 2)
      assert.deepEqual(record.eligibleLeaderReplicas, eligibleLeaderReplicas)
      assert.deepEqual(record.directories, level < 17 ? null : [topicId])
    }
    const { record } = written({ ...change, lastKnownElr: [2] }, level)
    assert.deepEqual([record.lastKnownElr, record.eligibleLeaderReplicas], [[2], null])
    const partition = {
      type: 'PartitionRecord' as const,
      partitionId: 0,
      topicId,
      replicas: [1],
      isr: [],
      removingReplicas: [],
      addingReplicas: [],
      directories: [topicId],
    }
    const whole = written({ ...partition, eligibleLeaderReplicas: [1] }, level).record as RecordOf<'PartitionRecord'>
    assert.deepEqual([whole.eligibleLeaderReplicas, whole.directories], [[1], level < 17 ? [] : [topicId]])
  }
})

test('what says nothing of that is written as the level has it', () => {
  const versions = [7, 17, 22, 23, 30].map(level => written({ ...change, isr: [1] }, level).version)
  assert.deepEqual(versions, [0, 1, 1, 2, 2])
})
