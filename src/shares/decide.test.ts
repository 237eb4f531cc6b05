import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Moment } from '../machine/machine.ts'
import { dice } from '../machine/testing.ts'
import type { Answers, SettleItem, Settlement, ShareCommand, Want } from './commands.ts'
import { defaultShareConfig, type ShareConfig } from './config.ts'
import type { Run, ShareRecord } from './facts.ts'
import { shareCodec } from './records.ts'
import { ShareMachine } from './share-machine.ts'

const topicId = 'AAECAwQFBgcICQoLDA0ODw'
const random = dice(1)
/** Lease numbers count from here on in a new group. */
const t0 = 1_000_000

/** A machine whose decisions are applied at once, through the bytes that the log would have. */
class Desk {
  readonly machine: ShareMachine
  readonly log: ShareRecord[] = []
  now = t0
  ends: number[]

  constructor(config: Partial<ShareConfig> = {}, ends: number[] = [10]) {
    this.machine = new ShareMachine({ ...defaultShareConfig, ...config })
    this.ends = ends
  }

  get at(): Moment {
    return { ms: this.now, random }
  }

  do<Type extends keyof Answers>(command: Extract<ShareCommand, { type: Type }>): Answers[Type] {
    const { records, soft = [], effects } = this.machine.decide(command, this.at)
    for (const record of records) {
      const { key, value } = shareCodec.encode(record)
      const read = shareCodec.decode(key, value, -1)
      assert.deepEqual(read, record, 'a record is what was written')
      this.machine.apply(read, this.now)
      this.log.push(read)
    }
    for (const fact of soft) this.machine.apply(fact, this.now)
    const answer = effects.find(effect => effect.do === 'answer')
    return (answer?.do === 'answer' ? answer.answer : null) as Answers[Type]
  }

  acquire(wants: Want[] | number = 1, groupId = 'g', begin: 'earliest' | 'latest' = 'earliest') {
    const tails = this.ends.map((end, partition) => ({ partition, start: 0, end }))
    const asked = typeof wants === 'number' ? [{ max: wants, lockMs: 1000 }] : wants
    return this.do<'Acquire'>({ type: 'Acquire', groupId, topic: 't', topicId, begin, tails, wants: asked })
  }

  take(max = 1): { offset: number; lease: number; deliveryCount: number; partition: number }[] {
    return [...this.acquire(max).grants[0]!.records]
  }

  settle(what: Settlement, of: Pick<SettleItem, 'partition' | 'offset' | 'lease'>[], ms = -1, why = '') {
    const items = of.map(({ partition, offset, lease }) => ({ partition, offset, lease, what, ms, why }))
    return this.do<'Settle'>({ type: 'Settle', groupId: 'g', topicId, items }).results
  }

  look(afterMs: number, partition = 0) {
    this.now += afterMs
    this.do<'Look'>({ type: 'Look', groupId: 'g', topicId, partition })
  }

  get share() {
    return this.machine.state.find('g', topicId, 0)!
  }
}

const offsets = (records: readonly { readonly offset: number }[]) => records.map(({ offset }) => offset)

test('a first acquire makes the group and hands out from the beginning, in one fact', () => {
  const desk = new Desk()
  const { records, effects } = desk.machine.decide(
    {
      type: 'Acquire',
      groupId: 'g',
      topic: 't',
      topicId,
      begin: 'earliest',
      tails: [{ partition: 0, start: 4, end: 10 }],
      wants: [
        { max: 2, lockMs: 1000 },
        { max: 1, lockMs: 1000 },
      ],
    },
    desk.at,
  )
  const run = { state: 'acquired', deliveryCount: 1, lockMs: 1000, until: t0 + 1000, why: '' } as const
  assert.deepEqual(records, [
    {
      kind: 'SharePartition',
      groupId: 'g',
      topicId,
      partition: 0,
      value: { topic: 't', startOffset: 4, runs: [{ firstOffset: 4, lastOffset: 6, lease: t0, ...run }] },
    },
  ])
  assert.deepEqual(effects, [
    {
      do: 'answer',
      answer: {
        error: 'NONE',
        grants: [
          {
            lockMs: 1000,
            records: [
              { partition: 0, offset: 4, lease: t0, deliveryCount: 1 },
              { partition: 0, offset: 5, lease: t0 + 1, deliveryCount: 1 },
            ],
          },
          { lockMs: 1000, records: [{ partition: 0, offset: 6, lease: t0 + 2, deliveryCount: 1 }] },
        ],
      },
    },
    {
      do: 'timer',
      key: `look ${topicId} 0 g`,
      afterMs: 1000,
      then: { type: 'Look', groupId: 'g', topicId, partition: 0 },
    },
  ])
})

test('nobody gets what somebody has, and groups do not know of each other', () => {
  const desk = new Desk({}, [3])
  assert.deepEqual(offsets(desk.take(2)), [0, 1])
  assert.deepEqual(offsets(desk.take(2)), [2])
  assert.deepEqual(offsets(desk.take(2)), [])
  assert.deepEqual(offsets(desk.acquire(5, 'other').grants[0]!.records), [0, 1, 2])
})

test('a group that begins at the latest gets what comes', () => {
  const desk = new Desk({}, [3])
  assert.deepEqual(desk.acquire(1, 'g', 'latest').grants[0]!.records, [])
  desk.ends = [4]
  assert.deepEqual(offsets(desk.take(5)), [3])
})

test('accepted records move the start; to accept again is no news, with another lease it is none of ours', () => {
  const desk = new Desk()
  const taken = desk.take(3)
  assert.deepEqual(desk.settle('accept', [taken[1]!]), ['NONE'])
  assert.equal(desk.share.start, 0)
  assert.deepEqual(desk.settle('accept', [taken[0]!, taken[1]!]), ['NONE', 'NONE'])
  assert.equal(desk.share.start, 2)
  assert.deepEqual(desk.settle('release', [taken[0]!]), ['INVALID_RECORD_STATE'])
  assert.deepEqual(desk.settle('accept', [{ ...taken[2]!, lease: 7 }]), ['INVALID_RECORD_STATE'])
  assert.equal(desk.share.acquired, 1)
  assert.deepEqual(desk.settle('accept', [{ partition: 5, offset: 0, lease: 1 }]), ['INVALID_RECORD_STATE'])
})

test('one request that says two things of one lease is heard once', () => {
  const desk = new Desk()
  const [taken] = desk.take()
  assert.deepEqual(desk.settle('release', [taken!, taken!]), ['NONE', 'INVALID_RECORD_STATE'])
  assert.equal(desk.share.ready.size, 1)
})

test('settlements side by side are one run of one fact', () => {
  const desk = new Desk()
  const taken = desk.take(6)
  desk.log.length = 0
  desk.settle('accept', [taken[4]!, taken[2]!, taken[3]!, taken[0]!])
  const facts = desk.log.map(record => (record.kind === 'SharePartition' ? record.value?.runs : null))
  const finished = { state: 'finished', deliveryCount: 0, lockMs: 0, until: 0, why: '' }
  assert.deepEqual(facts, [
    [
      { firstOffset: 0, lastOffset: 0, lease: t0, ...finished },
      { firstOffset: 2, lastOffset: 4, lease: t0 + 2, ...finished },
    ],
  ])
})

test('released records come first, and count their deliveries; what was never seen does not count', () => {
  const desk = new Desk()
  const taken = desk.take(3)
  desk.settle('release', [taken[1]!])
  desk.settle('return', [taken[2]!])
  const again = desk.take(3)
  assert.deepEqual(
    again.map(({ offset, deliveryCount }) => [offset, deliveryCount]),
    [
      [1, 2],
      [2, 1],
      [3, 1],
    ],
  )
  assert.notEqual(again[0]!.lease, taken[1]!.lease)
  assert.deepEqual(desk.settle('accept', [taken[1]!]), ['INVALID_RECORD_STATE'])
})

test('a lease ends after its time, not before, and a renewed one later', () => {
  const desk = new Desk({}, [2])
  const taken = desk.take(2)
  desk.now += 500
  assert.deepEqual(desk.settle('renew', [taken[1]!], 2000), ['NONE'])
  desk.look(499)
  assert.equal(desk.share.acquired, 2)
  desk.look(1)
  assert.deepEqual([desk.share.acquired, [...desk.share.ready]], [1, [0]])
  assert.deepEqual(desk.settle('accept', [taken[0]!]), ['INVALID_RECORD_STATE'])
  desk.look(1499)
  assert.equal(desk.share.acquired, 1)
  desk.look(1)
  assert.equal(desk.share.acquired, 0)
})

test('a length that is asked for stays within the limits', () => {
  const desk = new Desk({ minLockMs: 100, maxLockMs: 5000, lockMs: 700 })
  const wants = [-1, 1, 10_000].map(lockMs => ({ max: 1, lockMs }))
  assert.deepEqual(
    desk.acquire(wants).grants.map(({ lockMs }) => lockMs),
    [700, 100, 5000],
  )
})

test('after the last delivery a record dies, and is finished when it is buried', () => {
  const desk = new Desk({ deliveryLimit: 2 }, [1])
  desk.settle('release', desk.take())
  desk.take()
  desk.look(1000)
  assert.deepEqual(desk.take(), [])
  assert.equal(desk.share.dying, 1)
  const entry = desk.share.unfinished.get(0)!
  assert.deepEqual([entry.deliveryCount, entry.why], [2, 'delivery limit reached'])
  desk.do<'Bury'>({ type: 'Bury', groupId: 'g', topicId, partition: 0, offsets: [0] })
  assert.deepEqual([desk.share.start, desk.share.unfinished.size], [1, 0])
})

test('a rejected record dies with its reason; without a dead-letter topic it is passed over', () => {
  const desk = new Desk()
  desk.settle('reject', desk.take(), -1, 'it is in Latin')
  assert.deepEqual(desk.share.unfinished.get(0)!.why, 'it is in Latin')
  const without = new Desk({ deadLetterTopic: null })
  without.settle('reject', without.take())
  assert.equal(without.share.start, 1)
})

test('who is buried must be dying', () => {
  const desk = new Desk()
  desk.take()
  desk.do<'Bury'>({ type: 'Bury', groupId: 'g', topicId, partition: 0, offsets: [0, 1] })
  assert.equal(desk.share.acquired, 1)
})

test('the pause between deliveries doubles, up to a limit; a release may ask for another one', () => {
  const desk = new Desk({ backoffMs: 100, maxBackoffMs: 300, deliveryLimit: 10 }, [1])
  for (const restMs of [100, 200, 300, 300]) {
    desk.settle('release', desk.take())
    assert.deepEqual(desk.take(), [], `it rests, ${restMs}`)
    desk.look(restMs - 1)
    assert.deepEqual(desk.take(), [])
    desk.look(1)
    assert.equal(desk.share.ready.size, 1)
  }
  desk.settle('release', desk.take(), 0)
  assert.equal(desk.share.ready.size, 1)
  desk.settle('release', desk.take(), 50)
  desk.look(50)
  assert.equal(desk.take().length, 1)
})

test('so many records of a partition are in flight, and no more', () => {
  const desk = new Desk({ maxInFlight: 3 })
  const taken = desk.take(10)
  assert.equal(taken.length, 3)
  assert.deepEqual(desk.take(), [])
  desk.settle('release', [taken[0]!])
  assert.deepEqual(offsets(desk.take(10)), [0])
  desk.settle('accept', [taken[1]!])
  // However far the slowest one is behind.
  assert.deepEqual(offsets(desk.take(10)), [3])
})

test('a group more than a partition may hold is refused, others go on', () => {
  const desk = new Desk({ maxGroupsPerPartition: 1, maxPartitionsPerGroup: 2 })
  desk.take()
  assert.equal(desk.acquire(1, 'other').error, 'GROUP_MAX_SIZE_REACHED')
  assert.equal(desk.take().length, 1)
  desk.ends = [10, 10, 10]
  assert.equal(desk.acquire(1).error, 'GROUP_MAX_SIZE_REACHED')
})

test('partitions take turns', () => {
  const desk = new Desk({}, [100, 100, 100])
  const seen = new Set<number>()
  for (let i = 0; i < 9; i++) seen.add(desk.take()[0]!.partition)
  assert.deepEqual([...seen].sort(), [0, 1, 2])
})

test('what retention took is not waited for', () => {
  const desk = new Desk()
  const taken = desk.take(2)
  desk.settle('release', [taken[0]!])
  const tails = [{ partition: 0, start: 7, end: 10 }]
  const wants = [{ max: 1, lockMs: 1000 }]
  const command = { type: 'Acquire', groupId: 'g', topic: 't', topicId, begin: 'earliest', tails, wants } as const
  assert.deepEqual(offsets(desk.do<'Acquire'>(command).grants[0]!.records), [7])
  // Somebody still has the other one.
  assert.equal(desk.share.start, 1)
  assert.deepEqual(desk.settle('accept', [taken[1]!]), ['NONE'])
  assert.equal(desk.share.start, 7)
})

test('where there are no records, leases end; millions of offsets are one run', () => {
  const desk = new Desk({}, [5_000_000])
  desk.take(2)
  desk.do<'Skip'>({ type: 'Skip', groupId: 'g', topicId, partition: 0, from: 1, to: 4_000_000 })
  assert.deepEqual([desk.share.start, desk.share.end, desk.share.acquired], [0, 4_000_000, 1])
  assert.deepEqual(offsets(desk.take()), [4_000_000])
})

test('a snapshot leads to the same state, and leases go on with it', () => {
  const desk = new Desk({ backoffMs: 5000 })
  const taken = desk.take(8)
  desk.settle('accept', [taken[0]!, taken[3]!])
  desk.settle('release', [taken[1]!])
  desk.settle('reject', [taken[2]!])
  const copy = new ShareMachine({ ...defaultShareConfig, backoffMs: 5000 })
  for (const record of desk.machine.snapshot()) {
    const { key, value } = shareCodec.encode(record)
    copy.apply(shareCodec.decode(key, value, -1), desk.now)
  }
  const other = copy.state.find('g', topicId, 0)!
  assert.deepEqual(other.facts(), desk.share.facts())
  assert.deepEqual([other.start, other.end, other.acquired, other.dying], [1, 8, 4, 1])
  assert.deepEqual([...other.resting], [1])
  assert.deepEqual([...copy.snapshot()], [...desk.machine.snapshot()])
})

test('a new leader gives every lease its full length again', () => {
  const desk = new Desk({}, [1])
  const taken = desk.take()
  desk.now += 900
  const { soft = [], effects } = desk.machine.lead(desk.at)
  for (const fact of soft) desk.machine.apply(fact, desk.now)
  assert.deepEqual(
    effects.map(effect => effect.do === 'timer' && effect.afterMs),
    [1000],
  )
  desk.look(999)
  assert.equal(desk.share.acquired, 1)
  assert.deepEqual(desk.settle('accept', taken), ['NONE'])
})

test('a group that comes back takes no old lease for its own', () => {
  const desk = new Desk()
  const [old] = desk.take()
  desk.look(1000)
  assert.deepEqual(desk.do<'Delete'>({ type: 'Delete', groupId: 'g' }), { error: 'NONE' })
  assert.equal(desk.machine.state.groups.size, 0)
  const [young] = desk.take()
  assert.notEqual(young!.lease, old!.lease)
  assert.deepEqual(desk.do<'Delete'>({ type: 'Delete', groupId: 'g' }), { error: 'NON_EMPTY_GROUP' })
  assert.deepEqual(desk.do<'Delete'>({ type: 'Delete', groupId: 'x' }), { error: 'GROUP_ID_NOT_FOUND' })
})

test('a reset sends the group elsewhere, unless somebody works for it', () => {
  const desk = new Desk()
  const taken = desk.take(2)
  const reset = { type: 'Reset', groupId: 'g', topic: 't', topicId, offsets: [{ partition: 0, offset: 6 }] } as const
  assert.deepEqual(desk.do<'Reset'>(reset), { error: 'NON_EMPTY_GROUP' })
  desk.settle('release', taken)
  assert.deepEqual(desk.do<'Reset'>(reset), { error: 'NONE' })
  assert.deepEqual(offsets(desk.take(2)), [6, 7])
})

test('deleted topics are forgotten, but not one that was made again', () => {
  const desk = new Desk()
  desk.take()
  desk.do<'TopicsDeleted'>({ type: 'TopicsDeleted', topics: ['t'], exists: () => true })
  assert.equal(desk.machine.state.groups.size, 1)
  desk.do<'TopicsDeleted'>({ type: 'TopicsDeleted', topics: ['t'], exists: () => false })
  assert.equal(desk.machine.state.groups.size, 0)
})

test('a group is described as it is', () => {
  const desk = new Desk({ backoffMs: 100 })
  const taken = desk.take(4)
  desk.settle('accept', [taken[0]!])
  desk.settle('release', [taken[1]!])
  desk.settle('reject', [taken[2]!])
  const described = desk.do<'Describe'>({ type: 'Describe', groups: ['g', 'x'] })
  assert.deepEqual(described, [
    {
      groupId: 'g',
      error: 'NONE',
      partitions: [
        {
          topic: 't',
          topicId,
          partition: 0,
          startOffset: 1,
          endOffset: 4,
          acquired: 1,
          ready: 0,
          resting: 1,
          dying: 1,
          oldestLeaseEnds: t0 + 1000,
        },
      ],
    },
    { groupId: 'x', error: 'GROUP_ID_NOT_FOUND', partitions: [] },
  ])
})

test('finished leases are remembered up to a limit', () => {
  const desk = new Desk({ rememberedLeases: 2 })
  const taken = desk.take(3)
  desk.settle('accept', taken)
  assert.deepEqual(desk.settle('accept', taken), ['INVALID_RECORD_STATE', 'NONE', 'NONE'])
})

test('a record of a kind that we do not know is kept', () => {
  const key = Uint8Array.of(0, 9, 1)
  const read = shareCodec.decode(key, Uint8Array.of(1), -1)
  assert.deepEqual(read, { kind: 'Other', key, value: Uint8Array.of(1) })
  assert.equal(shareCodec.foreignKind(read), 9)
  const machine = new ShareMachine(defaultShareConfig)
  machine.apply(read, 0)
  assert.deepEqual([...machine.snapshot()], [read])
  machine.apply({ ...read, value: null } as ShareRecord, 0)
  assert.deepEqual([...machine.snapshot()], [])
})

test('the bytes are those of Kafka, but for what it does not know', () => {
  const run: Run = {
    firstOffset: 5,
    lastOffset: 6,
    state: 'finished',
    deliveryCount: 0,
    lease: 0,
    lockMs: 0,
    until: 0,
    why: '',
  }
  const fact = { kind: 'SharePartition', groupId: 'g', topicId, partition: 1 } as const
  const { key, value } = shareCodec.encode({ ...fact, value: { topic: '', startOffset: null, runs: [run] } })
  assert.equal(Buffer.from(key).toString('hex'), `0001${'000167'}000102030405060708090a0b0c0d0e0f00000001`)
  const batch = `0000000000000005${'0000000000000006'}02000000`
  assert.equal(Buffer.from(value!).toString('hex'), `0000${'0000000000000000'}ffffffffffffffff02${batch}00`)
})
