import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KafkaError } from '../protocol/errors.ts'
import { sequenceAfter, sequenceBefore } from './producer-entry.ts'
import { decodeSnapshot, encodeSnapshot } from './producer-snapshot.ts'
import { defaultProducerLimits, Producers } from './producers.ts'

const last = 0x7fffffff
const producer = 7

/** A partition's producers after batches of one producer, each `[epoch, first sequence, records]`. */
function after(...batches: [epoch: number, first: number, records: number][]): Producers {
  const producers = new Producers(defaultProducerLimits)
  let offset = 0
  for (const [epoch, first, records] of batches) {
    offset += records
    producers.append(producer, epoch, sequenceAfter(first, records - 1), offset - 1, records - 1, 1000, false, 0)
  }
  return producers
}

/** `append`, the base offset of the known batch, or the error. */
function verdict(producers: Producers, epoch: number, first: number, records: number): string | number {
  try {
    return producers.check(producer, epoch, first, sequenceAfter(first, records - 1))?.baseOffset ?? 'append'
  } catch (error) {
    return (error as KafkaError).errorName
  }
}

const gap = 'OUT_OF_ORDER_SEQUENCE_NUMBER'
const stale = 'INVALID_PRODUCER_EPOCH'

test('sequence numbers go round', () => {
  assert.equal(sequenceAfter(last - 1, 1), last)
  assert.equal(sequenceAfter(last, 1), 0)
  assert.equal(sequenceAfter(last - 1, 3), 1)
  assert.equal(sequenceBefore(1, 3), last - 1)
  assert.equal(sequenceBefore(5, 5), 0)
})

test('what may follow on what', () => {
  const five = after([0, 0, 10], [0, 10, 1], [0, 11, 1], [0, 12, 1], [0, 13, 2])
  const six = after([0, 0, 10], [0, 10, 1], [0, 11, 1], [0, 12, 1], [0, 13, 2], [0, 15, 1])
  const cases: [Producers, epoch: number, first: number, records: number, verdict: string | number][] = [
    // Unknown producers begin anywhere: retention may have taken their past.
    [after(), 0, 0, 1, 'append'],
    [after(), 5, 1000, 1, 'append'],
    // In order, a gap, and all five batches once more.
    [five, 0, 15, 3, 'append'],
    [five, 0, 16, 1, gap],
    [five, 0, 0, 10, 0],
    [five, 0, 10, 1, 10],
    [five, 0, 11, 1, 11],
    [five, 0, 12, 1, 12],
    [five, 0, 13, 2, 13],
    // The sixth pushes the first out; then it cannot be recognised any more.
    [six, 0, 0, 10, gap],
    [six, 0, 10, 1, 10],
    [six, 0, 15, 1, 15],
    // Part of a known batch is not that batch.
    [five, 0, 13, 1, gap],
    [five, 0, 14, 1, gap],
    [five, 0, 9, 1, gap],
    [five, 0, 13, 3, gap],
    // Epochs: an older one is fenced, a newer one begins at 0.
    [five, 1, 0, 1, 'append'],
    [five, 1, 15, 1, gap],
    [after([3, 0, 1]), 2, 1, 1, stale],
    [after([3, 0, 1]), 2, 0, 1, stale],
    [after([0, 0, 4], [1, 0, 2]), 1, 2, 1, 'append'],
    [after([0, 0, 4], [1, 0, 2]), 1, 4, 1, gap],
    [after([0, 0, 4], [1, 0, 2]), 0, 0, 4, stale],
    // Round the end, also within a batch.
    [after([0, last, 1]), 0, 0, 1, 'append'],
    [after([0, last, 1]), 0, last, 1, 0],
    [after([0, last - 1, 4]), 0, 2, 1, 'append'],
    [after([0, last - 1, 4]), 0, last - 1, 4, 0],
    [after([0, last - 1, 4]), 0, 0, 1, gap],
    [after([0, last - 1, 1]), 0, 0, 1, gap],
  ]
  for (const [producers, epoch, first, records, expected] of cases)
    assert.equal(verdict(producers, epoch, first, records), expected, `${epoch}/${first}+${records}`)
})

test('a check changes nothing', () => {
  const producers = after([0, 0, 1])
  for (const [epoch, first] of [
    [0, 5],
    [1, 5],
    [0, 0],
    [1, 0],
  ] as const)
    verdict(producers, epoch, first, 1)
  assert.equal(verdict(producers, 0, 1, 1), 'append')
  assert.equal(verdict(producers, 0, 0, 1), 0)
})

test('a marker ends the transaction; in the same epoch sequences go on, in a new one they begin at 0', () => {
  const producers = after()
  producers.append(producer, 0, 4, 4, 4, 1000, true, 0)
  assert.equal(producers.get(producer)?.currentTxnFirstOffset, 0)
  producers.appendMarker(producer, 0, 5, 2000, 0)
  assert.equal(producers.get(producer)?.currentTxnFirstOffset, -1)
  assert.equal(verdict(producers, 0, 5, 1), 'append')
  assert.equal(verdict(producers, 0, 0, 1), gap)
  producers.appendMarker(producer, 1, 6, 2000, 0)
  assert.equal(verdict(producers, 1, 0, 1), 'append')
  assert.equal(verdict(producers, 1, 5, 1), gap)
})

test('silent producers are forgotten, those with an open transaction are not', () => {
  const producers = new Producers({ expirationMs: 100, perPartition: 10 })
  producers.append(1, 0, 0, 0, 0, 1000, false, 5000)
  producers.append(2, 0, 0, 1, 0, 1000, true, 5000)
  producers.append(3, 0, 0, 2, 0, 1000, false, 5050)
  producers.expire(5099)
  assert.equal(producers.size, 3)
  producers.expire(5100)
  assert.deepEqual(
    [...producers.all()].map(entry => entry.producerId),
    [2, 3],
  )
})

test('at the limit those go that wrote longest ago', () => {
  const producers = new Producers({ expirationMs: 100, perPartition: 20 })
  for (let id = 0; id < 20; id++) producers.append(id, 0, 0, id, 0, 1000, false, 0)
  producers.append(0, 0, 1, 20, 0, 1000, false, 0)
  producers.append(99, 0, 0, 21, 0, 1000, false, 0)
  assert.equal(producers.size, 19)
  assert.equal(producers.evicted, 2)
  assert.ok(producers.get(0) !== undefined, 'it wrote just now')
  assert.equal(producers.get(1), undefined)
  assert.equal(producers.get(2), undefined)
  for (let id = 100; id < 10_000; id++) producers.append(id, 0, 0, id, 0, 1000, false, 0)
  assert.ok(producers.size <= 20)
})

test('a snapshot keeps all that is known', () => {
  const producers = after([1, 0, 10], [1, 10, 1], [1, 11, 1], [1, 12, 1], [1, 13, 2], [1, 15, 1])
  producers.append(8, 3, 5, 100, 5, 3000, true, 0)
  producers.appendMarker(9, 2, 101, 4000, 0)
  const bytes = encodeSnapshot(producers.all())
  const restored = new Producers(defaultProducerLimits)
  for (const entry of decodeSnapshot(bytes)!) restored.restore(entry)
  assert.equal(verdict(restored, 1, 16, 1), 'append')
  for (const [first, records, offset] of [
    [10, 1, 10],
    [11, 1, 11],
    [12, 1, 12],
    [13, 2, 13],
    [15, 1, 15],
  ] as const)
    assert.equal(verdict(restored, 1, first, records), offset)
  assert.equal(restored.get(8)?.currentTxnFirstOffset, 95)
  assert.deepEqual(
    [restored.get(9)?.epoch, restored.get(9)?.lastSequence, restored.get(9)?.lastTimestamp],
    [2, -1, 4000],
  )
  assert.deepEqual(encodeSnapshot(restored.all()), bytes)
})

test("the snapshot is Kafka's, byte by byte", () => {
  // Written by Apache Kafka 4.3.1 at the end of the topic `sequences` of test/conformance/produce-cases.ts.
  const written = Buffer.from(
    [
      '0001f13c4b3e00000004',
      '0000000000000001000300000000000000000000000c00000000000001a1fdca960dffffffffffffffffffffffff',
      '00000000000000020000000003e9000000000000000e00000000000001a1fdca960dffffffffffffffffffffffff',
      '0000000000000003000000000000000000000000001100000000000001a1fdca960dffffffffffffffffffffffff',
      '0000000000000004000000000002000000000000001600000000000001a1fdca960dffffffffffffffffffffffff',
    ].join(''),
    'hex',
  )
  const entries = decodeSnapshot(written)!
  const rows = entries.map(({ producerId, epoch, lastSequence, lastOffset }) => [
    producerId,
    epoch,
    lastSequence,
    lastOffset,
  ])
  assert.deepEqual(rows, [
    [1, 3, 0, 12],
    [2, 0, 1001, 14],
    [3, 0, 0, 17],
    [4, 0, 2, 22],
  ])
  assert.deepEqual(Buffer.from(encodeSnapshot(entries)), written)
})

test('a damaged snapshot is none', () => {
  const bytes = encodeSnapshot(after([0, 0, 10], [0, 10, 1]).all())
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice()
    damaged[at] = damaged[at]! ^ 1
    assert.equal(decodeSnapshot(damaged), null, `byte ${at}`)
    assert.equal(decodeSnapshot(bytes.subarray(0, at)), null, `cut at ${at}`)
  }
})
