import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ZERO_UUID } from '../../protocol/uuid.ts'
import type { MetadataRecord } from '../records/records.ts'
import { readBootstrap } from './bootstrap.ts'
import { parseQuorumState, printQuorumState } from './quorum-state.ts'
import { decodeSnapshot, encodeSnapshot, snapshotIds, snapshotName } from './snapshot.ts'
import { MetadataTransactions } from './transactions.ts'

describe('quorum-state', () => {
  // As Kafka 4.3.1 has written it.
  const kafkas =
    '{"leaderId":1,"leaderEpoch":7,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}'
  const older =
    '{"clusterId":"","leaderId":1,"leaderEpoch":3,"votedId":1,"appliedOffset":0,"currentVoters":[{"voterId":1},{"voterId":2}],"data_version":0}'

  it("is Kafka's, to the byte", () => {
    assert.equal(printQuorumState(parseQuorumState(kafkas)), kafkas)
    assert.equal(printQuorumState(parseQuorumState(older)), older)
    assert.deepEqual(parseQuorumState(older).voterIds, [1, 2])
  })

  for (const [what, text, message] of [
    ['nothing', '', /unreadable/],
    ['half a file', kafkas.slice(0, 40), /unreadable/],
    ['a newer version', kafkas.replace('"data_version":1', '"data_version":2'), /newer than this program/],
    ['a wrong epoch', kafkas.replace('7', '"x"'), /no number leaderEpoch/],
  ] as const) {
    it(`of ${what} is refused`, () => assert.throws(() => parseQuorumState(text), message))
  }
})

describe('snapshots', () => {
  const records: MetadataRecord[] = [
    { type: 'FeatureLevelRecord', name: 'metadata.version', featureLevel: 30 },
    ...Array.from({ length: 4500 }, (_, index) => ({
      type: 'ConfigRecord' as const,
      resourceType: 2,
      resourceName: `topic${index}`,
      name: 'retention.ms',
      value: '1',
    })),
  ]
  const voters = [{ id: 1, directoryId: ZERO_UUID, endpoints: [{ name: 'C', host: 'h', port: 1 }] }]

  it('hold what went in', () => {
    const bytes = encodeSnapshot({ timestamp: 5, kraftVersion: 1, voters, records }, 3, 6)
    assert.deepEqual(decodeSnapshot(bytes), { timestamp: 5, kraftVersion: 1, voters, records })
  })

  it('know when they are cut off or damaged', () => {
    const bytes = encodeSnapshot({ timestamp: 5, kraftVersion: 0, voters: [], records }, 3, 6)
    assert.throws(() => decodeSnapshot(bytes.subarray(0, bytes.length - 80)), /has no end/)
    assert.throws(() => decodeSnapshot(new Uint8Array()), /has no end/)
    for (const at of [30, 500, bytes.length - 5]) {
      const damaged = Buffer.from(bytes)
      damaged[at]! ^= 4
      assert.throws(() => decodeSnapshot(damaged), /damaged/)
    }
  })

  it('are named as Kafka names them', () => {
    const name = '00000000000000000191-0000000002.checkpoint'
    assert.equal(snapshotName({ endOffset: 191, epoch: 2 }), name)
    assert.deepEqual(
      snapshotIds([
        '00000000000000000085-0000000001.checkpoint',
        name,
        'x.checkpoint',
        `${name}.part`,
        '00000000000000000191.snapshot',
      ]),
      [
        { endOffset: 191, epoch: 2 },
        { endOffset: 85, epoch: 1 },
      ],
    )
  })

  it('begin a cluster that Kafka has formatted', () => {
    const bytes = encodeSnapshot({ timestamp: 5, kraftVersion: 0, voters: [], records }, 0, 6)
    assert.deepEqual(readBootstrap({ get: () => bytes }), records)
    assert.equal(readBootstrap({ get: () => null }), null)
    assert.throws(() => readBootstrap({ get: () => bytes.subarray(0, 100) }), /bootstrap.checkpoint/)
  })
})

describe('transactions of metadata', () => {
  const begin: MetadataRecord = { type: 'BeginTransactionRecord' }
  const end: MetadataRecord = { type: 'EndTransactionRecord' }
  const abort: MetadataRecord = { type: 'AbortTransactionRecord' }
  const topic = (name: string): MetadataRecord => ({ type: 'TopicRecord', name, topicId: ZERO_UUID })
  const [a, b, c] = [topic('a'), topic('b'), topic('c')]

  for (const [what, batches, released, open] of [
    ['none', [[a], [b]], [a, b], false],
    ['one in a batch', [[a, begin, b, end, c]], [a, b, c], false],
    ['one over three batches', [[begin, a], [b], [end, c]], [a, b, c], false],
    ['an aborted one', [[begin, a], [b, abort], [c]], [c], false],
    ['an unfinished one', [[a], [begin, b], [c]], [a], true],
  ] as const) {
    it(`release what counts: ${what}`, () => {
      const transactions = new MetadataTransactions()
      assert.deepEqual(
        batches.flatMap(batch => transactions.release(batch)),
        released,
      )
      assert.equal(transactions.open, open)
    })
  }
})
