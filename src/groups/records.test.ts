import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ZERO_UUID } from '../protocol/uuid.ts'
import type { GroupRecord } from './facts.ts'
import { decodeRecord, encodeRecord } from './records.ts'

/** The hexadecimal is what Apache Kafka 4.4's own generated classes write for the same values. */

const hex = (bytes: Uint8Array | null): string | null => bytes && Buffer.from(bytes).toString('hex')
const unhex = (text: string): Buffer => Buffer.from(text, 'hex')

const commitKey = '000100076772c3bc70706500017400000007'
const groupKey = '000200076772c3bc707065'
const commit = { kind: 'OffsetCommit', groupId: 'grüppe', topic: 't', partition: 7, producerId: -1 } as const
const offset = { offset: 1_234_567_890_123, metadata: 'note', commitTimestamp: 1_700_000_000_000 }

test('committed offsets of every version', () => {
  const versions: [
    version: number,
    bytes: string,
    rest: { leaderEpoch: number; expireTimestamp: number; topicId: string },
  ][] = [
    [
      0,
      '00000000011f71fb04cb00046e6f74650000018bcfe56800',
      { leaderEpoch: -1, expireTimestamp: -1, topicId: ZERO_UUID },
    ],
    [
      1,
      '00010000011f71fb04cb00046e6f74650000018bcfe568000000018bcfe57b88',
      { leaderEpoch: -1, expireTimestamp: 1_700_000_005_000, topicId: ZERO_UUID },
    ],
    [
      2,
      '00020000011f71fb04cb00046e6f74650000018bcfe56800',
      { leaderEpoch: -1, expireTimestamp: -1, topicId: ZERO_UUID },
    ],
    [
      3,
      '00030000011f71fb04cb0000000500046e6f74650000018bcfe56800',
      { leaderEpoch: 5, expireTimestamp: -1, topicId: ZERO_UUID },
    ],
    [
      4,
      '00040000011f71fb04cb00000005056e6f74650000018bcfe56800010010000102030405060708090a0b0c0d0e0f',
      { leaderEpoch: 5, expireTimestamp: -1, topicId: 'AAECAwQFBgcICQoLDA0ODw' },
    ],
  ]
  for (const [version, bytes, rest] of versions) {
    const record: GroupRecord = { ...commit, value: { ...offset, ...rest } }
    assert.deepEqual(decodeRecord(unhex(commitKey), unhex(bytes), -1), record, `version ${version}`)
    if (version === 0 || version === 2 || version === 3) continue
    const { key, value } = encodeRecord(record)
    assert.deepEqual([hex(key), hex(value)], [commitKey, bytes], `version ${version}`)
  }
  const anonymous = encodeRecord({
    ...commit,
    value: { ...offset, leaderEpoch: 5, expireTimestamp: -1, topicId: ZERO_UUID },
  })
  assert.equal(hex(anonymous.value), '00040000011f71fb04cb00000005056e6f74650000018bcfe5680000')
})

test('keys of kind 0 are offsets, too', () => {
  const old = `0000${commitKey.slice(4)}`
  assert.deepEqual(decodeRecord(unhex(old), null, 9), { ...commit, value: null, producerId: 9 })
})

test('groups of every version', () => {
  const versions: [version: number, rebalance: boolean, state: boolean, instance: boolean, bytes: string][] = [
    [
      0,
      false,
      false,
      false,
      '00000008636f6e73756d657200000003000572616e676500026d310000000200026d31000163000a2f3132372e302e302e31' +
        '00002710000000020102000000010300026d3200016400042f3a3a31000017700000000000000000',
    ],
    [
      1,
      true,
      false,
      false,
      '00010008636f6e73756d657200000003000572616e676500026d310000000200026d31000163000a2f3132372e302e302e31' +
        '0000ea6000002710000000020102000000010300026d3200016400042f3a3a3100007530000017700000000000000000',
    ],
    [
      2,
      true,
      true,
      false,
      '00020008636f6e73756d657200000003000572616e676500026d310000018bcfe568000000000200026d31000163000a2f31' +
        '32372e302e302e310000ea6000002710000000020102000000010300026d3200016400042f3a3a3100007530000017700000' +
        '000000000000',
    ],
    [
      3,
      true,
      true,
      true,
      '00030008636f6e73756d657200000003000572616e676500026d310000018bcfe568000000000200026d3100026931000163' +
        '000a2f3132372e302e302e310000ea6000002710000000020102000000010300026d32ffff00016400042f3a3a3100007530' +
        '000017700000000000000000',
    ],
    [
      4,
      true,
      true,
      true,
      '000409636f6e73756d6572000000030672616e6765036d310000018bcfe5680003036d3103693102630b2f3132372e302e30' +
        '2e310000ea6000002710030102020300036d32000264052f3a3a31000075300000177001010000',
    ],
  ]
  for (const [version, rebalance, state, instance, bytes] of versions) {
    const record: GroupRecord = {
      kind: 'GroupMetadata',
      groupId: 'grüppe',
      value: {
        protocolType: 'consumer',
        generation: 3,
        protocol: 'range',
        leader: 'm1',
        currentStateTimestamp: state ? 1_700_000_000_000 : -1,
        members: [
          {
            memberId: 'm1',
            groupInstanceId: instance ? 'i1' : null,
            clientId: 'c',
            clientHost: '/127.0.0.1',
            rebalanceTimeout: rebalance ? 60_000 : -1,
            sessionTimeout: 10_000,
            subscription: Uint8Array.of(1, 2),
            assignment: Uint8Array.of(3),
          },
          {
            memberId: 'm2',
            groupInstanceId: null,
            clientId: 'd',
            clientHost: '/::1',
            rebalanceTimeout: rebalance ? 30_000 : -1,
            sessionTimeout: 6_000,
            subscription: new Uint8Array(0),
            assignment: new Uint8Array(0),
          },
        ],
      },
    }
    assert.deepEqual(decodeRecord(unhex(groupKey), unhex(bytes), -1), record, `version ${version}`)
    if (version !== 3) continue
    const { key, value } = encodeRecord(record)
    assert.deepEqual([hex(key), hex(value)], [groupKey, bytes])
  }
})

test('a group that nobody joined yet, and tombstones', () => {
  const nobody = {
    protocolType: '',
    generation: 0,
    protocol: null,
    leader: null,
    currentStateTimestamp: 5,
    members: [],
  }
  const empty = encodeRecord({ kind: 'GroupMetadata', groupId: 'g', value: nobody })
  assert.equal(hex(empty.value), '0003000000000000ffffffff000000000000000500000000')
  assert.equal(encodeRecord({ kind: 'GroupMetadata', groupId: 'g', value: null }).value, null)
  assert.equal(encodeRecord({ ...commit, value: null }).value, null)
})

test('what is not understood is kept, and shares no memory with the log', () => {
  const cases: [name: string, key: Uint8Array, value: Uint8Array | null][] = [
    ['a kind of newer protocols', unhex('000300016700'), unhex('000000000007')],
    ['a tombstone of such a kind', unhex('0003000167'), null],
    ['an offset of a future version', unhex(commitKey), unhex('0005ffff')],
    ['an offset that is cut off', unhex(commitKey), unhex('00030000')],
    ['a group with a length that lies', unhex(groupKey), unhex('00037fff00')],
    ['a key that is cut off', unhex('000100ff'), null],
    ['no key to speak of', unhex('00'), null],
  ]
  for (const [name, key, value] of cases) {
    const record = decodeRecord(key, value, -1)
    const before = [hex(key), hex(value)]
    key.fill(0)
    value?.fill(0)
    assert.equal(record.kind, 'Other', name)
    const encoded = encodeRecord(record)
    assert.deepEqual([hex(encoded.key), hex(encoded.value)], before, name)
  }
})

test('a soft fact has no bytes', () => {
  const group = {} as never
  assert.throws(() => encodeRecord({ kind: 'LiveGroup', group, reason: '' }), TypeError)
})
