import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode, errorName } from '../protocol/errors.ts'
import { TestController } from './testing.ts'

type Change = readonly [type: 'topic' | 'brokers', value: string | null]

/** Brokers 1 to 4; `foo` on 2, 3 and 4, `sole` on 2 alone. */
function setUp(minIsr: string) {
  const test = new TestController()
  for (const id of [1, 2, 3, 4]) test.broker(id)
  set(test, ['brokers', minIsr])
  test.topicOn('foo', [2, 3, 4])
  test.topicOn('sole', [2])
  return test
}

/** All in one request; those of a topic are for `foo`. */
function set(test: TestController, ...changes: readonly Change[]): void {
  const resources = changes.map(([type, value]) => ({
    resourceType: type === 'topic' ? 2 : 4,
    resourceName: type === 'topic' ? 'foo' : '',
    configs: [{ name: 'min.insync.replicas', configOperation: value === null ? 1 : 0, value }],
  }))
  const { responses } = test.ask('incrementalAlterConfigs', { resources, validateOnly: false })
  for (const { errorCode } of responses) assert.equal(errorCode, ErrorCode.NONE)
}

/** Broker 2 wants to be in sync alone, and knows the partition as it was in `partitionEpoch`. */
function shrink(test: TestController, partitionEpoch: number): string {
  const { epoch } = test.state.brokers.get(2)!
  const wanted = {
    partitionIndex: 0,
    leaderEpoch: test.partition('foo').leaderEpoch,
    partitionEpoch,
    newIsrWithEpochs: [{ brokerId: 2, brokerEpoch: epoch }],
    leaderRecoveryState: 0,
  }
  const topics = [{ topicId: test.state.topics.get('foo')!.id, partitions: [wanted] }]
  const { topics: answers } = test.ask('alterPartition', { brokerId: 2, brokerEpoch: epoch, topics })
  return errorName(answers[0]!.partitions[0]!.errorCode!)
}

describe('another min.insync.replicas', () => {
  const cases: readonly (readonly [what: string, from: string, changes: readonly Change[]])[] = [
    ['raised for a topic', '1', [['topic', '2']]],
    ['raised for all', '1', [['brokers', '2']]],
    ['lowered for all', '2', [['brokers', '1']]],
    ['for a topic that had its own and for all, both at once', '2', [['brokers', '1'], ['topic', null]]], // biome-ignore format: a line
  ]
  for (const [what, from, changes] of cases) {
    it(`refuses what a leader asked for before it knew of it: ${what}`, () => {
      const test = setUp(from)
      if (changes.length > 1) set(test, ['topic', from])
      const [before, sole] = [test.partition('foo').partitionEpoch, test.partition('sole')]
      set(test, ...changes)
      assert.equal(shrink(test, before), 'INVALID_UPDATE_VERSION')
      assert.equal(test.shown('foo'), '2@0 2,3,4||', 'nobody leads anew')
      assert.equal(shrink(test, test.partition('foo').partitionEpoch), 'NONE')
      assert.equal(test.partition('sole'), sole, 'one copy is enough where there is but one')
    })
  }

  it('that is the same one changes nothing', () => {
    const test = setUp('2')
    assert.equal(shrink(test, 0), 'NONE')
    const before = test.partition('foo')
    assert.equal(test.shown('foo'), '2@0 2|3,4|')
    set(test, ['brokers', '2'])
    set(test, ['topic', '2'])
    const configs = ['min.insync.replicas', 'retention.ms'].map(name => ({ name, value: '2' }))
    const resources = [{ resourceType: 2, resourceName: 'foo', configs }]
    assert.equal(test.ask('alterConfigs', { resources, validateOnly: false }).responses[0]!.errorCode, 0)
    set(test, ['topic', null])
    assert.equal(test.partition('foo'), before)
  })

  it('takes from those who left what made them eligible, if those in sync are enough now', () => {
    const test = setUp('2')
    assert.equal(shrink(test, 0), 'NONE')
    set(test, ['brokers', '3'])
    assert.equal(test.shown('foo'), '2@0 2|3,4|', 'nothing was committed meanwhile')
    set(test, ['topic', '1'])
    assert.equal(test.shown('foo'), '2@0 2||')
  })
})

it('does not ask for copies that are still being made', () => {
  const test = setUp('2')
  const move = (replicas: number[] | null) => {
    const topics = [{ name: 'sole', partitions: [{ partitionIndex: 0, replicas }] }]
    test.ask('alterPartitionReassignments', { timeoutMs: 1, topics })
  }
  const inSync = (...ids: number[]) => {
    const { leaderEpoch, partitionEpoch } = test.partition('sole')
    const member = (brokerId: number) => ({ brokerId, brokerEpoch: test.state.brokers.get(brokerId)!.epoch })
    const newIsrWithEpochs = ids.map(member)
    const wanted = { partitionIndex: 0, leaderEpoch, partitionEpoch, newIsrWithEpochs, leaderRecoveryState: 0 }
    const topics = [{ topicId: test.state.topics.get('sole')!.id, partitions: [wanted] }]
    test.ask('alterPartition', { ...member(2), topics })
  }
  move([2, 3, 4])
  inSync(2, 3)
  inSync(2)
  assert.equal(test.shown('sole'), '2@0 2|| of 2,3,4 +3,4 -', 'its leader commits alone meanwhile')
  inSync(2, 3)
  inSync(2, 3, 4)
  inSync(2)
  assert.equal(test.shown('sole'), '2@0 2|3,4|')
})
