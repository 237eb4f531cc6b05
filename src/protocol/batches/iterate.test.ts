import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KafkaError } from '../errors.ts'
import { buildBatch } from './build.ts'
import { putInt16, putInt32, putInt64 } from './bytes.ts'
import * as header from './header.ts'
import { iterateBatches, producedBatchProblem, validateBatch, wholeBatchesEnd } from './iterate.ts'

const batch = (baseOffset: number, values: readonly string[]) =>
  buildBatch({ baseOffset, records: values.map(value => ({ timestamp: 7, value: Buffer.from(value) })) })

const first = batch(10, ['a', 'b'])
const second = batch(12, ['c'])
const both = Buffer.concat([first, second])

test('finds every batch and where it lies', () => {
  const found = [...iterateBatches(both)]
  assert.deepEqual(
    found.map(({ position, baseOffset, lastOffset, sizeInBytes }) => [position, baseOffset, lastOffset, sizeInBytes]),
    [
      [0, 10, 11, first.length],
      [first.length, 12, 12, second.length],
    ],
  )
  assert.equal(wholeBatchesEnd(both), both.length)
  assert.deepEqual([...iterateBatches(both, first.length)].length, 1)
})

test('leaves out what is cut off, wherever it is cut', () => {
  for (let length = 0; length < both.length; length++) {
    const cut = both.subarray(0, length)
    const whole = length < first.length ? 0 : 1
    assert.equal([...iterateBatches(cut)].length, whole, `cut after ${length}`)
    assert.equal(wholeBatchesEnd(cut), whole * first.length)
    if (whole === 0) assert.notEqual(validateBatch(cut, 0), null)
  }
})

test('notices any byte that changes, but the two fields that a leader stamps', () => {
  for (let at = 0; at < first.length; at++) {
    const bytes = Buffer.from(first)
    bytes[at]! ^= 0x10
    const stamped = at < header.batchLengthAt || (at >= header.leaderEpochAt && at < header.magicAt)
    // The highest bits of the base offset still lie outside of what we can count to.
    if (stamped && at >= 2) assert.equal(validateBatch(bytes, 0), null, `byte ${at}`)
    else if (!stamped) assert.notEqual(validateBatch(bytes, 0), null, `byte ${at}`)
  }
})

const hostile: readonly [string, RegExp, (bytes: Buffer) => void][] = [
  ['a length of −1', /length/, bytes => putInt32(bytes, header.batchLengthAt, -1)],
  ['a length below the header', /length/, bytes => putInt32(bytes, header.batchLengthAt, 48)],
  ['magic 1', /magic 1/, bytes => (bytes[header.magicAt] = 1)],
  ['magic 3', /magic 3/, bytes => (bytes[header.magicAt] = 3)],
  ['a base offset beyond 2^53', /offset/, bytes => bytes.fill(0x7f, 0, 8)],
  ['a negative last offset delta', /delta/, bytes => putInt32(bytes, header.lastOffsetDeltaAt, -5)],
  ['a negative record count', /count/, bytes => putInt32(bytes, header.recordCountAt, -1)],
  ['a timestamp beyond 2^53', /timestamp/, bytes => bytes.fill(0x7f, header.maxTimestampAt, header.maxTimestampAt + 8)],
  ['a producer id beyond 2^53', /producer id/, bytes => bytes.fill(0x7f, header.producerIdAt, header.producerIdAt + 8)],
  ['a producer id without an epoch', /epoch/, bytes => putInt64(bytes, header.producerIdAt, 5)],
]

for (const [what, why, spoil] of hostile) {
  test(`refuses ${what}`, () => {
    const bytes = Buffer.from(first)
    spoil(bytes)
    assert.match(validateBatch(bytes, 0)!, why)
    assert.throws(
      () => [...iterateBatches(bytes)],
      (error: KafkaError) => error.errorName === 'CORRUPT_MESSAGE' && why.test(error.message),
    )
  })
}

test('refuses a length that reaches past the end, and waits for the rest when iterating', () => {
  const bytes = Buffer.from(first)
  putInt32(bytes, header.batchLengthAt, 0x7fffffff)
  assert.match(validateBatch(bytes, 0)!, /past the end/)
  assert.deepEqual([...iterateBatches(bytes)], [])
  assert.equal(wholeBatchesEnd(bytes), 0)
})

const unproducible: readonly [string, RegExp, (bytes: Buffer) => void][] = [
  ['no records', /counts 0/, bytes => putInt32(bytes, header.recordCountAt, 0)],
  ['a count beside the offsets', /delta is 1/, bytes => putInt32(bytes, header.recordCountAt, 3)],
  ['a control batch', /control/, bytes => putInt16(bytes, header.attributesAt, header.controlBit)],
  ['a producer without a sequence', /sequence/, bytes => putInt64(bytes, header.producerIdAt, 9)],
]

test('lets a client append an ordinary batch', () => assert.equal(producedBatchProblem(first, 0), null))

for (const [what, why, spoil] of unproducible) {
  test(`does not let a client append ${what}`, () => {
    const bytes = Buffer.from(first)
    spoil(bytes)
    assert.match(producedBatchProblem(bytes, 0)!, why)
  })
}
