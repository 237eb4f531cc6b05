import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { errorName } from '../protocol/errors.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import type { CommandRequest } from './commands/command.ts'
import { TestController, uuid } from './testing.ts'

type Wanted = CommandRequest<'alterPartition'>['topics'][number]['partitions'][number]

/** Brokers 1 to 4, and a topic on 2, 3 and 4 of which 4 is out of sync. */
function setUp(configs: Record<string, string> = {}) {
  const test = new TestController()
  for (const id of [1, 2, 3, 4]) test.broker(id)
  test.topicOn('foo', [2, 3, 4], configs)
  test.fire('session:4')
  test.beat(4, test.state.brokers.get(4)!.epoch)
  return test
}

const member = (test: TestController, brokerId: number) => ({
  brokerId,
  brokerEpoch: test.state.brokers.get(brokerId)?.epoch ?? -1,
})

/** What broker 2 asks for, with what it would know; and what comes of it. */
function alter(test: TestController, ids: readonly number[], more: Partial<Wanted> = {}, from = 2): string {
  const { leaderEpoch, partitionEpoch } = test.partition('foo')
  const partition: Wanted = {
    partitionIndex: 0,
    leaderEpoch,
    partitionEpoch,
    newIsrWithEpochs: ids.map(id => member(test, id)),
    leaderRecoveryState: 0,
    ...more,
  }
  const response = test.ask('alterPartition', {
    ...member(test, from),
    topics: [{ topicId: test.state.topics.get('foo')!.id, partitions: [partition] }],
  })
  if (response.errorCode !== 0) return errorName(response.errorCode!)
  const [result] = response.topics[0]!.partitions
  if (result!.errorCode !== 0) return errorName(result!.errorCode!)
  const { leaderId, leaderEpoch: epoch, isr, partitionEpoch: changes } = result!
  return `${leaderId}@${epoch} ${isr} #${changes}`
}

describe('AlterPartition', () => {
  it('changes who is in sync, and answers with what is so now', () => {
    const test = setUp()
    assert.equal(test.shown('foo'), '2@0 2,3||')
    assert.equal(alter(test, [2, 3, 4]), '2@0 2,3,4 #2')
    assert.deepEqual(test.records, [
      { type: 'PartitionChangeRecord', partitionId: 0, topicId: test.state.topics.get('foo')!.id, isr: [2, 3, 4] },
    ])
    assert.equal(alter(test, [2]), '2@0 2 #3')
    assert.equal(alter(test, [2]), '2@0 2 #3', 'the same again is no change')
    assert.deepEqual(test.records, [])
  })

  it('takes ids without epochs from older brokers', () => {
    const test = setUp()
    assert.equal(alter(test, [], { newIsr: [2, 3, 4], newIsrWithEpochs: [] }), '2@0 2,3,4 #2')
  })

  const refusals: readonly [
    what: string,
    answer: string,
    ids: readonly number[],
    more: Partial<Wanted>,
    from?: number,
  ][] = [
    ['an older leader epoch', 'FENCED_LEADER_EPOCH', [2], { leaderEpoch: -1 }],
    ['a leader epoch that is not known here', 'NOT_CONTROLLER', [2], { leaderEpoch: 7 }],
    ['an older partition epoch', 'INVALID_UPDATE_VERSION', [2], { partitionEpoch: 0 }],
    ['a partition epoch that is not known here', 'NOT_CONTROLLER', [2], { partitionEpoch: 7 }],
    ['who does not lead', 'INVALID_REQUEST', [3], {}, 3],
    ['an empty ISR', 'INVALID_REQUEST', [], {}],
    ['somebody twice', 'INVALID_REQUEST', [2, 3, 3], {}],
    ['who is no replica', 'INVALID_REQUEST', [2, 1], {}],
    ['an unknown partition', 'UNKNOWN_TOPIC_OR_PARTITION', [2], { partitionIndex: 3 }],
    ['to begin to recover', 'INVALID_REQUEST', [2], { leaderRecoveryState: 1 }],
  ]
  for (const [what, answer, ids, more, from] of refusals) {
    it(`refuses ${what}`, () => {
      const test = setUp()
      assert.equal(alter(test, ids, more, from), answer)
      assert.equal(test.shown('foo'), '2@0 2,3||')
    })
  }

  it('lets a leader go that leaves itself out: its copy is damaged, so it is not eligible either', () => {
    const test = setUp({ 'min.insync.replicas': '2' })
    assert.equal(alter(test, [3]), 'NEW_LEADER_ELECTED')
    assert.equal(test.shown('foo'), '3@1 3||2')
  })

  it('keeps a damaged copy from being eligible, when it leaves and afterwards', () => {
    const test = setUp({ 'min.insync.replicas': '2' })
    assert.equal(alter(test, [2], { lackingReplicas: [3] }), '2@0 2 #2')
    assert.equal(test.shown('foo'), '2@0 2||3')
    const late = setUp({ 'min.insync.replicas': '2' })
    assert.equal(alter(late, [2]), '2@0 2 #2')
    assert.equal(late.shown('foo'), '2@0 2|3|')
    assert.equal(alter(late, [2], { lackingReplicas: [3] }), '2@0 2 #3')
    assert.equal(late.shown('foo'), '2@0 2||3')
    assert.equal(alter(late, [2], { lackingReplicas: [2] }), 'INVALID_REQUEST')
  })

  it('lets a leader go that is the last in sync and damaged, for who is eligible', () => {
    const test = setUp({ 'min.insync.replicas': '2' })
    alter(test, [2])
    assert.equal(alter(test, [], { lackingReplicas: [2] }), 'NEW_LEADER_ELECTED')
    assert.equal(test.shown('foo'), '3@1 3||2')
    const away = setUp({ 'min.insync.replicas': '2' })
    alter(away, [2])
    away.fire('session:3')
    assert.equal(alter(away, [], { lackingReplicas: [2] }), 'NEW_LEADER_ELECTED')
    assert.equal(away.shown('foo'), '-1@1 |3|2', 'nobody leads until it is back')
    const alone = setUp()
    alter(alone, [2])
    assert.equal(alter(alone, [], { lackingReplicas: [2] }), '2@0 2 #2', 'nobody knows more')
  })

  it('refuses a former life of the leader', () => {
    const test = setUp()
    const request = { brokerId: 2, brokerEpoch: test.state.brokers.get(2)!.epoch - 1, topics: [] }
    assert.equal(errorName(test.ask('alterPartition', request).errorCode!), 'STALE_BROKER_EPOCH')
  })

  it('refuses topics that are not there', () => {
    const test = setUp()
    const partition = {
      partitionIndex: 0,
      leaderEpoch: 0,
      partitionEpoch: 0,
      newIsrWithEpochs: [],
      leaderRecoveryState: 0,
    }
    const codes = [{ topicId: uuid('x') }, { topicId: ZERO_UUID, topicName: 'x' }].map(topic => {
      const { topics } = test.ask('alterPartition', {
        ...member(test, 2),
        topics: [{ ...topic, partitions: [partition] }],
      })
      return errorName(topics[0]!.partitions[0]!.errorCode!)
    })
    assert.deepEqual(codes, ['UNKNOWN_TOPIC_ID', 'UNKNOWN_TOPIC_OR_PARTITION'])
  })

  it('refuses to let in who is fenced, on its way out, or not who the leader saw (KIP-903)', () => {
    const test = setUp()
    const seen = member(test, 4)
    assert.equal(
      alter(test, [], { newIsrWithEpochs: [member(test, 2), { ...seen, brokerEpoch: seen.brokerEpoch - 1 }] }),
      'INELIGIBLE_REPLICA',
    )
    test.beat(4, seen.brokerEpoch, { wantShutDown: true })
    assert.equal(alter(test, [2, 3, 4]), 'INELIGIBLE_REPLICA')
    test.fire('session:4')
    assert.equal(alter(test, [2, 3, 4]), 'INELIGIBLE_REPLICA')
    test.broker(4, { incarnationId: uuid('next') })
    assert.equal(alter(test, [], { newIsrWithEpochs: [member(test, 2), seen] }), 'INELIGIBLE_REPLICA')
    assert.equal(alter(test, [2, 3, 4]), '2@0 2,3,4 #2')
  })

  it('ends the recovery after an unclean election', () => {
    const test = setUp()
    test.append({
      type: 'PartitionChangeRecord',
      partitionId: 0,
      topicId: test.state.topics.get('foo')!.id,
      isr: [2],
      leader: 2,
      leaderRecoveryState: 1,
    })
    assert.equal(test.shown('foo'), '2@1 2|| recovering')
    assert.equal(alter(test, [2, 3], { leaderRecoveryState: 1 }), 'INVALID_REQUEST')
    assert.equal(alter(test, [2]), '2@1 2 #3')
    assert.equal(test.shown('foo'), '2@1 2||')
  })

  it('in a chain keeps the line, lets new ones join at the tail, and begins an epoch', () => {
    const test = setUp({ 'replication.topology': 'chain' })
    assert.equal(test.shown('foo'), '2@1 2,3||')
    assert.equal(alter(test, [4, 3, 2]), '2@2 2,3,4 #2')
    assert.equal(alter(test, [2, 4]), '2@3 2,4 #3')
    assert.equal(alter(test, [2, 3, 4]), '2@4 2,4,3 #4')
  })
})

describe('the topology of a topic that changes', () => {
  it('begins with a new leader epoch, in the same batch', () => {
    const test = setUp()
    const configs = [{ name: 'replication.topology', configOperation: 0, value: 'chain' }]
    const ask = () =>
      test.ask('incrementalAlterConfigs', {
        resources: [{ resourceType: 2, resourceName: 'foo', configs }],
        validateOnly: false,
      })
    assert.equal(ask().responses[0]!.errorCode, 0)
    assert.deepEqual(
      test.records.map(({ type }) => type),
      ['ConfigRecord', 'PartitionChangeRecord'],
    )
    assert.equal(test.shown('foo'), '2@1 2,3||')
    ask()
    assert.deepEqual(test.records, [], 'the same again changes nothing')
  })
})

describe('reassignment', () => {
  const move = (
    test: TestController,
    replicas: number[] | null,
    more: { allowReplicationFactorChange?: boolean } = {},
  ) => {
    const topics = [{ name: 'foo', partitions: [{ partitionIndex: 0, replicas }] }]
    const { responses } = test.ask('alterPartitionReassignments', { timeoutMs: 1, topics, ...more })
    return errorName(responses[0]!.partitions[0]!.errorCode!)
  }
  const list = (test: TestController) => test.ask('listPartitionReassignments', { timeoutMs: 1, topics: null }).topics

  it('adds, waits for the ISR, then removes; and is listed meanwhile', () => {
    const test = setUp()
    assert.equal(move(test, [3, 4, 1]), 'NONE')
    assert.equal(test.shown('foo'), '2@0 2,3|| of 3,4,1,2 +1 -2')
    assert.deepEqual(list(test), [
      {
        name: 'foo',
        partitions: [{ partitionIndex: 0, replicas: [3, 4, 1, 2], addingReplicas: [1], removingReplicas: [2] }],
      },
    ])
    const foo = (partitionIndexes: number[]) =>
      test.ask('listPartitionReassignments', { timeoutMs: 1, topics: [{ name: 'foo', partitionIndexes }] }).topics
        .length
    assert.deepEqual([foo([0]), foo([1])], [1, 0])
    assert.equal(alter(test, [2, 3, 4]), '2@0 2,3,4 #3')
    assert.equal(alter(test, [2, 3, 4, 1]), 'NEW_LEADER_ELECTED')
    assert.equal(test.shown('foo'), '3@1 3,4,1||')
    assert.deepEqual(test.partition('foo').replicas, [3, 4, 1])
    assert.deepEqual(list(test), [])
  })

  it('is called off', () => {
    const test = setUp()
    assert.equal(move(test, null), 'NO_REASSIGNMENT_IN_PROGRESS')
    move(test, [1, 2, 3])
    assert.equal(test.shown('foo'), '2@0 2,3|| of 1,2,3,4 +1 -4')
    assert.equal(move(test, null), 'NONE')
    assert.equal(test.shown('foo'), '2@1 2,3||')
    assert.deepEqual(test.partition('foo').replicas, [2, 3, 4])
  })

  it('gets another goal on the way', () => {
    const test = setUp()
    move(test, [2, 3, 1])
    move(test, [2, 1])
    assert.equal(test.shown('foo'), '2@0 2,3|| of 2,1,3,4 +1 -3,4')
    assert.equal(alter(test, [2, 3, 1]), '2@1 2,1 #4')
    assert.equal(test.shown('foo'), '2@1 2,1||')
  })

  it('changes the replication factor, where it may (KIP-860)', () => {
    const test = setUp()
    assert.equal(move(test, [2, 3], { allowReplicationFactorChange: false }), 'INVALID_REPLICATION_FACTOR')
    assert.equal(move(test, [2, 3]), 'NONE')
    assert.equal(test.shown('foo'), '2@1 2,3||')
    assert.equal(move(test, [2, 3, 4, 1]), 'NONE')
    assert.equal(test.shown('foo'), '2@1 2,3|| of 2,3,4,1 +4,1 -')
  })

  it('refuses what makes no sense', () => {
    const test = setUp()
    assert.equal(move(test, []), 'INVALID_REPLICA_ASSIGNMENT')
    assert.equal(move(test, [2, 2]), 'INVALID_REPLICA_ASSIGNMENT')
    assert.equal(move(test, [2, 9]), 'INVALID_REPLICA_ASSIGNMENT')
    const topics = [{ name: 'bar', partitions: [{ partitionIndex: 0, replicas: [1] }] }]
    const { responses } = test.ask('alterPartitionReassignments', { timeoutMs: 1, topics })
    assert.equal(errorName(responses[0]!.partitions[0]!.errorCode!), 'UNKNOWN_TOPIC_OR_PARTITION')
  })
})

describe('a partition that a request names twice', () => {
  it('changes once', () => {
    const test = setUp()
    const move = (...goals: (number[] | null)[]) => {
      const topics = goals.map(replicas => ({ name: 'foo', partitions: [{ partitionIndex: 0, replicas }] }))
      const { responses } = test.ask('alterPartitionReassignments', { timeoutMs: 1, topics })
      return responses.map(({ partitions }) => errorName(partitions[0]!.errorCode))
    }
    assert.deepEqual(move([1, 2, 3], [2, 3]), ['NONE', 'INVALID_REQUEST'])
    assert.equal(test.shown('foo'), '2@0 2,3|| of 1,2,3,4 +1 -4')
    move(null)
    move([3, 2, 4])

    const before = test.partition('foo').leaderEpoch
    const topicPartitions = [0, 0].map(index => ({ topic: 'foo', partitions: [index] }))
    const elected = test.ask('electLeaders', { electionType: 0, topicPartitions, timeoutMs: 1 })
    assert.deepEqual(
      elected.replicaElectionResults.map(({ partitionResult }) => errorName(partitionResult[0]!.errorCode!)),
      ['NONE', 'INVALID_REQUEST'],
    )
    assert.equal(test.shown('foo'), `3@${before + 1} 2,3||`)

    const { leaderEpoch, partitionEpoch } = test.partition('foo')
    const wanted = { partitionIndex: 0, leaderEpoch, partitionEpoch, newIsrWithEpochs: [member(test, 3)] }
    const topicId = test.state.topics.get('foo')!.id
    const twice = [0, 0].map(() => ({ topicId, partitions: [wanted] }))
    const answer = test.ask('alterPartition', { ...member(test, 3), topics: twice })
    assert.deepEqual(
      answer.topics.map(({ partitions }) => errorName(partitions[0]!.errorCode!)),
      ['NONE', 'INVALID_REQUEST'],
    )
  })

  it('is never elected in a way that there is not', () => {
    const test = setUp()
    const topicPartitions = [{ topic: 'foo', partitions: [0] }]
    const { errorCode } = test.ask('electLeaders', { electionType: 7, topicPartitions, timeoutMs: 1 })
    assert.equal(errorName(errorCode!), 'INVALID_REQUEST')
    assert.deepEqual(test.records, [])
  })
})
