import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Moment } from '../machine/machine.ts'
import { ErrorCode } from '../protocol/errors.ts'
import { ZERO_UUID } from '../protocol/uuid.ts'
import type {
  CommitCommand,
  GroupDecision,
  HeartbeatCommand,
  JoinCommand,
  OffsetFetchedGroup,
  SyncCommand,
} from './commands.ts'
import { defaultGroupConfig } from './config.ts'
import type { GroupMetadata, GroupRecord, OtherRecord } from './facts.ts'
import { noBytes } from './group.ts'
import { GroupMachine } from './group-machine.ts'

/** Decisions as a whole: records, soft facts, effects. */

const at: Moment = { ms: 1_000_000, random: { int: () => 0, bytes: count => new Uint8Array(count) } }
const metadata: GroupMetadata = {
  protocolType: 'consumer',
  generation: 3,
  protocol: 'range',
  leader: 'a',
  currentStateTimestamp: 5,
  members: ['a', 'b'].map(memberId => ({
    memberId,
    groupInstanceId: memberId === 'b' ? 'i' : null,
    clientId: 'client',
    clientHost: '/host',
    rebalanceTimeout: 60_000,
    sessionTimeout: 10_000,
    subscription: Uint8Array.of(1),
    assignment: Uint8Array.of(2),
  })),
}

function machineWith(...records: GroupRecord[]): GroupMachine {
  const machine = new GroupMachine(defaultGroupConfig)
  for (const record of records) machine.apply(record, 0, 0)
  return machine
}

const stable = (): GroupMachine => machineWith({ kind: 'GroupMetadata', groupId: 'g', value: metadata })

function follow(machine: GroupMachine, { records, soft = [] }: GroupDecision): void {
  for (const record of [...records, ...soft]) machine.apply(record, at.ms, 0)
}

describe('Heartbeat', () => {
  const request = { groupId: 'g', generationId: 3, memberId: 'a', groupInstanceId: null }
  const heartbeat = (changes: Partial<typeof request> | { groupInstanceId: string }): HeartbeatCommand => ({
    type: 'Heartbeat',
    request: { ...request, ...changes },
  })

  test('moves one deadline and nothing else', () => {
    assert.deepEqual(stable().decide(heartbeat({}), at), {
      records: [],
      effects: [
        {
          do: 'timer',
          key: 'session 1 g a',
          afterMs: 10_000,
          then: { type: 'ExpireMember', groupId: 'g', memberId: 'a' },
        },
        { do: 'answer', answer: { throttleTimeMs: 0, errorCode: 0 }, now: true },
      ],
    })
  })

  const refused: [error: keyof typeof ErrorCode, changes: Parameters<typeof heartbeat>[0]][] = [
    ['INVALID_GROUP_ID', { groupId: '' }],
    ['UNKNOWN_MEMBER_ID', { groupId: 'other' }],
    ['UNKNOWN_MEMBER_ID', { memberId: 'stranger' }],
    ['UNKNOWN_MEMBER_ID', { groupInstanceId: 'stranger' }],
    ['FENCED_INSTANCE_ID', { groupInstanceId: 'i' }],
    ['ILLEGAL_GENERATION', { generationId: 2 }],
    ['ILLEGAL_GENERATION', { generationId: -1 }],
  ]
  for (const [error, changes] of refused) {
    test(`${error} for ${JSON.stringify(changes)}`, () => {
      assert.deepEqual(stable().decide(heartbeat(changes), at), {
        records: [],
        effects: [{ do: 'answer', answer: { throttleTimeMs: 0, errorCode: ErrorCode[error] } }],
      })
    })
  }
})

describe('JoinGroup', () => {
  const join: JoinCommand = {
    type: 'JoinGroup',
    version: 9,
    clientId: 'client',
    clientHost: '/host',
    request: {
      groupId: 'g',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      memberId: '',
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Uint8Array.of(7) }],
      reason: null,
    },
  }
  const failed = (memberId: string, error: keyof typeof ErrorCode) => ({
    throttleTimeMs: 0,
    errorCode: ErrorCode[error],
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  })

  test('the first member of a new group: an id, a session, a place in the log', () => {
    const machine = machineWith()
    const memberId = 'client-00000000-0000-4000-8000-000000000000'
    const decision = machine.decide(join, at)
    assert.deepEqual(decision, {
      records: [
        {
          kind: 'GroupMetadata',
          groupId: 'g',
          value: {
            protocolType: '',
            generation: 0,
            protocol: null,
            leader: null,
            currentStateTimestamp: at.ms,
            members: [],
          },
        },
      ],
      soft: [
        {
          kind: 'LiveGroup',
          reason: '',
          group: {
            groupId: 'g',
            state: 'Empty',
            previousState: null,
            stateTimestamp: at.ms,
            generationId: 0,
            protocolType: null,
            protocolName: null,
            leader: null,
            members: new Map(),
            staticMembers: new Map(),
            pendingMembers: new Set([memberId]),
            pendingSync: new Set(),
            newMemberAdded: false,
          },
        },
      ],
      effects: [
        {
          do: 'timer',
          key: `session 1 g ${memberId}`,
          afterMs: 10_000,
          then: { type: 'ExpireMember', groupId: 'g', memberId },
        },
        { do: 'answer', answer: failed(memberId, 'MEMBER_ID_REQUIRED') },
      ],
    })
    assert.equal(machine.state.group('g'), undefined, 'a decision changes nothing by itself')
  })

  test('bytes of a request are copied: its memory is used again', () => {
    const machine = machineWith()
    const bytes = Uint8Array.of(7)
    const protocols = [{ name: 'range', metadata: bytes }]
    follow(machine, machine.decide({ ...join, version: 3, request: { ...join.request, protocols } }, at))
    bytes.fill(0)
    const [member] = [...machine.state.group('g')!.members.values()]
    assert.deepEqual(member!.protocols, [{ name: 'range', metadata: Uint8Array.of(7) }])
  })

  test('too many ids given out, too much metadata', () => {
    const config = { ...defaultGroupConfig, maxPendingMembers: 2, maxMemberMetadataBytes: 100 }
    const machine = new GroupMachine(config)
    const answers: unknown[] = []
    const dice = (byte: number): Moment => ({
      ...at,
      random: { int: () => 0, bytes: n => new Uint8Array(n).fill(byte) },
    })
    for (const byte of [1, 2, 3]) {
      const decision = machine.decide(join, dice(byte))
      follow(machine, decision)
      const last = decision.effects.at(-1)!
      answers.push(last.do === 'answer' && (last.answer as { errorCode: number }).errorCode)
    }
    assert.deepEqual(answers, [
      ErrorCode.MEMBER_ID_REQUIRED,
      ErrorCode.MEMBER_ID_REQUIRED,
      ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
    ])
    const protocols = [{ name: 'range', metadata: new Uint8Array(101) }]
    assert.deepEqual(machine.decide({ ...join, request: { ...join.request, protocols } }, at), {
      records: [],
      effects: [{ do: 'answer', answer: failed('', 'UNKNOWN_SERVER_ERROR') }],
    })
  })
})

describe('SyncGroup', () => {
  const sync: SyncCommand = {
    type: 'SyncGroup',
    version: 5,
    request: {
      groupId: 'g',
      generationId: 3,
      memberId: 'a',
      groupInstanceId: null,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [],
    },
  }
  const answer = { throttleTimeMs: 0, errorCode: 0, protocolType: 'consumer', protocolName: 'range' }

  test('a stable group tells what is assigned', () => {
    assert.deepEqual(stable().decide(sync, at), {
      records: [],
      soft: [],
      effects: [{ do: 'answer', answer: { ...answer, assignment: Uint8Array.of(2) } }],
    })
  })

  const refused: [error: keyof typeof ErrorCode, changes: Partial<SyncCommand['request']>][] = [
    ['INVALID_GROUP_ID', { groupId: '' }],
    ['UNKNOWN_MEMBER_ID', { groupId: 'other' }],
    ['UNKNOWN_MEMBER_ID', { memberId: 'stranger' }],
    ['FENCED_INSTANCE_ID', { groupInstanceId: 'i' }],
    ['ILLEGAL_GENERATION', { generationId: 4 }],
    ['INCONSISTENT_GROUP_PROTOCOL', { protocolType: 'connect' }],
    ['INCONSISTENT_GROUP_PROTOCOL', { protocolName: 'other' }],
    ['INCONSISTENT_GROUP_PROTOCOL', { protocolName: null }],
    ['UNKNOWN_SERVER_ERROR', { assignments: [{ memberId: 'a', assignment: new Uint8Array(2_200_000) }] }],
  ]
  for (const [error, changes] of refused) {
    test(`${error} for ${Object.keys(changes)}`, () => {
      const command = { ...sync, request: { ...sync.request, ...changes } }
      const answer = { protocolType: null, protocolName: null, assignment: noBytes }
      assert.deepEqual(stable().decide(command, at), {
        records: [],
        effects: [{ do: 'answer', answer: { throttleTimeMs: 0, errorCode: ErrorCode[error], ...answer } }],
      })
    })
  }
})

describe('OffsetCommit', () => {
  const partition = { partitionIndex: 2, committedOffset: 5, committedLeaderEpoch: 1, commitTimestamp: -1 }
  const commit = (changes: Partial<CommitCommand['request']>, version = 9): CommitCommand => ({
    type: 'OffsetCommit',
    version,
    request: {
      groupId: 'g',
      generationIdOrMemberEpoch: 3,
      memberId: 'a',
      groupInstanceId: null,
      retentionTimeMs: -1,
      topics: [{ name: 't', topicId: ZERO_UUID, partitions: [{ ...partition, committedMetadata: null }] }],
      ...changes,
    },
  })
  const answer = (errorCode: number) => ({
    throttleTimeMs: 0,
    topics: [{ name: 't', topicId: ZERO_UUID, partitions: [{ partitionIndex: 2, errorCode }] }],
  })

  test('a member commits, and is alive', () => {
    const value = {
      offset: 5,
      leaderEpoch: 1,
      metadata: '',
      commitTimestamp: at.ms,
      expireTimestamp: -1,
      topicId: ZERO_UUID,
    }
    assert.deepEqual(stable().decide(commit({}), at), {
      records: [{ kind: 'OffsetCommit', groupId: 'g', topic: 't', partition: 2, value, producerId: -1 }],
      effects: [
        {
          do: 'timer',
          key: 'session 1 g a',
          afterMs: 10_000,
          then: { type: 'ExpireMember', groupId: 'g', memberId: 'a' },
        },
        { do: 'answer', answer: answer(0) },
      ],
    })
  })

  const refused: [error: keyof typeof ErrorCode, changes: Partial<CommitCommand['request']>, version?: number][] = [
    ['UNKNOWN_MEMBER_ID', { memberId: 'stranger' }],
    ['UNKNOWN_MEMBER_ID', { memberId: '', generationIdOrMemberEpoch: -1 }],
    ['UNKNOWN_MEMBER_ID', { memberId: '', generationIdOrMemberEpoch: 3 }],
    ['FENCED_INSTANCE_ID', { groupInstanceId: 'i' }],
    ['ILLEGAL_GENERATION', { generationIdOrMemberEpoch: 2 }],
    ['ILLEGAL_GENERATION', { generationIdOrMemberEpoch: -1 }],
    ['ILLEGAL_GENERATION', { groupId: 'other' }, 8],
    ['GROUP_ID_NOT_FOUND', { groupId: 'other' }],
  ]
  for (const [error, changes, version] of refused) {
    test(`${error} for ${JSON.stringify(changes)}`, () => {
      assert.deepEqual(stable().decide(commit(changes, version), at), {
        records: [],
        effects: [{ do: 'answer', answer: answer(ErrorCode[error]) }],
      })
    })
  }

  test('a topic that was made again has none of the offsets of the old one', () => {
    const [old, young] = ['AAAAAAAAAAAAAAAAAAAAAQ', 'AAAAAAAAAAAAAAAAAAAAAg'] as const
    const machine = machineWith()
    const topics = [{ name: 't', topicId: old, partitions: [{ ...partition, committedMetadata: null }] }]
    follow(machine, machine.decide(commit({ memberId: '', generationIdOrMemberEpoch: -1, topics }), at))
    const fetched = [old, young, ZERO_UUID].map(topicId => {
      const asked = [{ name: 't', topicId, partitionIndexes: [2] }]
      const command = { type: 'OffsetFetch', groupId: 'g', topics: asked, requireStable: false } as const
      const [effect] = machine.decide(command, at).effects
      const { answer } = effect as unknown as { readonly answer: OffsetFetchedGroup }
      return answer.topics[0]!.partitions[0]!.committedOffset
    })
    assert.deepEqual(fetched, [5, -1, 5])
  })
})

describe('offsets of transactions', () => {
  const offset = (topic: string, offset: number, producerId: number): GroupRecord => {
    const rest = { leaderEpoch: -1, metadata: '', commitTimestamp: 5, expireTimestamp: -1, topicId: ZERO_UUID }
    return { kind: 'OffsetCommit', groupId: 'g', topic, partition: 0, value: { offset, ...rest }, producerId }
  }
  const end = (producerId: number, committed: boolean): GroupRecord => ({
    kind: 'EndTransaction',
    producerId,
    committed,
  })
  const [A, B, plain] = [100, 101, -1] as const

  const histories: [name: string, records: GroupRecord[], fetched: number | null, unstable: boolean][] = [
    ['count when the transaction commits', [offset('t', 1, A), end(A, true)], 1, false],
    ['are nothing when it aborts', [offset('t', 1, A), end(A, false)], null, false],
    ['are nothing before', [offset('t', 1, A)], null, true],
    ['the earlier one counts until then', [offset('t', 1, plain), offset('t', 2, A)], 1, true],
    ['a later plain commit wins', [offset('t', 1, A), offset('t', 2, plain), end(A, true)], 2, false],
    ['a later transaction wins', [offset('t', 1, A), offset('t', 2, B), end(B, true), end(A, true)], 2, false],
    ['in any order', [offset('t', 1, A), offset('t', 2, B), end(A, true), end(B, true)], 2, false],
    ['unless it aborts', [offset('t', 1, A), offset('t', 2, B), end(B, false), end(A, true)], 1, false],
  ]
  for (const [name, records, fetched, unstable] of histories) {
    test(name, () => {
      const machine = new GroupMachine(defaultGroupConfig)
      for (const [i, record] of records.entries()) machine.apply(record, 0, i)
      assert.equal(machine.state.offsets.stable.get('g', 't', 0)?.offset ?? null, fetched)
      assert.equal(machine.state.offsets.isPending('g', 't', 0), unstable)
    })
  }
})

describe('groups of newer protocols', () => {
  const other = (kind: number, group: string, value: string | null): OtherRecord => {
    const name = Buffer.from(group)
    const key = Buffer.concat([Buffer.from([0, kind, 0, name.length]), name, Buffer.from('rest')])
    return { kind: 'Other', key, value: value === null ? null : Buffer.from(value) }
  }
  const records = [other(3, 'g', 'x'), other(5, 'g', 'x'), other(8, 'g', 'x'), other(3, 'h', 'x')]
  const offset: GroupRecord = {
    kind: 'OffsetCommit',
    groupId: 'g',
    topic: 't',
    partition: 0,
    value: { offset: 1, leaderEpoch: -1, metadata: '', commitTimestamp: 5, expireTimestamp: -1, topicId: ZERO_UUID },
    producerId: -1,
  }
  const gone = [other(8, 'g', null), other(5, 'g', null), other(3, 'g', null)]

  test('are kept', () => {
    assert.deepEqual([...machineWith(offset, ...records).snapshot()], [...records, offset])
    assert.deepEqual([...machineWith(...records, ...gone).snapshot()], [other(3, 'h', 'x')])
  })

  test('are no more when they are deleted, or become classic ones', () => {
    const machine = machineWith(offset, ...records)
    const deletion = machine.decide({ type: 'DeleteGroups', groups: ['g'] }, at)
    assert.deepEqual(deletion.records, [
      ...gone,
      { ...offset, value: null },
      { kind: 'GroupMetadata', groupId: 'g', value: null },
    ])
    const kinds = (decision: GroupDecision) => decision.records.map(({ kind }) => kind)
    const request = {
      groupId: 'h',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: -1,
      memberId: '',
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: noBytes }],
      reason: null,
    }
    const join = { type: 'JoinGroup', version: 5, clientId: '', clientHost: '', request } as const
    const decision = machine.decide(join, at)
    assert.deepEqual(kinds(decision), ['Other', 'GroupMetadata'])
    follow(machine, decision)
    assert.equal(machine.state.others.has('h'), false)
  })
})

test('lead(): every member has a full session, whatever the log says of it', () => {
  const then = (memberId: string) => ({ type: 'ExpireMember', groupId: 'g', memberId }) as const
  assert.deepEqual(stable().lead(at), {
    records: [],
    soft: [],
    effects: [
      { do: 'timer', key: 'session 1 g a', afterMs: 10_000, then: then('a') },
      { do: 'timer', key: 'session 1 g b', afterMs: 10_000, then: then('b') },
      { do: 'timer', key: 'expire-offsets', afterMs: 600_000, then: { type: 'ExpireOffsets' } },
    ],
  })
})
