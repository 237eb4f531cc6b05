import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DescribeCluster } from '../../protocol/messages/describe-cluster.ts'
import { DescribeQuorum } from '../../protocol/messages/describe-quorum.ts'
import { FindCoordinator } from '../../protocol/messages/find-coordinator.ts'
import { Metadata } from '../../protocol/messages/metadata.ts'
import { Produce } from '../../protocol/messages/produce.ts'
import type { Api } from '../../protocol/schema.ts'
import { ledByOne, rewritten, soleNode, usuallyShown } from './rewrite.ts'
import type { Fields } from './split.ts'

const gateway = { host: 'gateway', port: 9092 }
const node = { nodeId: 3, host: 'inside', port: 1, rack: 'r' }

/** Each API that names nodes, with an answer that does. */
const answers: readonly [Api, (version: number) => object, from?: number][] = [
  [Metadata as never, () => ({ brokers: [node], topics: [] })],
  [DescribeCluster as never, () => ({ errorCode: 0, clusterId: 'c', brokers: [{ ...node, brokerId: 3 }] })],
  [
    FindCoordinator as never,
    version => ({
      errorCode: 0,
      errorMessage: null,
      coordinators: [],
      ...(version < 4 ? node : { coordinators: [{ ...node, key: 'g', errorCode: 0, errorMessage: null }] }),
    }),
  ],
  [Produce as never, () => ({ responses: [], nodeEndpoints: [node] }), 10],
  [
    DescribeQuorum as never,
    () => ({ errorCode: 0, topics: [], nodes: [{ nodeId: 3, listeners: [{ name: 'PLAINTEXT', ...node }] }] }),
    2,
  ],
]

for (const [api, answer, from = api.versions.min] of answers) {
  test(`nodes in ${api.name} are at the gateway, with their own numbers, in every version`, () => {
    for (let version = from; version <= api.versions.max; version++) {
      const read = api.response.read(api.response.toBytes(version, answer(version) as never), version) as Fields
      const changed = rewritten(read, gateway, 'all')
      const told = JSON.stringify(api.response.read(api.response.toBytes(version, changed as never), version))
      assert.ok(!told.includes('inside'), told)
      assert.ok(told.includes('"host":"gateway","port":9092'), told)
      assert.match(told, /"(nodeId|brokerId)":3/)
    }
  })
}

for (const [api, answer, from = api.versions.min] of answers) {
  test(`${api.name} tells of one node where clients shall know of no more, in every version`, () => {
    for (let version = from; version <= api.versions.max; version++) {
      const read = api.response.read(api.response.toBytes(version, answer(version) as never), version) as Fields
      const changed = rewritten({ ...read, controllerId: 3 }, gateway, 'one')
      const told = JSON.stringify(api.response.read(api.response.toBytes(version, changed as never), version))
      assert.ok(!told.includes('inside'), told)
      // Voters are nobody whom clients talk to.
      if (api.name !== 'DescribeQuorum') assert.doesNotMatch(told, /"(nodeId|brokerId|controllerId)":3/)
    }
  })
}

test('one node leads everything that is led', () => {
  const partitions = [{ leaderId: 3 }, { leaderId: -1 }]
  assert.deepEqual(ledByOne({ topics: [{ name: 't', partitions }] }), {
    topics: [{ name: 't', partitions: [{ leaderId: soleNode }, { leaderId: -1 }] }],
  })
})

test('nodes are shown to those who can tell them apart', () => {
  assert.equal(usuallyShown('apache-kafka-java 4.3.1'), 'all')
  assert.equal(usuallyShown('librdkafka 2.0.2'), 'one')
  assert.equal(usuallyShown(''), 'one')
})

test('who is nowhere stays nowhere', () => {
  const missing = { key: 'g', nodeId: -1, host: '', port: -1, errorCode: 15, errorMessage: null }
  assert.deepEqual(rewritten({ coordinators: [missing] }, gateway, 'all'), { coordinators: [missing] })
  const old = { errorCode: 15, errorMessage: null, nodeId: -1, host: '', port: -1, coordinators: [] }
  assert.deepEqual(rewritten(old, gateway, 'all'), old)
})

test('an answer without nodes is the same answer', () => {
  const answer = { errorCode: 0, results: [] }
  assert.equal(rewritten(answer, gateway, 'all'), answer)
})
