import assert from 'node:assert/strict'
import { test } from 'node:test'
import { servedApis } from '../../broker/served.ts'
import {
  deleteGroupsApi,
  describeGroupsApi,
  type GroupedApi,
  heartbeatApi,
  joinGroupApi,
  leaveGroupApi,
  mergeLists,
  offsetCommitApi,
  offsetDeleteApi,
  offsetFetchApi,
  splitGroups,
  syncGroupApi,
} from './grouped.ts'

const bytes = Buffer.from('x')
const request = {
  groupId: 'g',
  memberId: 'm',
  sessionTimeoutMs: 10,
  generationId: 1,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: bytes }],
  assignments: [{ memberId: 'm', assignment: bytes }],
}
const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }] }]

/** Requests as the wire brings them: every field is there. */
const asked: readonly [GroupedApi, (version: number) => object][] = [
  [joinGroupApi, () => request],
  [syncGroupApi, version => ({ ...request, ...(version < 5 ? { protocolType: undefined } : {}) })],
  [heartbeatApi, () => request],
  [leaveGroupApi, version => (version < 3 ? request : { groupId: 'g', members: [{ memberId: 'm' }] })],
  [offsetCommitApi, () => ({ ...request, topics })],
  [offsetDeleteApi, () => ({ groupId: 'g', topics })],
  [
    offsetFetchApi,
    version =>
      version < 8
        ? { groupId: 'g', topics: [{ name: 't', partitionIndexes: [0, 1] }] }
        : { groups: [{ groupId: 'g', topics: null }] },
  ],
  [describeGroupsApi, () => ({ groups: ['g'] })],
  [deleteGroupsApi, () => ({ groupsNames: ['g'] })],
]

for (const [row, body] of asked) {
  const { min, max } = servedApis.find(({ key }) => key === row.api.key)!
  test(`${row.api.name} names its group, and fails in its own shape, in every version`, () => {
    for (let version = min; version <= max; version++) {
      const read = row.api.request.read(row.api.request.toBytes(version, body(version) as never), version)
      assert.deepEqual([...row.groups(read, version)], ['g'], `version ${version}`)
      const failed = row.failed(read, 'COORDINATOR_NOT_AVAILABLE', version)
      const answer = row.api.response.read(row.api.response.toBytes(version, failed), version)
      assert.match(JSON.stringify(answer), /"errorCode":15/, `version ${version}`)
    }
  })
}

const batches: readonly [GroupedApi, number, object, (answer: object) => unknown[]][] = [
  [
    offsetFetchApi,
    8,
    { groups: ['a', 'b', 'c'].map(groupId => ({ groupId, topics: null })) },
    answer => (answer as { groups: unknown[] }).groups,
  ],
  [describeGroupsApi, 5, { groups: ['a', 'b', 'c'] }, answer => (answer as { groups: unknown[] }).groups],
  [deleteGroupsApi, 2, { groupsNames: ['a', 'b', 'c'] }, answer => (answer as { results: unknown[] }).results],
]

for (const [row, version, body, groupsIn] of batches) {
  test(`${row.api.name} of several groups goes to each coordinator`, () => {
    const read = row.api.request.read(row.api.request.toBytes(version, body as never), version)
    const portions = splitGroups(row, read, version, group => (group === 'b' ? 2 : 1))
    assert.deepEqual(
      portions.map(({ node, groups }) => [node, groups]),
      [
        [1, ['a', 'c']],
        [2, ['b']],
      ],
    )
    for (const portion of portions) assert.deepEqual(row.groups(portion.request as never, version), portion.groups)
    const answers = portions.map(portion => row.failed(portion.request as never, 'NOT_COORDINATOR', version))
    const merged = row.api.response.toBytes(version, row.merge!(answers))
    const groups = groupsIn(row.api.response.read(merged, version)) as { groupId: string }[]
    assert.deepEqual(groups.map(({ groupId }) => groupId).sort(), ['a', 'b', 'c'])
    // All at one coordinator: nothing is taken apart.
    assert.equal(splitGroups(row, read, version, () => 4)[0]!.request, read)
  })
}

test('the lists of all nodes are one list, and its error is the first one', () => {
  const group = (groupId: string) => ({ groupId, protocolType: 'consumer' })
  assert.deepEqual(
    mergeLists([
      { errorCode: 0, groups: [group('a'), group('b')] },
      { errorCode: 15, groups: [group('b')] },
      { errorCode: 14, groups: [] },
    ]),
    { errorCode: 15, groups: [group('a'), group('b')] },
  )
})
