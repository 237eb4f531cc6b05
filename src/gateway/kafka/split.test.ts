import assert from 'node:assert/strict'
import { test } from 'node:test'
import { servedApis } from '../../broker/served.ts'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import { fetchApi } from './fetch.ts'
import {
  deleteRecordsApi,
  describeProducersApi,
  listOffsetsApi,
  offsetForLeaderEpochApi,
  type PartitionedApi,
  produceApi,
} from './partitioned.ts'
import { eachAnswer, type Fields, merge, refused, split, topicKey, topicsOf } from './split.ts'

const rows = [produceApi, fetchApi, listOffsetsApi, offsetForLeaderEpochApi, deleteRecordsApi, describeProducersApi]

const names = ['a', 'b', 'c']
const ids = ['AAAAAAAAAAAAAAAAAAAAAQ', 'AAAAAAAAAAAAAAAAAAAAAg', 'AAAAAAAAAAAAAAAAAAAAAw']

/** What the request of an API needs besides partitions. */
const others: Fields = { acks: -1, timeoutMs: 1000, replicaId: -1, maxWaitMs: 5, minBytes: 1 }

/** As the wire has it: what a version does not have is gone, and what it needs must be there. */
function over(message: { toBytes(version: number, value: never): Buffer; read(b: Buffer, v: number): unknown }) {
  return (version: number, value: Fields) => message.read(message.toBytes(version, value as never), version) as Fields
}

/** Topics a and b with four partitions each, c with one. */
function requestOf(row: PartitionedApi, version: number): Fields {
  const topics = names.map((name, i) => ({
    name,
    topic: name,
    topicId: row.api.request.fields.topicData !== undefined || row === fetchApi ? ids[i] : ZERO_UUID,
    [row.partitions]: (name === 'c' ? [0] : [0, 1, 2, 3]).map(index =>
      row.index === null
        ? index
        : {
            [row.index]: index,
            records: Buffer.from(`${name}${index}`),
            fetchOffset: index,
            partitionMaxBytes: 100,
            timestamp: -1,
            leaderEpoch: 3,
            offset: 7,
          },
    ),
  }))
  const known = Object.entries(others).filter(([name]) => name in row.api.request.fields)
  const versionless = Object.fromEntries(known.filter(([name]) => name !== 'replicaId' || version < 15))
  return over(row.api.request)(version, { ...versionless, [row.topics]: topics })
}

for (const row of rows) {
  const { min, max } = servedApis.find(({ key }) => key === row.api.key)!
  test(`${row.api.name} is split by leader and put together again, in every version`, () => {
    for (let version = min; version <= max; version++) {
      const request = requestOf(row, version)
      const keys = topicsOf(request, row)
      const portions = split(request, row, (topic, index) => (topic.name === 'c' ? 0 : index % 3), -1)
      assert.deepEqual(
        portions.map(({ node }) => node),
        [0, 1, 2],
      )
      const answers = portions.map(({ node, request: part }) => {
        const asked = over(row.api.request)(version, part)
        // Nothing but the topics differs.
        assert.deepEqual({ ...asked, [row.topics]: [] }, { ...request, [row.topics]: [] })
        const answer = refused(asked, row, index => row.failed(index, 100 + node))
        // Some come over the wire, some are made here.
        return node === version % 3 ? answer : over(row.api.response)(version, answer)
      })
      const merged = over(row.api.response)(version, merge(answers, row))
      assert.deepEqual(topicsOf(merged, { ...row, topics: row.answers }), keys, `version ${version}`)
      const seen: string[] = []
      eachAnswer(merged, row, (topic, partition) => {
        const index = (partition.index ?? partition.partitionIndex ?? partition.partition) as number
        const at = keys.findIndex(key => key.name === topic.name && key.topicId === topic.topicId)
        // By id there is no name to tell c by.
        const node = keys[at]!.name === 'c' ? 0 : index % 3
        assert.equal(partition.errorCode, 100 + node)
        seen.push(`${at} ${index}`)
      })
      const all = ['0 0', '0 1', '0 2', '0 3', '1 0', '1 1', '1 2', '1 3', '2 0']
      assert.deepEqual(seen.sort(), all, `version ${version}`)
    }
  })
}

test('what goes to one node goes as it came, its bytes untouched', () => {
  const request = requestOf(produceApi, 9)
  const [portion, ...rest] = split(request, produceApi, () => 7, -1)
  assert.equal(portion!.request, request)
  assert.equal(portion!.node, 7)
  assert.deepEqual(rest, [])
  const parts = split(request, produceApi, (_, index) => index % 2, -1)
  const topic = (parts[1]!.request.topicData as Fields[])[0]!
  const original = (request.topicData as Fields[])[0]!
  assert.equal((topic.partitionData as Fields[])[0], (original.partitionData as Fields[])[1])
})

test('without partitions any node is asked', () => {
  const empty = { topics: [] }
  assert.deepEqual(
    split(empty, listOffsetsApi, () => 1, -1),
    [{ node: -1, request: empty }],
  )
  const bare = { topics: [{ name: 'a', partitions: [] }] }
  assert.deepEqual(
    split(bare, listOffsetsApi, () => 1, -1),
    [{ node: -1, request: bare }],
  )
})

test('of several errors of a whole request the first counts; the longest pause does', () => {
  const answers = [
    { throttleTimeMs: 3, errorCode: 0, responses: [], nodeEndpoints: [{ nodeId: 1 }] },
    { throttleTimeMs: 9, errorCode: 29, responses: [], nodeEndpoints: [{ nodeId: 2 }] },
  ]
  const { throttleTimeMs, errorCode, nodeEndpoints } = merge(answers, fetchApi)
  assert.deepEqual([throttleTimeMs, errorCode, nodeEndpoints], [9, 29, [{ nodeId: 1 }, { nodeId: 2 }]])
})

test('a topic is known by its id where there is one, else by its name', () => {
  assert.deepEqual(topicKey({ topic: 'a' }), { name: 'a', topicId: ZERO_UUID })
  assert.deepEqual(topicKey({ name: '', topicId: ids[0] }), { name: '', topicId: ids[0] })
})
