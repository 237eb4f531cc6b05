import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { Log } from '../log/log.ts'
import { defaultLogConfig } from '../log/log-config.ts'
import type { LedPartition } from '../machine/partition-log.ts'
import { dice } from '../machine/testing.ts'
import { buildBatch } from '../protocol/batches/build.ts'
import { type ErrorCode, errorName, KafkaError } from '../protocol/errors.ts'
import { javaHash } from '../protocol/java-hash.ts'
import { DeleteGroups } from '../protocol/messages/delete-groups.ts'
import { DescribeGroups } from '../protocol/messages/describe-groups.ts'
import { Heartbeat } from '../protocol/messages/heartbeat.ts'
import { JoinGroup } from '../protocol/messages/join-group.ts'
import { LeaveGroup } from '../protocol/messages/leave-group.ts'
import { ListGroups } from '../protocol/messages/list-groups.ts'
import { OffsetCommit } from '../protocol/messages/offset-commit.ts'
import { OffsetDelete } from '../protocol/messages/offset-delete.ts'
import { OffsetFetch } from '../protocol/messages/offset-fetch.ts'
import { SyncGroup } from '../protocol/messages/sync-group.ts'
import type { Api, Message, RequestInput, RequestOf, ResponseOf, ResponseOutput } from '../protocol/schema.ts'
import { Partition } from '../replication/partition.ts'
import { MemoryVolume } from '../store/memory.ts'
import { silent } from '../world/logger.ts'
import { nodeWorld } from '../world/node.ts'
import { defaultGroupConfig, type GroupConfig } from './config.ts'
import { GroupCoordinator } from './coordinator.ts'
import type { TopicInfo } from './offset-topics.ts'

const world = { ...nodeWorld, random: dice(1) }
/** A broker's sockets keep its process alive; its timers do not. */
const alive = setInterval(() => {}, 1000)
after(() => clearInterval(alive))
const topicT = { name: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: 2 }
const topicU = { name: 'u', topicId: 'AAAAAAAAAAAAAAAAAAAAAg', partitions: 1 }
const wide = { name: 'wide', topicId: 'AAAAAAAAAAAAAAAAAAAAAw', partitions: 100 }
const nobody = 'AAAAAAAAAAAAAAAAAAAACQ'

function newPartition(index: number): Partition {
  const place = { topic: '__consumer_offsets', partition: index }
  const store = new MemoryVolume(world.timers).open(place, nobody, { segmentBytes: 1e6 } as never)
  const config = { ...defaultLogConfig, compact: true, delete: false }
  const log = Log.open(store, place, nobody, config, world, silent, { clean: true })
  return new Partition(place.topic, nobody, index, log, 1, {
    leader: 1,
    leaderEpoch: 0,
    partitionEpoch: 0,
    replicas: [1],
    isr: [1],
  })
}

function newCoordinator(
  partitionCount = 2,
  timers = world.timers,
  isSuccessorRuledOut = () => true,
  known: readonly TopicInfo[] = [topicT, topicU, wide],
  config: Partial<GroupConfig> = {},
): GroupCoordinator {
  return new GroupCoordinator({
    config: { ...defaultGroupConfig, initialRebalanceDelayMs: 0, ...config },
    partitionCount: () => partitionCount,
    topics: {
      byName: name => known.find(topic => topic.name === name),
      byId: topicId => known.find(topic => topic.topicId === topicId),
    },
    clock: world.clock,
    isSuccessorRuledOut,
    timers,
    random: world.random,
    logger: silent,
  })
}

async function serving(
  known?: readonly TopicInfo[],
): Promise<{ coordinator: GroupCoordinator; partitions: Partition[] }> {
  const coordinator = newCoordinator(2, world.timers, () => true, known)
  const partitions = [newPartition(0), newPartition(1)]
  await Promise.all(partitions.map((partition, index) => coordinator.lead(index, partition, 0)))
  return { coordinator, partitions }
}

/** Through the wire, there and back: what a client of that version asks and hears. */
async function call<A extends Api>(
  api: A,
  version: number,
  request: RequestInput<A>,
  answer: (request: RequestOf<A>) => Promise<ResponseOf<A>>,
): Promise<ResponseOutput<A>> {
  const asked = api.request.read(api.request.toBytes(version, request as never), version) as RequestOf<A>
  const response = (api.response as Message<never>).toBytes(version, (await answer(asked)) as never)
  return api.response.read(response, version) as ResponseOutput<A>
}

const client = { clientId: 'client', clientHost: '/127.0.0.1' }

function commit(coordinator: GroupCoordinator, version: number, request: RequestInput<typeof OffsetCommit>) {
  return call(OffsetCommit, version, request, asked => coordinator.offsetCommit(version, asked))
}

function fetch(coordinator: GroupCoordinator, version: number, request: RequestInput<typeof OffsetFetch>) {
  return call(OffsetFetch, version, request, asked => coordinator.offsetFetch(version, asked))
}

const offsets = (...partitions: [index: number, offset: number][]) =>
  partitions.map(([partitionIndex, committedOffset]) => ({ partitionIndex, committedOffset, committedMetadata: null }))

test('groups are where Kafka looks for them', () => {
  // Values of String.hashCode() in Java.
  assert.deepEqual(
    ['', 'a', 'group', 'my-consumer-group', 'grüppe', 'polygenelubricants'].map(javaHash),
    [0, 97, 98629247, 1513705513, -1233264812, -2147483648],
  )
  const coordinator = newCoordinator(50)
  assert.deepEqual(
    ['', 'group', 'grüppe', 'polygenelubricants'].map(group => coordinator.partitionFor(group)),
    [0, 47, 12, 0],
  )
})

describe('every version of every API', () => {
  test('a member from beginning to end', async () => {
    for (let version = 0; version <= 9; version++) {
      const { coordinator } = await serving()
      const join = (memberId: string) =>
        call(
          JoinGroup,
          version,
          {
            groupId: 'g',
            sessionTimeoutMs: 10_000,
            memberId,
            protocolType: 'consumer',
            protocols: [{ name: 'range', metadata: Buffer.from('me') }],
          },
          asked => coordinator.joinGroup(version, asked, client),
        )
      let joined = await join('')
      if (version >= 4) {
        assert.equal(errorName(joined.errorCode), 'MEMBER_ID_REQUIRED')
        joined = await join(joined.memberId)
      }
      const { memberId } = joined
      const expected = { groupInstanceId: null, memberId, metadata: Buffer.from('me') }
      assert.deepEqual([joined.errorCode, joined.generationId, joined.protocolName], [0, 1, 'range'])
      assert.deepEqual([joined.leader, joined.members], [memberId, [expected]])

      const syncVersion = Math.min(version, 5)
      const assignments = [{ memberId, assignment: Buffer.from('all') }]
      const sync = { groupId: 'g', generationId: 1, memberId, assignments }
      const named = syncVersion >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {}
      const synced = await call(SyncGroup, syncVersion, { ...sync, ...named }, asked =>
        coordinator.syncGroup(syncVersion, asked),
      )
      assert.deepEqual([synced.errorCode, synced.assignment.toString()], [0, 'all'])

      const beatVersion = Math.min(version, 4)
      const beat = await call(Heartbeat, beatVersion, { groupId: 'g', generationId: 1, memberId }, asked =>
        coordinator.heartbeat(asked),
      )
      assert.equal(beat.errorCode, 0)

      const describeVersion = Math.min(version, 6)
      const described = await call(DescribeGroups, describeVersion, { groups: ['g', 'none'] }, asked =>
        coordinator.describeGroups(describeVersion, asked),
      )
      assert.deepEqual(
        described.groups.map(({ groupId, groupState, errorCode }) => [groupId, groupState, errorName(errorCode)]),
        [
          ['g', 'Stable', 'NONE'],
          ['none', 'Dead', describeVersion >= 6 ? 'GROUP_ID_NOT_FOUND' : 'NONE'],
        ],
      )
      const listVersion = Math.min(version, 5)
      const listed = await call(ListGroups, listVersion, {}, asked => coordinator.listGroups(asked))
      assert.deepEqual(
        listed.groups.map(group => [group.groupId, group.protocolType]),
        [['g', 'consumer']],
      )

      const leaveVersion = Math.min(version, 5)
      const leaving = leaveVersion >= 3 ? { members: [{ memberId }] } : { memberId }
      const left = await call(LeaveGroup, leaveVersion, { groupId: 'g', ...leaving }, asked =>
        coordinator.leaveGroup(leaveVersion, asked),
      )
      assert.deepEqual([left.errorCode, left.members.length], [0, leaveVersion >= 3 ? 1 : 0])

      const deleteVersion = Math.min(version, 3)
      const deleted = await call(DeleteGroups, deleteVersion, { groupsNames: ['g', 'none'] }, asked =>
        coordinator.deleteGroups(asked),
      )
      assert.deepEqual(
        deleted.results.map(({ groupId, errorCode }) => [groupId, errorName(errorCode)]),
        [
          ['g', 'NONE'],
          ['none', 'GROUP_ID_NOT_FOUND'],
        ],
      )
      coordinator.stop()
    }
  })

  test('offsets, by name and since version 10 by id', async () => {
    const { coordinator } = await serving()
    for (let version = 0; version <= 10; version++) {
      const topic = version >= 10 ? { topicId: topicT.topicId } : { name: 't' }
      const partitions = offsets([0, version], [1, version + 1])
      const committed = await commit(coordinator, version, { groupId: 'g', topics: [{ ...topic, partitions }] })
      assert.deepEqual(committed.topics[0]!.partitions, [
        { partitionIndex: 0, errorCode: 0 },
        { partitionIndex: 1, errorCode: 0 },
      ])
      const asked = { ...topic, partitionIndexes: [1, 7] }
      const all =
        version >= 8 ? { groups: [{ groupId: 'g', topics: [asked] }] } : { groupId: 'g', topics: [asked as never] }
      const fetched = await fetch(coordinator, version, all as RequestInput<typeof OffsetFetch>)
      const topics = version >= 8 ? fetched.groups[0]!.topics : fetched.topics
      const found = topics[0]!.partitions.map(({ partitionIndex, committedOffset }) => [
        partitionIndex,
        committedOffset,
      ])
      assert.deepEqual(found, [
        [1, version + 1],
        [7, -1],
      ])
    }
    const deleted = await call(
      OffsetDelete,
      0,
      {
        groupId: 'g',
        topics: ['t', 'x'].map(name => ({ name, partitions: [{ partitionIndex: 0 }] })),
      },
      asked => coordinator.offsetDelete(asked),
    )
    assert.deepEqual(
      deleted.topics.map(({ name, partitions }) => [name, errorName(partitions[0]!.errorCode)]),
      [
        ['t', 'NONE'],
        ['x', 'UNKNOWN_TOPIC_OR_PARTITION'],
      ],
    )
  })
})

test('offsets of what does not exist are refused, each by its name, and the others committed', async () => {
  const { coordinator } = await serving()
  const byName = await commit(coordinator, 9, {
    groupId: 'g',
    topics: [
      { name: 'x', partitions: offsets([0, 1]) },
      { name: 't', partitions: offsets([0, 1], [2, 1], [-1, 1]) },
      { name: 'u', partitions: offsets([0, 3]) },
    ],
  })
  assert.deepEqual(
    byName.topics.map(({ name, partitions }) => [name, ...partitions.map(({ errorCode }) => errorName(errorCode))]),
    [
      ['x', 'UNKNOWN_TOPIC_OR_PARTITION'],
      ['t', 'NONE', 'UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_OR_PARTITION'],
      ['u', 'NONE'],
    ],
  )
  const byId = await commit(coordinator, 10, {
    groupId: 'g',
    topics: [
      { topicId: nobody, partitions: offsets([0, 1]) },
      { topicId: topicT.topicId, partitions: offsets([1, 5], [2, 1]) },
    ],
  })
  assert.deepEqual(
    byId.topics.map(({ topicId, partitions }) => [topicId, ...partitions.map(({ errorCode }) => errorName(errorCode))]),
    [
      [nobody, 'UNKNOWN_TOPIC_ID'],
      [topicT.topicId, 'NONE', 'UNKNOWN_TOPIC_OR_PARTITION'],
    ],
  )
  const fetched = await fetch(coordinator, 10, {
    groups: [
      { groupId: 'g', topics: null },
      { groupId: 'g', topics: [{ topicId: nobody, partitionIndexes: [0] }] },
      { groupId: 'elsewhere', topics: null },
    ],
  })
  assert.deepEqual(
    fetched.groups.map(({ groupId, topics }) => [
      groupId,
      topics.map(({ topicId, partitions }) => [
        topicId,
        ...partitions.map(({ committedOffset, errorCode }) =>
          errorCode === 0 ? committedOffset : errorName(errorCode),
        ),
      ]),
    ]),
    [
      [
        'g',
        [
          [topicT.topicId, 1, 5],
          [topicU.topicId, 3],
        ],
      ],
      ['g', [[nobody, 'UNKNOWN_TOPIC_ID']]],
      ['elsewhere', []],
    ],
  )
  const none = await commit(coordinator, 9, { groupId: 'g', topics: [{ name: 'x', partitions: offsets([0, 1]) }] })
  assert.equal(errorName(none.topics[0]!.partitions[0]!.errorCode), 'UNKNOWN_TOPIC_OR_PARTITION')
})

/** What each API says when its group is not served here. */
async function errorsOf(coordinator: GroupCoordinator): Promise<Record<string, string>> {
  const who = { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null }
  const topics = [
    { name: 't', topicId: topicT.topicId, partitions: [{ partitionIndex: 0, committedOffset: 1 }] },
  ] as never
  const joining = {
    ...who,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 1,
    protocolType: 'c',
    protocols: [],
    reason: null,
  }
  const syncing = { ...who, protocolType: null, protocolName: null, assignments: [] }
  const commiting = { ...who, generationIdOrMemberEpoch: -1, retentionTimeMs: -1, topics }
  const fetching = { groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }], groups: [], requireStable: false }
  const asked = { groupId: 'g', memberId: null, memberEpoch: -1, topics: null }
  const codes = {
    JoinGroup: (await coordinator.joinGroup(9, joining, client)).errorCode,
    SyncGroup: (await coordinator.syncGroup(4, syncing)).errorCode,
    Heartbeat: (await coordinator.heartbeat(who)).errorCode,
    LeaveGroup: (await coordinator.leaveGroup(5, { groupId: 'g', memberId: '', members: [] })).errorCode,
    OffsetCommit: (await coordinator.offsetCommit(9, commiting)).topics[0]!.partitions[0]!.errorCode,
    'OffsetFetch 1': (await coordinator.offsetFetch(1, fetching)).topics![0]!.partitions[0]!.errorCode,
    'OffsetFetch 7': (await coordinator.offsetFetch(7, fetching)).errorCode,
    'OffsetFetch 9': (await coordinator.offsetFetch(9, { ...fetching, groups: [asked] })).groups![0]!.errorCode,
    OffsetDelete: (await coordinator.offsetDelete({ groupId: 'g', topics: [] })).errorCode,
    DescribeGroups: (await coordinator.describeGroups(5, { groups: ['g'], includeAuthorizedOperations: false }))
      .groups[0]!.errorCode,
    DeleteGroups: (await coordinator.deleteGroups({ groupsNames: ['g'] })).results[0]!.errorCode,
    ListGroups: (await coordinator.listGroups({ statesFilter: [], typesFilter: [] })).errorCode,
  }
  return Object.fromEntries(Object.entries(codes).map(([api, code]) => [api, errorName(code ?? 0)]))
}

const allSay = (error: keyof typeof ErrorCode, except: Record<string, string> = {}): Record<string, string> => {
  const apis = ['JoinGroup', 'SyncGroup', 'Heartbeat', 'LeaveGroup', 'OffsetCommit', 'OffsetFetch 1', 'OffsetFetch 7']
  apis.push('OffsetFetch 9', 'OffsetDelete', 'DescribeGroups', 'DeleteGroups', 'ListGroups')
  return { ...Object.fromEntries(apis.map(api => [api, error])), ...except }
}

test('a group whose partition is led elsewhere', async () => {
  const coordinator = newCoordinator()
  assert.deepEqual(await errorsOf(coordinator), allSay('NOT_COORDINATOR', { ListGroups: 'NONE' }))
})

test('a group that is being loaded: members need not be upset', async () => {
  const coordinator = newCoordinator(1)
  const partition = newPartition(0)
  let read = (_: Uint8Array[]): void => {}
  const slow: LedPartition = {
    highWatermark: 1,
    log: { logStartOffset: 0, logEndOffset: 1 },
    append: (bytes, acks, now, origin) => partition.append(bytes, acks, now, origin),
    whenCommitted: (_, done) => done(null),
    read: () =>
      new Promise<Uint8Array[]>(resolve => {
        read = resolve
      }),
    deleteRecords: async () => 0,
  }
  const loaded = coordinator.lead(0, slow, 0)
  await new Promise<void>(resolve => world.timers.soon(resolve))
  assert.deepEqual(await errorsOf(coordinator), allSay('COORDINATOR_LOAD_IN_PROGRESS', { Heartbeat: 'NONE' }))
  partition.append(buildBatch({ records: [{ timestamp: 0, key: null, value: null }] }), -1, 0, 'coordinator')
  await new Promise(resolve => partition.whenCommitted(1, resolve))
  read(await partition.read(0, 1))
  await loaded
  assert.equal((await errorsOf(coordinator)).Heartbeat, 'UNKNOWN_MEMBER_ID')
  coordinator.stop()
  assert.deepEqual(await errorsOf(coordinator), allSay('COORDINATOR_NOT_AVAILABLE'))
})

test('who may have a successor tells nothing from memory, and goes on with what must be committed to count', async () => {
  let alone = true
  const coordinator = newCoordinator(1, world.timers, () => alone)
  await coordinator.lead(0, newPartition(0), 0)
  const before = await errorsOf(coordinator)
  alone = false
  const { 'OffsetFetch 1': old, 'OffsetFetch 7': one, 'OffsetFetch 9': many, ...others } = await errorsOf(coordinator)
  assert.deepEqual([old, one, many], ['NOT_COORDINATOR', 'NOT_COORDINATOR', 'NOT_COORDINATOR'])
  const expected = { DescribeGroups: 'NOT_COORDINATOR', ListGroups: 'COORDINATOR_NOT_AVAILABLE' }
  for (const [api, error] of Object.entries(others))
    assert.equal(error, expected[api as keyof typeof expected] ?? before[api], api)
  coordinator.stop()
})

test('a log that cannot be read serves nobody, and harms nobody else', async () => {
  const coordinator = newCoordinator(1)
  const partition = newPartition(0)
  const broken: LedPartition = {
    highWatermark: 1,
    log: { logStartOffset: 0, logEndOffset: 1 },
    append: (bytes, acks, now, origin) => partition.append(bytes, acks, now, origin),
    whenCommitted: (_, done) => done(null),
    read: () => [Buffer.alloc(100, 1)],
    deleteRecords: async () => 0,
  }
  await coordinator.lead(0, broken, 0)
  const errors = await errorsOf(coordinator)
  assert.equal(errors.JoinGroup, 'NOT_COORDINATOR')
})

test('while nothing can be committed heartbeats are answered, and commits are refused in time', async () => {
  const coordinator = newCoordinator(1, world.timers, () => true, undefined, { commitTimeoutMs: 400 })
  const partition = newPartition(0)
  const held: (() => void)[] = []
  let few = false
  const lonely: LedPartition = {
    get highWatermark() {
      return partition.highWatermark
    },
    log: partition.log,
    append: (bytes, acks, now, origin) => partition.append(bytes, acks, now, origin),
    whenCommitted(offset, done) {
      if (few) held.push(() => partition.whenCommitted(offset, done))
      else partition.whenCommitted(offset, done)
    },
    read: (from, maxBytes) => partition.read(from, maxBytes),
    deleteRecords: offset => partition.deleteRecords(offset),
  }
  await coordinator.lead(0, lonely, 0)
  const protocols = [{ name: 'range', metadata: Buffer.from('me') }]
  const terms = { sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000, protocolType: 'consumer', protocols }
  const joining = { groupId: 'g', memberId: '', groupInstanceId: null, reason: null, ...terms }
  const { memberId } = await coordinator.joinGroup(3, joining, client)
  const who = { groupId: 'g', generationId: 1, memberId, groupInstanceId: null }
  const assignments = [{ memberId, assignment: Buffer.from('x') }]
  await coordinator.syncGroup(3, { ...who, protocolType: null, protocolName: null, assignments })
  const ask = async () => {
    const { groups } = await fetch(coordinator, 9, { groups: [{ groupId: 'g', topics: null }] })
    const { errorCode, topics } = groups[0]!
    return errorCode === 0 ? (topics[0]?.partitions[0]?.committedOffset ?? -1) : errorName(errorCode)
  }
  few = true
  const { generationId } = who
  const mine = { groupId: 'g', memberId, generationIdOrMemberEpoch: generationId }
  const committing = commit(coordinator, 9, { ...mine, topics: [{ name: 't', partitions: offsets([0, 5]) }] })
  const fetching = ask()
  assert.equal((await coordinator.heartbeat(who)).errorCode, 0)
  assert.equal(coordinator.stats().waiting, 2, 'nobody else was answered before')
  assert.equal(errorName((await committing).topics[0]!.partitions[0]!.errorCode), 'COORDINATOR_NOT_AVAILABLE')
  assert.equal(await fetching, 'COORDINATOR_NOT_AVAILABLE')
  few = false
  for (const go of held) go()
  assert.equal(await ask(), 5)
  coordinator.stop()
})

test('a log that cannot be read is read again after growing pauses', async () => {
  const pauses: number[] = []
  const soon = (ms: number, run: () => void) => {
    if (ms >= 1000 && ms <= 60_000) pauses.push(ms)
    return world.timers.after(Math.min(1, ms), run)
  }
  let failures = 8
  const partition = newPartition(0)
  partition.append(buildBatch({ records: [{ timestamp: 0, key: null, value: null }] }), -1, 0, 'coordinator')
  await new Promise(resolve => partition.whenCommitted(1, resolve))
  const broken: LedPartition = {
    highWatermark: 1,
    log: partition.log,
    append: (bytes, acks, now, origin) => partition.append(bytes, acks, now, origin),
    whenCommitted: (offset, done) => partition.whenCommitted(offset, done),
    read(from, maxBytes) {
      if (failures-- > 0) throw new KafkaError('CORRUPT_MESSAGE')
      return partition.read(from, maxBytes)
    },
    deleteRecords: async () => 0,
  }
  const coordinator = newCoordinator(1, { ...world.timers, after: soon })
  await coordinator.lead(0, broken, 0)
  assert.equal((await errorsOf(coordinator)).Heartbeat, 'NOT_COORDINATOR')
  const served = async () => (await errorsOf(coordinator)).Heartbeat === 'UNKNOWN_MEMBER_ID'
  for (let i = 0; i < 100 && !(await served()); i++)
    await new Promise(resolve => world.timers.after(2, () => resolve(null)))
  assert.equal(await served(), true)
  assert.deepEqual(pauses.slice(0, 8), [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
  failures = 1
  await coordinator.lead(0, broken, 0)
  coordinator.stop()
  await new Promise(resolve => world.timers.after(5, () => resolve(null)))
  assert.equal(failures, 0)
})

test('who waits when the lead goes is sent to the new coordinator; offsets are there after it', async () => {
  const known = [topicT]
  const { coordinator, partitions } = await serving(known)
  const index = coordinator.partitionFor('g')
  const join = (version: number) => {
    const protocols = [{ name: 'range', metadata: Buffer.from('me') }]
    const terms = { sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000, protocolType: 'consumer', protocols }
    const request = { groupId: 'g', memberId: '', groupInstanceId: null, reason: null, ...terms }
    return coordinator.joinGroup(version, request, client)
  }
  await commit(coordinator, 9, { groupId: 'g', topics: [{ name: 't', partitions: offsets([0, 77]) }] })
  const first = await join(3)
  assert.equal(first.errorCode, 0)
  const assignments = [{ memberId: first.memberId, assignment: Buffer.from('x') }]
  const who = { groupId: 'g', generationId: 1, memberId: first.memberId, groupInstanceId: null }
  await coordinator.syncGroup(3, { ...who, protocolType: null, protocolName: null, assignments })
  const waiting = join(3)
  coordinator.resign(index)
  assert.equal(errorName((await waiting).errorCode), 'NOT_COORDINATOR')
  assert.equal(coordinator.stats().partitions, 1)

  await coordinator.lead(index, partitions[index]!, 0)
  const fetched = await fetch(coordinator, 7, { groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] })
  assert.equal(fetched.topics[0]!.partitions[0]!.committedOffset, 77)
  assert.equal((await coordinator.heartbeat(who)).errorCode, 0)
  const { groups, offsets: offsetCount, parked, timers } = coordinator.stats()
  assert.deepEqual({ groups, offsetCount, parked, timers }, { groups: 1, offsetCount: 1, parked: 0, timers: 3 })
  known.pop()
  await coordinator.topicsDeleted(['t'])
  assert.equal(coordinator.stats().offsets, 0)
  coordinator.stop()
})

test('offsets of topics that were deleted while nobody led are forgotten by the next leader', async () => {
  const { coordinator, partitions } = await serving()
  const index = coordinator.partitionFor('g')
  const topics = ['t', 'u'].map(name => ({ name, partitions: offsets([0, 7]) }))
  await commit(coordinator, 9, { groupId: 'g', topics })
  coordinator.stop()
  const anew = { ...topicT, topicId: nobody }
  const next = newCoordinator(2, world.timers, () => true, [anew])
  await next.lead(index, partitions[index]!, 0)
  const all = await fetch(next, 10, { groups: [{ groupId: 'g', topics: null }] })
  assert.deepEqual(all.groups[0]!.topics, [])
  assert.equal(next.stats().offsets, 0)
  next.stop()
})

test('whoever asks for all offsets gets none of a former topic as if they were of the one that has its name', async () => {
  const known = [topicT]
  const coordinator = newCoordinator(1, world.timers, () => true, known)
  await coordinator.lead(0, newPartition(0), 0)
  await commit(coordinator, 9, { groupId: 'g', topics: [{ name: 't', partitions: offsets([0, 7], [1, 8]) }] })
  known[0] = { ...topicT, topicId: nobody }
  const ask = async (version: number) => {
    const { groups } = await fetch(coordinator, version, { groups: [{ groupId: 'g', topics: null }] })
    return groups[0]!.topics.flatMap(({ partitions }) => partitions.map(each => each.committedOffset))
  }
  assert.deepEqual([await ask(9), await ask(10)], [[], []])
  await commit(coordinator, 9, { groupId: 'g', topics: [{ name: 't', partitions: offsets([1, 3]) }] })
  assert.deepEqual([await ask(9), await ask(10)], [[3], [3]])
  await coordinator.topicsDeleted(['t'])
  assert.deepEqual([await ask(10), coordinator.stats().offsets], [[3], 1])
  coordinator.stop()
})

test('when many offsets go at once they go in parts', async () => {
  const known = [wide]
  const coordinator = newCoordinator(1, world.timers, () => true, known, { maxTombstonesPerAppend: 10 })
  const partition = newPartition(0)
  await coordinator.lead(0, partition, 0)
  for (const [groupId, count] of [
    ['g', 20],
    ['h', 13],
  ] as const) {
    const all = Array.from({ length: count }, (_, i): [number, number] => [i, 7])
    await commit(coordinator, 9, { groupId, topics: [{ name: 'wide', partitions: offsets(...all) }] })
  }
  const before = partition.log.logEndOffset
  const sizes: number[] = []
  const append = partition.append.bind(partition)
  partition.append = (...args: Parameters<Partition['append']>) => {
    const result = append(...args)
    sizes.push(result.lastOffset - result.baseOffset + 1)
    return result
  }
  known.pop()
  await coordinator.topicsDeleted(['wide'])
  assert.deepEqual([sizes, coordinator.stats().offsets], [[10, 10, 10, 3], 0])
  assert.equal(partition.log.logEndOffset, before + 33)
  coordinator.stop()
})

test('what cannot be forgotten for want of replicas is forgotten later', async () => {
  const soon = (ms: number, run: () => void) => world.timers.after(ms === 1000 ? 1 : ms, run)
  const known = [topicT]
  const coordinator = newCoordinator(1, { ...world.timers, after: soon }, () => true, known)
  const partition = newPartition(0)
  let few = false
  const lonely: LedPartition = {
    get highWatermark() {
      return partition.highWatermark
    },
    log: partition.log,
    append(bytes, acks, now, origin) {
      if (few) throw new KafkaError('NOT_ENOUGH_REPLICAS')
      return partition.append(bytes, acks, now, origin)
    },
    whenCommitted: (offset, done) => partition.whenCommitted(offset, done),
    read: (from, maxBytes) => partition.read(from, maxBytes),
    deleteRecords: offset => partition.deleteRecords(offset),
  }
  await coordinator.lead(0, lonely, 0)
  await commit(coordinator, 9, { groupId: 'g', topics: [{ name: 't', partitions: offsets([0, 7]) }] })
  few = true
  known.pop()
  await coordinator.topicsDeleted(['t'])
  assert.equal(coordinator.stats().offsets, 1)
  few = false
  for (let i = 0; i < 100 && coordinator.stats().offsets > 0; i++)
    await new Promise(resolve => world.timers.after(2, () => resolve(null)))
  assert.equal(coordinator.stats().offsets, 0)
  coordinator.stop()
})

test('groups are served again when a full disk has room again', async () => {
  const soon = (ms: number, run: () => void) => world.timers.after(ms === 1000 ? 1 : ms, run)
  const coordinator = newCoordinator(1, { ...world.timers, after: soon })
  const partition = newPartition(0)
  let full = false
  const disk: LedPartition = {
    get highWatermark() {
      return partition.highWatermark
    },
    log: partition.log,
    append: (bytes, acks, now, origin) => partition.append(bytes, acks, now, origin),
    whenCommitted: (offset, done) =>
      full
        ? world.timers.soon(() => done(new KafkaError('KAFKA_STORAGE_ERROR')))
        : partition.whenCommitted(offset, done),
    read: (from, maxBytes) => partition.read(from, maxBytes),
    deleteRecords: offset => partition.deleteRecords(offset),
  }
  await coordinator.lead(0, disk, 0)
  const commitOne = async (): Promise<string> => {
    const request = { groupId: 'g', topics: [{ name: 't', partitions: offsets([0, 5]) }] }
    return errorName((await commit(coordinator, 9, request)).topics[0]!.partitions[0]!.errorCode)
  }
  full = true
  assert.equal(await commitOne(), 'NOT_COORDINATOR')
  full = false
  let error = ''
  for (let i = 0; i < 100 && error !== 'NONE'; i++) {
    await new Promise(resolve => world.timers.after(2, () => resolve(null)))
    error = await commitOne()
  }
  assert.equal(error, 'NONE')
  coordinator.stop()
})

test('the log of a busy group stays short', async () => {
  const coordinator = newCoordinator(1)
  const partition = newPartition(0)
  await coordinator.lead(0, partition, 0)
  const rounds = 60
  const everywhere = (round: number) => offsets(...Array.from({ length: 100 }, (_, i): [number, number] => [i, round]))
  for (let round = 0; round < rounds; round++) {
    const commits = Array.from({ length: 5 }, (_, i) =>
      commit(coordinator, 9, { groupId: `g${i}`, topics: [{ name: 'wide', partitions: everywhere(round) }] }),
    )
    await Promise.all(commits)
  }
  const { logStartOffset, logEndOffset } = partition.log
  assert.ok(logStartOffset >= 20_000, `${logStartOffset} to ${logEndOffset}`)
  assert.ok(logEndOffset - logStartOffset < 25_000)
  coordinator.stop()
  const next = newCoordinator(1)
  await next.lead(0, partition, 0)
  const fetched = await fetch(next, 7, { groupId: 'g3', topics: [{ name: 'wide', partitionIndexes: [99] }] })
  assert.equal(fetched.topics[0]!.partitions[0]!.committedOffset, rounds - 1)
  next.stop()
})
