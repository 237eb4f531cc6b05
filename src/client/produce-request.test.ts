import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lane } from './lane.ts'
import { answersOf, type PartitionAnswer } from './produce-request.ts'

const answered = (index: number): PartitionAnswer => ({
  index,
  errorCode: 0,
  baseOffset: 7,
  logAppendTimeMs: -1,
  logStartOffset: 0,
  recordErrors: [],
  errorMessage: null,
  currentLeader: { leaderId: -1, leaderEpoch: -1 },
})

test('an answer that names topics by id is understood by what was sent, whatever was forgotten meanwhile', () => {
  const ids = ['AAAAAAAAAAAAAAAAAAAAAQ', 'AAAAAAAAAAAAAAAAAAAAAg']
  const lanes = [new Lane('a', 0, 1000), new Lane('a', 3, 1000), new Lane('b', 0, 1000)]
  const sent = ['a', 'b'].map((name, i) => ({ name, topicId: ids[i] as string, partitionData: [] }))
  const responses = [
    { name: '', topicId: ids[1] as string, partitionResponses: [answered(0)] },
    { name: '', topicId: ids[0] as string, partitionResponses: [answered(3), answered(9)] },
    { name: '', topicId: 'AAAAAAAAAAAAAAAAAAAAAw', partitionResponses: [answered(0)] },
  ]
  const answers = answersOf(sent, lanes, { responses, throttleTimeMs: 0, nodeEndpoints: [] })
  assert.deepEqual(
    [...answers.keys()].map(({ topic, partition }) => `${topic}-${partition}`),
    ['b-0', 'a-3'],
  )
})
