import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BatchToBuild, buildBatch } from '../protocol/batches/build.ts'
import { KafkaError } from '../protocol/errors.ts'
import { type AbortedTransaction, FetchedRecords } from './fetched.ts'

const record = { timestamp: 1, value: Buffer.from('v') }
const marker = { timestamp: 1, key: Buffer.from([0, 0, 0, 0]), value: Buffer.from('m') }

function batch(baseOffset: number, count: number, more: Partial<BatchToBuild> = {}): Buffer {
  return buildBatch({ baseOffset, records: Array.from({ length: count }, () => record), ...more })
}

const transaction = (producerId: number) => ({ producerId, producerEpoch: 0, baseSequence: 0, transactional: true })

function offsets(
  bytes: Uint8Array,
  from: number,
  aborted: AbortedTransaction[] | null,
): { seen: number[]; end: number } {
  const records = new FetchedRecords(bytes, from, aborted, 1 << 20)
  const seen: number[] = []
  for (let each = records.take(); each !== null; each = records.take()) seen.push(each.offset)
  return { seen, end: records.end }
}

test('begins at the offset that was asked for, inside of a batch', () => {
  const bytes = Buffer.concat([batch(10, 3), batch(13, 2, { compression: 'lz4' })])
  assert.deepEqual(offsets(bytes, 11, null), { seen: [11, 12, 13, 14], end: 15 })
})

test('a batch that is cut off at the end is left for the next fetch', () => {
  const bytes = Buffer.concat([batch(10, 3), batch(13, 2)])
  assert.deepEqual(offsets(bytes.subarray(0, bytes.length - 1), 10, null), { seen: [10, 11, 12], end: 13 })
})

test('never gives control records, and goes on behind them', () => {
  const bytes = Buffer.concat([batch(0, 1), buildBatch({ baseOffset: 1, control: true, records: [marker] })])
  assert.deepEqual(offsets(bytes, 0, null), { seen: [0], end: 2 })
  assert.deepEqual(offsets(bytes, 0, []), { seen: [0], end: 2 })
})

test('goes on behind what compaction left empty', () => {
  const bytes = Buffer.concat([buildBatch({ baseOffset: 5, lastOffset: 9, records: [] }), batch(10, 1)])
  assert.deepEqual(offsets(bytes, 5, null), { seen: [10], end: 11 })
})

test('read_committed leaves out aborted transactions, and only those', () => {
  const bytes = Buffer.concat([
    batch(0, 2, transaction(1)), // aborted
    batch(2, 1, transaction(2)), // committed
    batch(3, 1),
    batch(4, 1, transaction(1)), // aborted
    buildBatch({ baseOffset: 5, control: true, records: [marker], ...transaction(1) }),
    batch(6, 1, transaction(1)), // committed
    buildBatch({ baseOffset: 7, control: true, records: [marker], ...transaction(2) }),
    buildBatch({ baseOffset: 8, control: true, records: [marker], ...transaction(1) }),
    batch(9, 1, transaction(2)), // aborted
    buildBatch({ baseOffset: 10, control: true, records: [marker], ...transaction(2) }),
  ])
  const aborted = [
    { producerId: 2, firstOffset: 9 },
    { producerId: 1, firstOffset: 0 },
  ]
  assert.deepEqual(offsets(bytes, 0, aborted), { seen: [2, 3, 6], end: 11 })
  assert.deepEqual(offsets(bytes, 0, null).seen, [0, 1, 2, 3, 4, 6, 9])
})

test('gives what can be read before it says that the rest cannot', () => {
  const broken = batch(1, 1)
  broken[broken.length - 3] = 0x7f
  const records = new FetchedRecords(Buffer.concat([batch(0, 1), broken]), 0, null, 1 << 20)
  assert.equal(records.take()?.offset, 0)
  assert.throws(() => records.take(), KafkaError)
  assert.throws(() => records.take(), KafkaError)
})
