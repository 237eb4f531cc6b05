import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KafkaRecord } from '../../protocol/batches/records.ts'
import { BatchBuilder, keyText, matching } from './batches.ts'
import { eventsOf } from './encode.ts'
import type { EventBatch } from './ring.ts'

const record = (offset: number, value: string, key: string | null = null): KafkaRecord => ({
  offset,
  timestamp: 1000,
  key: key === null ? null : Buffer.from(key),
  value: Buffer.from(value),
  headers: [],
})

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

/** Batches of about `batchBytes` of records of partitions 0 and 1, which begin at 5 and 7. */
function build(batchBytes: number, add: (builder: BatchBuilder) => void): EventBatch[] {
  const batches: EventBatch[] = []
  const builder = new BatchBuilder('t', 'k3Fx', eventsOf('json'), batchBytes, [5, 7], batch => batches.push(batch))
  add(builder)
  builder.flush()
  return batches
}

test('each event has the position behind it', () => {
  const [batch, ...more] = build(1_000_000, builder => {
    builder.add(1, record(7, 'x'))
    builder.add(0, record(5, 'y'))
    builder.add(1, record(9, 'z'))
  })
  assert.equal(more.length, 0)
  assert.deepEqual([...text(batch!.bytes).matchAll(/^id: (.*)$/gm)].map(([, id]) => id), ['5,8@k3Fx', '6,8@k3Fx', '6,10@k3Fx']) // biome-ignore format: one line
  assert.deepEqual(batch!.after, [6, 10])
  assert.equal(batch!.ends.at(-1), batch!.bytes.length)
})

test('batches end when they are large enough; each says where its reader then stands', () => {
  const batches = build(250, builder => {
    for (let i = 0; i < 10; i++) builder.add(0, record(5 + i, 'x'.repeat(50)))
  })
  assert.deepEqual(batches.map(({ after }) => after[0]), [7, 9, 11, 13, 15]) // biome-ignore format: one line
  for (const { bytes } of batches) assert.ok(bytes.length < 400, `${bytes.length}`)
})

test('what is skipped moves the position', () => {
  const batches = build(1000, builder => builder.skip(1, 7))
  assert.deepEqual(batches, [{ bytes: new Uint8Array(0), ends: [], keys: [], partitions: [], after: [5, 8] }])
  assert.deepEqual(
    build(1000, () => {}),
    [],
  )
})

test('events by key, byte by byte', () => {
  const [batch] = build(1_000_000, builder => {
    for (const [i, key] of ['ä', null, 'b', 'ä'].entries()) builder.add(0, record(5 + i, `of ${key}`, key))
  })
  const of = (key: string, most = 10) => {
    const keys = new Set([keyText(Buffer.from(key))!])
    return matching(batch!, { keys, partitions: null }, 0, most).map(text)
  }
  const found = of('ä')
  assert.deepEqual(found.map(event => /"offset":(\d+)/.exec(event)![1]), ['5', '8']) // biome-ignore format: one line
  for (const event of found) assert.match(event, /^id: .*\ndata: .*\n\n$/)
  assert.deepEqual([of('other'), of('ä', 1)], [[], found.slice(0, 1)])
})

test('events by partition', () => {
  const [batch] = build(1_000_000, builder => {
    builder.add(0, record(5, 'a'))
    builder.add(1, record(7, 'b'))
    builder.add(0, record(6, 'c'))
  })
  const found = matching(batch!, { keys: null, partitions: new Set([0]) }, 0, 10).map(text)
  assert.deepEqual(found.map(event => /"value":"(.)"/.exec(event)![1]), ['a', 'c']) // biome-ignore format: one line
})
