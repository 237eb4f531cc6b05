import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KafkaRecord } from '../../protocol/batches/records.ts'
import { BatchBuilder, matching } from '../events/batches.ts'
import type { EventCodec } from '../events/codec.ts'
import type { EventBatch } from '../events/ring.ts'
import { broadcastHeader } from './broadcasts.ts'
import { MessageResponse } from './services/broker.ts'
import { ConsumeResponse } from './services/records.ts'
import { bodyMessages, recordMessages } from './stream-codecs.ts'
import { MessageCutter } from './wire/messages.ts'

const record = (offset: number, value: string, headers: KafkaRecord['headers'] = []): KafkaRecord => {
  return { offset, timestamp: 1000, key: null, value: Buffer.from(value), headers }
}

function batchOf(codec: EventCodec, ...records: [partition: number, record: KafkaRecord][]): EventBatch {
  const batches: EventBatch[] = []
  const builder = new BatchBuilder('t', 'k3Fx', codec, 1_000_000, [0, 0], batch => batches.push(batch))
  for (const [partition, each] of records) builder.add(partition, each)
  builder.flush()
  return batches[0]!
}

const messagesIn = (bytes: Uint8Array) => new MessageCutter(1_000_000).push(Buffer.from(bytes))
const text = (bytes: Uint8Array | null) => Buffer.from(bytes ?? []).toString()

test('records that were read together are one message', () => {
  const batch = batchOf(recordMessages, [0, record(0, 'a')], [1, record(0, 'b')], [0, record(1, 'c')])
  const shown = (bytes: Uint8Array) =>
    messagesIn(bytes).map(message =>
      ConsumeResponse.decode(message.bytes).records.map(({ partition, offset, value }) => [
        partition,
        offset,
        text(value),
      ]),
    )
  assert.deepEqual(shown(batch.bytes), [[[0, 0, 'a'], [1, 0, 'b'], [0, 1, 'c']]]) // biome-ignore format: one line
  const some = matching(batch, { keys: null, partitions: new Set([0]) }, recordMessages.headBytes, 10)
  const bytes = some.reduce((sum, { length }) => sum + length, 0)
  assert.deepEqual(shown(recordMessages.join(some, bytes)), [[[0, 0, 'a'], [0, 1, 'c']]]) // biome-ignore format: one line
})

test('each record is a message of its own, and a broadcast is one', () => {
  const copy = [{ key: broadcastHeader, value: Buffer.from('id') }]
  const batch = batchOf(bodyMessages, [1, record(0, 'hear', copy)], [0, record(0, 'hear', copy)], [1, record(1, 'x')])
  const bodies = messagesIn(batch.bytes).map(({ bytes }) => text(MessageResponse.decode(bytes).body))
  assert.deepEqual(
    [bodies, batch.after],
    [
      ['hear', 'x'],
      [1, 2],
    ],
  )
})

test('these streams say nothing else', () => {
  const place = { topic: 't', tag: 'k3Fx', position: [0] }
  for (const codec of [recordMessages, bodyMessages]) {
    assert.equal(codec.greeting(place, { int: () => 0 }), null)
    assert.equal(codec.heartbeat(place, true), null)
    assert.equal(codec.gap(place, { topic: 't', partition: 0, expected: 0, offset: 1 }), null)
  }
})
