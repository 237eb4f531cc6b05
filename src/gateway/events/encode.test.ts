import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventsOf, greeting, heartbeat, idOnly, noticeEvent, recordEvent } from './encode.ts'

const text = (bytes: Uint8Array | null) => Buffer.from(bytes ?? []).toString()

test('what stands in a stream', () => {
  const record = { offset: 15, timestamp: 1000, key: Buffer.from('k'), value: Buffer.from('a\nb'), headers: [] }
  assert.equal(greeting('15,0', { int: below => below - 1 }), 'retry: 1999\nid: 15,0\n\n')
  assert.equal(heartbeat, ':\n\n')
  assert.equal(idOnly('16,0'), ':\nid: 16,0\n\n')
  assert.equal(
    text(recordEvent('16,0', 't', 0, record, 'json')),
    'id: 16,0\ndata: {"topic":"t","partition":0,"offset":15,"timestamp":1000,"key":"k","value":"a\\nb","headers":{}}\n\n',
  )
  assert.equal(text(noticeEvent('16,0', 'gap', { a: 1 })), 'id: 16,0\nevent: gap\ndata: {"a":1}\n\n')
})

test('a stream says the same, with the position behind each record', () => {
  const codec = eventsOf('json')
  const place = { topic: 't', tag: 'k3Fx', position: [16, 0] }
  const record = { offset: 15, timestamp: 1000, key: null, value: Buffer.from('1'), headers: [] }
  const event = codec.record(place, 0, record)!
  assert.equal(text(event), text(recordEvent('16,0@k3Fx', 't', 0, record, 'json')))
  assert.equal(text(codec.join([event, event], 2 * event.length)), text(event).repeat(2))
  assert.equal(text(codec.greeting(place, { int: () => 0 })), 'retry: 1000\nid: 16,0@k3Fx\n\n')
  assert.deepEqual([false, true].map(news => text(codec.heartbeat(place, news))), [':\n\n', ':\nid: 16,0@k3Fx\n\n']) // biome-ignore format: one line
  assert.equal(eventsOf('json'), codec)
  assert.notEqual(eventsOf('base64').name, codec.name)
})
