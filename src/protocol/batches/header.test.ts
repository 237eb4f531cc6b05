import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as header from './header.ts'
import { validateBatch } from './iterate.ts'
import { javaBatches } from './java.test.data.ts'

function java(compression: string, logAppendTime: boolean): Buffer {
  const found = javaBatches.find(
    batch => batch.magic === 2 && batch.compression === compression && batch.logAppendTime === logAppendTime,
  )
  return Buffer.from(found!.hex, 'hex')
}

/** Something before it, so that positions are not all zero. */
function shifted(batch: Buffer, by: number): Buffer {
  return Buffer.concat([Buffer.alloc(by, 0xee), batch])
}

test('reads the header of a batch that Kafka wrote', () => {
  const batch = java('gzip', false)
  assert.deepEqual(header.readHeader(shifted(batch, 13), 13), {
    baseOffset: 1000,
    lastOffset: 1003,
    sizeInBytes: batch.length,
    maxTimestamp: 1700000000100,
    leaderEpoch: 5,
    attributes: 1,
    baseTimestamp: 1700000000000,
    producerId: 77,
    producerEpoch: 3,
    baseSequence: 40,
    lastOffsetDelta: 3,
    recordCount: 4,
  })
  assert.equal(header.magic(batch, 0), 2)
  assert.equal(header.crc(batch, 0), 0x60608655)
})

test('stamps a place in the log without touching the CRC', () => {
  const bytes = shifted(java('lz4', false), 5)
  header.stamp(bytes, 5, 2 ** 40 + 7, 99)
  assert.equal(header.baseOffset(bytes, 5), 2 ** 40 + 7)
  assert.equal(header.lastOffset(bytes, 5), 2 ** 40 + 10)
  assert.equal(header.leaderEpoch(bytes, 5), 99)
  assert.equal(validateBatch(bytes, 5), null)
})

for (const compression of ['none', 'lz4']) {
  test(`stamping the append time into a ${compression} batch gives the bytes that Kafka writes`, () => {
    const bytes = java(compression, false)
    header.stampLogAppendTime(bytes, 0, 1700000009999)
    assert.equal(bytes.toString('hex'), java(compression, true).toString('hex'))
  })
}

test('keeps negative numbers and the largest ones', () => {
  const bytes = java('none', false)
  for (const offset of [0, -1, -(2 ** 33), Number.MAX_SAFE_INTEGER]) {
    header.stamp(bytes, 0, offset, -1)
    assert.equal(header.baseOffset(bytes, 0), offset)
  }
  assert.equal(header.leaderEpoch(bytes, 0), -1)
})
