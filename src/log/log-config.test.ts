import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaError } from '../protocol/errors.ts'
import { defaultLogConfig, logConfig, storeOptions } from './log-config.ts'

test("a topic's settings go over the broker's", () => {
  const broker = { ...defaultLogConfig, flush: 'os' as const, retentionBytes: 1000 }
  const config = logConfig(
    [
      ['retention.ms', '60000'],
      ['cleanup.policy', 'compact, delete'],
      ['flush.messages', '9223372036854775807'],
      ['message.timestamp.type', 'LogAppendTime'],
      ['compression.type', 'zstd'],
      ['remote.storage.enable', 'false'],
    ],
    broker,
  )
  assert.deepEqual(config, {
    ...broker,
    retentionMs: 60000,
    compact: true,
    delete: true,
    flushMessages: Number.MAX_SAFE_INTEGER,
    messageTimestampType: 'LogAppendTime',
    compressionType: 'zstd',
  })
})

test('what makes no sense is refused', () => {
  const cases: [string, string][] = [
    ['retention.ms', '-2'],
    ['retention.ms', 'forever'],
    ['retention.ms', ''],
    ['segment.bytes', '13'],
    ['segment.bytes', '1e9'],
    ['cleanup.policy', 'shred'],
    ['compression.type', 'rar'],
    ['message.timestamp.type', 'createtime'],
  ]
  for (const [key, value] of cases)
    assert.throws(
      () => logConfig([[key, value]]),
      (error: KafkaError) => error instanceof KafkaError && error.errorName === 'INVALID_CONFIG',
      `${key}=${value}`,
    )
})

test('segment.jitter.ms shortens segment.ms by a drawn part', () => {
  const random = { int: (below: number) => below - 1 }
  assert.equal(storeOptions({ ...defaultLogConfig, segmentMs: 1000, segmentJitterMs: 100 }, random).segmentMs, 901)
  assert.equal(storeOptions({ ...defaultLogConfig, segmentMs: 1000, segmentJitterMs: 5000 }, random).segmentMs, 2)
  assert.equal(storeOptions({ ...defaultLogConfig, segmentMs: 1000 }, random).segmentMs, 1000)
})
